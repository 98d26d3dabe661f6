// A session's life, the same on every runtime; each step is a line of what it came to.
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export interface Options {
  /** The sandbox's address. */
  readonly gateway: string
  /** What kills the bearers given out so far, when it is posted to. */
  readonly expiry: string
}

const expire = (url: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const answer = await fetch(url, { method: "POST", body: JSON.stringify({ kinds: ["access"] }) })
    if (!answer.ok) throw new Error(`${url} answered with ${answer.status}`)
  })

const calls = 20

export const life = ({
  expiry,
  gateway
}: Options): Effect.Effect<ReadonlyArray<string>, IgError | ConfigError.ConfigError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const encrypted = yield* Session.loginV2WithEncryption
    yield* Session.logout
    const session = yield* Session.login
    yield* expire(expiry)
    const reads = yield* Effect.all(
      Array.from({ length: calls }, () => Session.read()),
      { concurrency: "unbounded" }
    )
    const details = yield* Session.read({ fetchTokens: true })
    const moved = yield* Session.switchAccount("SBX02")
    const after = yield* Session.read()
    yield* Session.logout
    const status = yield* Session.status
    const refused = yield* Effect.orDieWith(
      Effect.flip(Session.read()),
      () => new Error("a call was sent without a session")
    )
    return [
      `encrypted login: ${encrypted._tag} ${encrypted.accountId}`,
      `login: ${session._tag} ${session.accountId}`,
      `refresh under ${calls} calls: ${reads.filter(({ accountId }) => accountId === "SBX01").length} answered`,
      `read: client ${details.clientId}`,
      `switch: ${moved._tag} ${moved.accountId}, then ${after.accountId}`,
      `logout: ${status._tag}, then ${refused._tag}`
    ]
  }).pipe(
    Effect.provide(
      Layer.merge(
        IgClient.layer({
          environment: gateway,
          apiKey: Redacted.make("sandbox-api-key"),
          identifier: "sandbox",
          password: Redacted.make("Sandbox-Pa55word")
        }),
        PasswordEncryption.layer
      )
    )
  )
