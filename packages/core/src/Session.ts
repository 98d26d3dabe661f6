/**
 * The session: log in, read it, refresh it, switch its account, log out. Each operation is an Effect that needs `Ig` and
 * says in its type how it can fail.
 *
 * A caller that leaves loses nothing: an operation that changes the session is an exchange, which runs as the session's
 * own, one at a time (`internal/exchanges.ts`). Within its turn nobody else changes the session, `current` is how it is
 * and `settle` stores what comes of it. Whoever called may leave at any moment; the tokens that IG answers with are
 * stored all the same.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Credentials } from "./Credentials.ts"
import { IgConfig } from "./IgConfig.ts"
import {
  type ApiError,
  AuthError,
  type DecodeError,
  type IgError,
  NotSentError,
  type TransportError
} from "./IgError.ts"
import * as Account from "./internal/account.ts"
import * as Endpoint from "./internal/endpoint.ts"
import type { Turn } from "./internal/exchanges.ts"
import { isAccountId } from "./internal/identifiers.ts"
import * as Login from "./internal/login.ts"
import * as LoginMode from "./internal/loginMode.ts"
import { decode, send } from "./internal/send.ts"
import { bothTokens, carry, signedIn, withBearer } from "./internal/tokens.ts"
import type * as Wire from "./internal/wire.ts"
import { PasswordCipher } from "./PasswordCipher.ts"
import { OAuthSession, SessionState, SignedOut, StreamingTokens, TokenSession } from "./SessionState.ts"

/**
 * What every operation needs: the session, which gateway to talk to, and a client to talk with.
 *
 * @since 0.1.0
 * @category models
 */
export type Ig = SessionState | IgConfig | HttpClient.HttpClient

const operation = (endpoint: Endpoint.Endpoint<unknown>) =>
  Effect.withSpan(`Ig.${endpoint.name}`, {
    kind: "client",
    captureStackTrace: false,
    attributes: {
      "http.request.method": endpoint.method,
      "url.template": endpoint.path,
      "ig.version": endpoint.version
    }
  })

const exchange = <A, E>(
  endpoint: Endpoint.Endpoint<unknown>,
  work: (turn: Turn) => Effect.Effect<A, E, IgConfig | HttpClient.HttpClient>
): Effect.Effect<A, E | AuthError, Ig> =>
  Effect.flatMap(SessionState, ({ exchanges }) => exchanges.run(endpoint.name, work)).pipe(operation(endpoint))

/**
 * Logs in by OAuth: `POST /session`, Version 3. The bearer lives about 60 seconds; `refresh` renews it.
 *
 * With an account id in `IgConfig` the login is complete when that account is active. A session from before stays in
 * place when this fails, and is left to die at IG when it succeeds.
 *
 * @since 0.1.0
 * @category operations
 */
export const login: Effect.Effect<OAuthSession, IgError, Ig | Credentials> = Login.logIn(LoginMode.oauth).pipe(
  operation(Endpoint.loginV3)
)

/**
 * Logs in by CST and X-SECURITY-TOKEN: `POST /session`, Version 2. The tokens live 6 hours, up to 72 while used.
 *
 * With an account id in `IgConfig` the login is complete when that account is active. A session from before stays in
 * place when this fails, and is left to die at IG when it succeeds.
 *
 * @since 0.1.0
 * @category operations
 */
export const loginV2: Effect.Effect<TokenSession, IgError, Ig | Credentials> = Login.logIn(LoginMode.tokens).pipe(
  operation(Endpoint.loginV2)
)

/**
 * Logs in by OAuth with an encrypted password: `GET /session/encryptionKey`, then `POST /session`, Version 3, with
 * `encryptedPassword: true`. The reference client does this; IG documents encryption for Version 2 only and was seen to
 * refuse this one with `error.security.invalid-details`. The password never goes out in plain.
 *
 * @since 0.1.0
 * @category operations
 */
export const loginWithEncryption: Effect.Effect<OAuthSession, IgError, Ig | Credentials | PasswordCipher> =
  Effect.flatMap(PasswordCipher, (cipher) => Login.logIn(LoginMode.oauthEncrypted(cipher))).pipe(
    operation(Endpoint.loginV3Encrypted)
  )

/**
 * Logs in by CST and X-SECURITY-TOKEN with an encrypted password: `GET /session/encryptionKey`, then `POST /session`,
 * Version 2, with `encryptedPassword: true`. The one that IG documents, and demands of clients in Singapore. The password
 * never goes out in plain.
 *
 * @since 0.1.0
 * @category operations
 */
export const loginV2WithEncryption: Effect.Effect<TokenSession, IgError, Ig | Credentials | PasswordCipher> =
  Effect.flatMap(PasswordCipher, (cipher) => Login.logIn(LoginMode.tokensEncrypted(cipher))).pipe(
    operation(Endpoint.loginV2Encrypted)
  )

/**
 * Renews the bearer of an OAuth session: `POST /session/refresh-token`, Version 1. IG gives a new refresh token with it
 * and the old one is spent. Also works when the bearer is dead already, for about 10 minutes.
 *
 * @since 0.1.0
 * @category operations
 */
export const refresh: Effect.Effect<OAuthSession, IgError, Ig> = exchange(Endpoint.refresh, ({ current, settle }) =>
  Effect.gen(function* () {
    const session = yield* signedIn(Endpoint.refresh.name, current)
    if (session._tag !== "OAuthSession") {
      return yield* new AuthError({ operation: Endpoint.refresh.name, reason: "no-refresh-token" })
    }
    const answer = yield* send(Endpoint.refresh, { body: { refresh_token: Redacted.value(session.refreshToken) } })
    const renewed = withBearer(session, yield* decode(Endpoint.refresh, answer), answer)
    yield* settle(renewed)
    return renewed
  })
)

/**
 * What `GET /session` says. `timezoneOffset` is in hours, daylight saving included.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionDetails = typeof Wire.SessionDetails.Type

/**
 * The session as IG sees it: `GET /session`, Version 1. With `fetchTokens` IG issues CST and X-SECURITY-TOKEN for
 * streaming: under OAuth they go into the session beside the bearer, under CST they replace those in use. An answer
 * without both is an `AuthError`.
 *
 * @since 0.1.0
 * @category operations
 */
export const read = (options?: {
  readonly fetchTokens?: boolean | undefined
}): Effect.Effect<SessionDetails, IgError, Ig> => (options?.fetchTokens === true ? readWithTokens : readOnly)

const readOnly: Effect.Effect<SessionDetails, IgError, Ig> = Effect.gen(function* () {
  const session = yield* signedIn(Endpoint.read.name, yield* (yield* SessionState).get)
  return yield* decode(Endpoint.read, yield* send(Endpoint.read, { tokens: carry(session) }))
}).pipe(operation(Endpoint.read))

const readWithTokens: Effect.Effect<SessionDetails, IgError, Ig> = exchange(Endpoint.read, ({ current, settle }) =>
  Effect.gen(function* () {
    const session = yield* signedIn(Endpoint.read.name, current)
    const answer = yield* send(Endpoint.read, { query: { fetchSessionTokens: "true" }, tokens: carry(session) })
    const tokens = yield* bothTokens(Endpoint.read.name, answer)
    const details = yield* decode(Endpoint.read, answer)
    yield* settle(
      session._tag === "TokenSession"
        ? new TokenSession({ ...session, ...tokens })
        : new OAuthSession({ ...session, streamingTokens: Option.some(new StreamingTokens(tokens)) })
    )
    return details
  })
)

/**
 * What a switch came to: `Switched` by IG; `AlreadyActive`, since the session was on that account or IG says that it is;
 * or `SwitchedByHeader`, where IG refuses to switch under a bearer: the account is chosen by the `IG-ACCOUNT-ID` header of
 * each request.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountSwitch = Account.AccountSwitch

/**
 * Moves the session to another of the client's accounts: `PUT /session`, Version 1. The new tokens that IG gives replace
 * the old ones, and streaming tokens of the old account are dropped.
 *
 * `defaultAccount: true` also makes it the account that later logins start on, for good.
 *
 * @since 0.1.0
 * @category operations
 */
export const switchAccount = (
  accountId: string,
  options?: { readonly defaultAccount?: boolean | undefined }
): Effect.Effect<AccountSwitch, IgError, Ig> =>
  isAccountId(accountId)
    ? exchange(Endpoint.switchAccount, ({ current, settle }) =>
        Effect.gen(function* () {
          const session = yield* signedIn(Endpoint.switchAccount.name, current)
          const target = { accountId, defaultAccount: options?.defaultAccount ?? false }
          const moved = yield* Account.moveTo(session, target)
          yield* settle(moved.session)
          return moved.how
        })
      )
    : Effect.fail(
        new NotSentError({
          operation: Endpoint.switchAccount.name,
          reason: "invalid-request",
          path: "accountId",
          detail: "Expected 1 to 30 letters, digits and hyphens, as GET /accounts lists them."
        })
      )

/**
 * @since 0.1.0
 * @category models
 */
export type EncryptionKey = typeof Wire.EncryptionKey.Type

/**
 * The key that a password is encrypted with, and IG's clock in ms since the epoch: `GET /session/encryptionKey`,
 * Version 1. Needs no session.
 *
 * @since 0.1.0
 * @category operations
 */
export const encryptionKey: Effect.Effect<
  EncryptionKey,
  ApiError | TransportError | NotSentError | DecodeError,
  IgConfig | HttpClient.HttpClient
> = Effect.flatMap(send(Endpoint.encryptionKey), (answer) => decode(Endpoint.encryptionKey, answer)).pipe(
  operation(Endpoint.encryptionKey)
)

/**
 * Ends the session: `DELETE /session`, Version 1. A 401 means that it was over already. Here the session ends whatever
 * IG says; any other failure is still reported. Does nothing when signed out.
 *
 * @since 0.1.0
 * @category operations
 */
export const logout: Effect.Effect<void, IgError, Ig> = exchange(Endpoint.logout, ({ current, settle }) =>
  current._tag === "SignedOut" ? Effect.void : Effect.ensuring(Login.end(current), settle(new SignedOut()))
)

/**
 * Logs in now and out when the scope closes, whatever closes it: success, failure, defect or interrupt. Logging out is
 * given `logoutTimeout` of `IgConfig` and never fails the program. Ends the session that descends from this login and
 * no other.
 *
 * @since 0.1.0
 * @category operations
 */
export const scoped = <A, E, R>(login: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Ig | Scope.Scope> =>
  Effect.gen(function* () {
    const owner: Login.Owner = { login: undefined, isGone: false }
    yield* Effect.addFinalizer(() => endOwned(owner))
    return yield* Effect.provideService(login, Login.LoginOwner, owner)
  })

const endOwned = (owner: Login.Owner): Effect.Effect<void, never, Ig> =>
  Effect.gen(function* () {
    owner.isGone = true
    if (owner.login === undefined) return
    const { logoutTimeout } = yield* IgConfig
    const ending = exchange(Endpoint.logout, ({ current, login, settle }) =>
      current._tag === "SignedOut" || login !== owner.login
        ? Effect.void
        : Effect.ensuring(Login.hurried(Login.end(current)), settle(new SignedOut()))
    )
    yield* ending.pipe(
      Effect.interruptible,
      Effect.timeoutFail({ duration: logoutTimeout, onTimeout: () => "there was no time left to log out" }),
      Effect.ignoreLogged
    )
  })
