/** The client under test over the sandbox, and what is watched of both. */
import { CurrentAccount } from "@effect-ig/core/CurrentAccount"
import * as Credentials from "@effect-ig/core/Credentials"
import * as IgConfig from "@effect-ig/core/IgConfig"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import * as SessionState from "@effect-ig/core/SessionState"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { constants, createPublicKey, publicEncrypt } from "node:crypto"
import { logoutTimeout, requestTimeout } from "./longest.ts"
import { accounts, type Program } from "./program.ts"

/** Which caller a request leaves from; exchanges of the session's own leave from none. */
export const callerIndex: FiberRef.FiberRef<number> = FiberRef.unsafeMake(-1)

/** Marks the fibers that a layer starts, to see that none outlives it: by the watch of its program. */
export const startedUnder: FiberRef.FiberRef<Watch | undefined> = FiberRef.unsafeMake<Watch | undefined>(undefined)

export interface Sent {
  readonly kind: "refresh" | "login" | "other"
  readonly bearer: string | undefined
  readonly cst: string | undefined
  readonly securityToken: string | undefined
  /** What the `IG-ACCOUNT-ID` header says. */
  readonly account: string | undefined
  /** What `withAccount` asked for, where the request left from. */
  readonly wanted: string | undefined
}

/** What the watch saw, and what the program reports to it. */
export interface Watch {
  readonly sent: Array<Sent>
  /** Of each kind, how many were under way at once. */
  readonly most: { refresh: number; login: number }
  readonly underWay: { refresh: number; login: number }
  /** Requests that each caller has on the wire now. */
  readonly sending: Map<number, number>
  readonly concurrency: Array<number>
  active: number
  lateRefusals: number
  password: string
}

export const makeWatch = (): Watch => ({
  sent: [],
  most: { refresh: 0, login: 0 },
  underWay: { refresh: 0, login: 0 },
  sending: new Map(),
  concurrency: [],
  active: 0,
  lateRefusals: 0,
  password: ""
})

const kindOf = ({ method, url }: HttpClientRequest.HttpClientRequest): Sent["kind"] => {
  if (url.endsWith("/session/refresh-token")) return "refresh"
  return method === "POST" && url.endsWith("/session") ? "login" : "other"
}

const bearerOf = (session: SessionState.Session): string | undefined =>
  session._tag === "OAuthSession" ? `Bearer ${Redacted.value(session.accessToken)}` : undefined

const watched =
  (watch: Watch, current: () => Effect.Effect<SessionState.Session>) =>
  (client: HttpClient.HttpClient): HttpClient.HttpClient =>
    HttpClient.transform(client, (effect, request) =>
      Effect.gen(function* () {
        const kind = kindOf(request)
        const index = yield* FiberRef.get(callerIndex)
        const bearer = request.headers["authorization"]
        watch.sent.push({
          kind,
          bearer,
          cst: request.headers["cst"],
          securityToken: request.headers["x-security-token"],
          account: request.headers["ig-account-id"],
          wanted: yield* CurrentAccount
        })
        watch.concurrency.push(watch.active)
        watch.sending.set(index, (watch.sending.get(index) ?? 0) + 1)
        if (kind !== "other") {
          watch.underWay[kind] += 1
          watch.most[kind] = Math.max(watch.most[kind], watch.underWay[kind])
        }
        const response = yield* Effect.ensuring(
          effect,
          Effect.sync(() => {
            watch.sending.set(index, (watch.sending.get(index) ?? 0) - 1)
            if (kind !== "other") watch.underWay[kind] -= 1
          })
        )
        if (response.status === 401 && bearer !== undefined && bearer !== bearerOf(yield* current())) {
          watch.lateRefusals += 1
        }
        return response
      })
    )

/** A user's client that repeats whatever fails, an answer of 5xx included. */
const repeating = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  client.pipe(HttpClient.retryTransient({ times: 3 }), HttpClient.retry({ times: 3 }))

/** By the machine's own RSA, which is fast; ours is tested elsewhere. */
const cipher = Layer.succeed(PasswordCipher, {
  encrypt: ({ encryptionKey, password, timeStamp }) =>
    Effect.sync(() => {
      const key = createPublicKey({ key: Buffer.from(encryptionKey, "base64"), format: "der", type: "spki" })
      const text = Buffer.from(`${Redacted.value(password)}|${timeStamp}`).toString("base64")
      const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text))
      return Redacted.make(sealed.toString("base64"))
    })
})

export const layerSandbox = ({ switches }: Program) =>
  Sandbox.layerHttpClient({
    accounts: accounts.map((accountId, index) => ({ accountId, accountType: "CFD", preferred: index === 0 })),
    switches: { ...switches, encryptedV3: true, encryptionKeyBits: 1024, encryptionKeyTtl: Infinity }
  })

/** Which session is current is known once the layer is built. */
export const layerClient = (program: Program, watch: Watch) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const sandbox = yield* Sandbox.Sandbox
      watch.password = sandbox.password
      const credentials = Layer.succeed(
        Credentials.Credentials,
        Effect.sync(() => ({ identifier: sandbox.identifier, password: Redacted.make(watch.password) }))
      )
      const config = IgConfig.layer({
        environment: sandbox.baseUrl,
        apiKey: Redacted.make(sandbox.apiKey),
        requestTimeout,
        logoutTimeout
      })
      const http = Layer.effect(
        HttpClient.HttpClient,
        Effect.gen(function* () {
          const { get } = yield* SessionState.SessionState
          const client = watched(watch, () => get)(yield* HttpClient.HttpClient)
          return program.retries ? repeating(client) : client
        })
      )
      const state = Layer.locally(Layer.fresh(SessionState.layer), startedUnder, watch)
      return Layer.mergeAll(config, credentials, ReadRetry.layer(), cipher).pipe(
        Layer.merge(Layer.provideMerge(http, state))
      )
    })
  )
