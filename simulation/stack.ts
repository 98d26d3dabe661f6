/** The client under test, over the sandbox. */
import * as Credentials from "@effect-ig/core/Credentials"
import * as IgConfig from "@effect-ig/core/IgConfig"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import type * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import type { SessionStore } from "@effect-ig/core/SessionStore"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { constants, createPublicKey, type KeyObject, publicEncrypt } from "node:crypto"
import { logoutTimeout, requestTimeout } from "./longest.ts"
import { accounts, type Program } from "./program.ts"
import { layerStore, type Shelf } from "./store.ts"
import { startedUnder, type Watch, watched } from "./watch.ts"

export type Ours = Session.Ig | Credentials.Credentials | PasswordCipher | SessionStore

/** What all runs of a program have in common. */
export interface Surroundings {
  /** What the client's user believes it to be. */
  password: string
  readonly shelf: Shelf
}

/** A user's client that repeats whatever fails, an answer of 5xx included. */
const repeating = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  client.pipe(HttpClient.retryTransient({ times: 3 }), HttpClient.retry({ times: 3 }))

/** The sandbox has one for all programs. */
const keys = new Map<string, KeyObject>()

const keyOf = (encryptionKey: string): KeyObject => {
  const known = keys.get(encryptionKey)
  if (known !== undefined) return known
  const key = createPublicKey({ key: Buffer.from(encryptionKey, "base64"), format: "der", type: "spki" })
  keys.set(encryptionKey, key)
  return key
}

/** By the machine's own RSA, which is fast; ours is tested elsewhere. */
const cipher: PasswordCipher.Service = {
  encrypt: ({ encryptionKey, password, timeStamp }) =>
    Effect.sync(() => {
      const text = Buffer.from(`${Redacted.value(password)}|${timeStamp}`).toString("base64")
      const key = keyOf(encryptionKey)
      return Redacted.make(
        publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString("base64")
      )
    })
}

/** Marks the fibers of the gateway, which are nobody's fault. */
export const isGateway: FiberRef.FiberRef<boolean> = FiberRef.unsafeMake(false)

export const layerSandbox = ({ switches, throttled }: Program) => {
  const given = throttled?.given
  const sandbox = Sandbox.layerHttpClient({
    accounts: accounts.map((accountId, index) => ({ accountId, accountType: "CFD", preferred: index === 0 })),
    switches: {
      ...switches,
      encryptedV3: true,
      encryptionKeyBits: 1024,
      encryptionKeyTtl: Infinity,
      perKeyNonTrading: given?.key ?? null,
      perAccountNonTrading: given?.account ?? null,
      perAccountTrading: given?.trading ?? null
    }
  })
  return Layer.locally(sandbox, isGateway, true)
}

/** What the client needs; layer by layer, since all at once would be a fiber for each. */
export const contextOf = (
  program: Program,
  name: string,
  watch: Watch,
  surroundings: Surroundings
): Effect.Effect<
  Context.Context<Ours>,
  ConfigError.ConfigError,
  Sandbox.Sandbox | HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const config = yield* IgConfig.make({
      environment: sandbox.baseUrl,
      apiKey: Redacted.make(sandbox.apiKey),
      userAgent: name,
      requestTimeout,
      logoutTimeout
    })
    const built = <A, E>(layer: Layer.Layer<A, E>) => Effect.locally(Layer.build(layer), startedUnder, watch)
    const state = yield* built(Layer.fresh(SessionState.layer))
    const store = yield* built(layerStore(surroundings.shelf, watch, program.restart?.writing ?? 0))
    const throttle = program.throttled === undefined ? Throttle.off : Throttle.layer(program.throttled.kept)
    const client = watched(watch, Context.get(state, SessionState.SessionState).get)(yield* HttpClient.HttpClient)
    return Context.mergeAll(state, store, yield* built(throttle)).pipe(
      Context.add(HttpClient.HttpClient, program.retries ? repeating(client) : client),
      Context.add(IgConfig.IgConfig, config),
      Context.add(PasswordCipher, cipher),
      Context.add(ReadRetry.ReadRetry, Option.some(ReadRetry.defaultPolicy)),
      Context.add(
        Credentials.Credentials,
        Effect.sync(() => ({ identifier: sandbox.identifier, password: Redacted.make(surroundings.password) }))
      )
    )
  })
