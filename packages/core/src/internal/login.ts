/** Opening and ending sessions at IG: `session.md` §2, §3, §6. */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Credentials } from "../Credentials.ts"
import { IgConfig } from "../IgConfig.ts"
import { AuthError, type IgError } from "../IgError.ts"
import { SessionState, type SignedIn } from "../SessionState.ts"
import * as Endpoint from "./endpoint.ts"
import type { LoggedIn } from "./exchanges.ts"
import type { LoginMode } from "./loginMode.ts"
import { send, type SendError } from "./send.ts"
import { carry } from "./tokens.ts"

type Wire = IgConfig | HttpClient.HttpClient

/** Who asked for a login, when that is a scope: it has to end what comes of it, even if it has gone by then. */
export interface Owner {
  login: LoggedIn | undefined
  isGone: boolean
}

export class LoginOwner extends Context.Reference<LoginOwner>()("@effect-ig/core/LoginOwner", {
  defaultValue: (): Owner | undefined => undefined
}) {}

/** Logging out on the way out must not take longer than its time box, whatever the time limit of other requests. */
export const hurried = Effect.updateService(IgConfig, (config) => ({
  ...config,
  requestTimeout: Duration.min(config.requestTimeout, config.logoutTimeout)
}))

/** `401` means that the session is over already. */
export const end = (session: SignedIn): Effect.Effect<void, SendError, Wire> =>
  send(Endpoint.logout, { tokens: carry(session) }).pipe(
    Effect.asVoid,
    Effect.catchIf(
      (error) => error._tag === "ApiError" && error.status === 401,
      () => Effect.void
    )
  )

/** A session that nobody will use. */
const discard = (session: SignedIn) => end(session).pipe(hurried, Effect.ignoreLogged)

/** `IG_ACCOUNT_ID` belongs to the login: one that cannot get there is no login, and is taken back. */
const onConfiguredAccount = <S extends SignedIn>(mode: LoginMode<S>, session: S) =>
  Effect.gen(function* () {
    const { accountId } = yield* IgConfig
    if (Option.isNone(accountId) || accountId.value === session.accountId) return session
    const moved = yield* mode
      .move(session, { accountId: accountId.value, defaultAccount: false })
      .pipe(Effect.tapErrorCause(() => discard(session)))
    return moved.session
  })

/** A session that IG has opened; nothing here knows of it yet. */
const open = <S extends SignedIn>(mode: LoginMode<S>, values: Credentials.Values): Effect.Effect<S, IgError, Wire> =>
  Effect.gen(function* () {
    const body = yield* mode.body(values)
    const session = yield* mode.toSession(yield* send(mode.endpoint, { body }))
    return yield* onConfiguredAccount(mode, session)
  }).pipe(Effect.mapError(mode.explain))

export const logIn = <S extends SignedIn>(
  mode: LoginMode<S>
): Effect.Effect<S, IgError, SessionState | Wire | Credentials> =>
  Effect.gen(function* () {
    const operation = mode.endpoint.name
    const owner = yield* LoginOwner
    const { exchanges } = yield* SessionState
    const credentials = yield* Credentials
    // Asking somebody for a password may take minutes; other exchanges need not wait for that.
    const values = yield* credentials
    return yield* exchanges.run(operation, ({ isClosed, settle }) =>
      Effect.gen(function* () {
        const session = yield* open(mode, values)
        if (isClosed() || owner?.isGone === true) {
          yield* discard(session)
          return yield* new AuthError({ operation, reason: "closed" })
        }
        const login: LoggedIn = { again: Effect.flatMap(credentials, (values) => open(mode, values)) }
        if (owner !== undefined) owner.login = login
        yield* settle(session, login)
        return session
      })
    )
  })
