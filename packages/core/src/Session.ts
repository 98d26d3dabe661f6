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
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Credentials } from "./Credentials.ts"
import type { IgConfig } from "./IgConfig.ts"
import {
  type ApiError,
  AuthError,
  type DecodeError,
  type IgError,
  NotSentError,
  type TransportError
} from "./IgError.ts"
import * as Account from "./internal/account.ts"
import * as Call from "./internal/call.ts"
import * as Endpoint from "./internal/endpoints.ts"
import { tell } from "./internal/events.ts"
import { isAccountId } from "./internal/identifiers.ts"
import * as Login from "./internal/login.ts"
import * as LoginMode from "./internal/loginMode.ts"
import * as Logout from "./internal/logout.ts"
import { refreshOnce, told } from "./internal/ladder.ts"
import { renew } from "./internal/renewal.ts"
import * as Resume from "./internal/resume.ts"
import { Resuming } from "./internal/resuming.ts"
import { decode } from "./internal/send.ts"
import { inOperation, inSpan } from "./internal/span.ts"
import { endSiblings } from "./internal/slot.ts"
import { bothTokens, isSpent, keyOf, signedIn } from "./internal/tokens.ts"
import type * as Wire from "./internal/wire.ts"
import { PasswordCipher } from "./PasswordCipher.ts"
import { Renewal } from "./Renewal.ts"
import { SessionEvent } from "./SessionEvent.ts"
import {
  OAuthSession,
  type Session,
  SessionState,
  type SignedIn,
  StreamingTokens,
  TokenSession
} from "./SessionState.ts"
import { SessionStore } from "./SessionStore.ts"

export type { AccountSwitch } from "./internal/account.ts"

/**
 * What every operation needs: the session, which gateway to talk to, and a client to talk with.
 *
 * @since 0.1.0
 * @category models
 */
export type Ig = SessionState | IgConfig | HttpClient.HttpClient

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
  inOperation(Endpoint.loginV3)
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
  inOperation(Endpoint.loginV2)
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
    inOperation(Endpoint.loginV3Encrypted)
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
    inOperation(Endpoint.loginV2Encrypted)
  )

/**
 * Renews an OAuth session now: `POST /session/refresh-token`, Version 1. IG gives a new bearer and a new refresh token,
 * and the old one is spent. Also works when the bearer is dead already, for about 10 minutes.
 *
 * Calls renew the session by themselves, so this is seldom needed. It joins a renewal under way, and goes as far as that
 * does: where the refresh token is dead, to logging in again. With `Renewal.off` it refreshes and does nothing else, and
 * a refresh token that was sent in vain is not sent again: `AuthError` `no-refresh-token`.
 *
 * @since 0.1.0
 * @category operations
 */
export const refresh: Effect.Effect<OAuthSession, IgError, Ig> = Effect.gen(function* () {
  const internals = (yield* SessionState).internals()
  const session = yield* oauthSession(internals.main.exchanges.current())
  const renewed = (yield* Renewal).isOn
    ? yield* renew(internals, internals.main, session, "asked")
    : yield* internals.main.exchanges.run(Endpoint.refresh.name, (turn) =>
        oauthSession(turn.current).pipe(
          Effect.filterOrFail((current) => !isSpent(internals.main, current), noRefreshToken),
          Effect.flatMap((current) => refreshOnce(internals, internals.main, turn, current)),
          Effect.tap((renewed) => told(internals, "asked", "refresh", renewed))
        )
      )
  return yield* oauthSession(renewed)
}).pipe(inOperation(Endpoint.refresh))

const noRefreshToken = () => new AuthError({ operation: Endpoint.refresh.name, reason: "no-refresh-token" })

const oauthSession = (current: Session): Effect.Effect<OAuthSession, AuthError> =>
  Effect.filterOrFail(
    signedIn(Endpoint.refresh.name, current),
    (session) => session._tag === "OAuthSession",
    noRefreshToken
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

const readOnly: Effect.Effect<SessionDetails, IgError, Ig> = Effect.flatMap(
  Endpoint.read.encode(undefined),
  (request) => Call.call(Endpoint.read, request)
)

const readWithTokens: Effect.Effect<SessionDetails, IgError, Ig> = Call.exchangeIn(Endpoint.read, (live, { settle }) =>
  Effect.gen(function* () {
    const { session } = live
    const answer = yield* Call.sendIn(live, Endpoint.read, { query: { fetchSessionTokens: "true" } })
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
): Effect.Effect<Account.AccountSwitch, IgError, Ig> =>
  isAccountId(accountId)
    ? Call.exchangeIn(Endpoint.switchAccount, ({ internals, session }, { settle }) =>
        Effect.gen(function* () {
          const target = { accountId, defaultAccount: options?.defaultAccount ?? false }
          const moved = yield* Effect.mapError(Account.moveTo(session, target), Call.refusedSwitch(session))
          yield* settle(moved.session)
          yield* tell(internals, (at) => SessionEvent.Switched({ at, accountId }))
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
 * What IG answers for the encryption of a password: the public key and its own clock.
 *
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
> = Effect.flatMap(Endpoint.encryptionKey.encode(undefined), (request) => Call.bare(Endpoint.encryptionKey, request))

/**
 * Ends the session, and those that `withAccount` opened: `DELETE /session`, Version 1. A 401 means that it was over
 * already. Here the session ends whatever IG says; any other failure is still reported. Does nothing when signed out.
 *
 * @since 0.1.0
 * @category operations
 */
export const logout: Effect.Effect<void, IgError, Ig> = Call.exchange(Endpoint.logout, (turn, internals) =>
  Effect.ensuring(Logout.endIn(internals, internals.main, turn), endSiblings(internals))
).pipe(inOperation(Endpoint.logout))

/**
 * Logs in now and out when the scope closes, whatever closes it: success, failure, defect or interrupt; or when the
 * session's layer does, if that comes first. Logging out is given `logoutTimeout` of `IgConfig` and never fails the
 * program. Ends the session that descends from this login and no other.
 *
 * @since 0.1.0
 * @category operations
 */
export const scoped = <A, E, R>(login: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Ig | Scope.Scope> =>
  Effect.gen(function* () {
    return yield* Effect.provideService(login, Login.LoginOwner, yield* Login.makeOwner)
  })

/**
 * Takes up the session that is stored, without credentials: when its bearer lives, by `GET /session`, Version 1; when
 * that has died or soon will, by a refresh. Keeps every change of the session stored, and leaves it to the next run, not
 * logged out, when the scope closes; a logout removes what is stored.
 *
 * Nothing can log in again for it. Fails with `AuthError` `not-signed-in` when nothing usable is stored, and with
 * `session-lost` when IG does not take it any more.
 *
 * @since 0.1.0
 * @category operations
 */
export const resume: Effect.Effect<SignedIn, IgError, Ig | SessionStore | Scope.Scope> = Effect.zipRight(
  Resume.keep,
  Resume.withoutLogin
).pipe((self) => inSpan(`Ig.${Resume.operation}`, {}, () => self))

/**
 * Takes up the session that is stored, else logs in. With credentials at hand a session of another identifier is not
 * taken up, and one that IG does not take any more is followed by a login. Like a login it is complete when the account of
 * `IgConfig` is active, if there is one; else it is on the account that it was on.
 *
 * Keeps every change of the session stored, and leaves it to the next run, not logged out, when the scope closes; a
 * logout removes what is stored.
 *
 * @since 0.1.0
 * @category operations
 */
export const resumed = <A, E, R>(
  login: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Ig | SessionStore | Scope.Scope> =>
  Effect.gen(function* () {
    const owner: Login.Owner = { login: undefined, isGone: false }
    yield* Resume.keep
    // A login that nobody waits for any more is logged out, and nothing of it stored.
    yield* Effect.addFinalizer(() => Effect.sync(() => void (owner.isGone = true)))
    return yield* login.pipe(
      Effect.provideService(Login.LoginOwner, owner),
      Effect.provideService(Resuming, Resume.insteadOfLogin(yield* SessionStore))
    )
  })

/**
 * What a health check wants to know. `expiresAt` is when the bearer dies, in ms since the epoch; CST has no known end.
 * `isLost` says that IG has refused the session and that it could not be brought back, so far.
 *
 * @since 0.1.0
 * @category models
 */
export type Status = Data.TaggedEnum<{
  SignedOut: {}
  SignedIn: {
    readonly accountId: string
    readonly clientId: string
    readonly loggedInBy: SignedIn["loggedInBy"]
    readonly expiresAt: Option.Option<number>
    readonly isRenewing: boolean
    readonly isLost: boolean
  }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Status: Data.TaggedEnum.Constructor<Status> = Data.taggedEnum<Status>()

/**
 * How the session is now, without asking IG.
 *
 * @since 0.1.0
 * @category accessors
 */
export const status: Effect.Effect<Status, never, SessionState> = Effect.map(SessionState, ({ internals }) => {
  const { dead, exchanges, flight } = internals().main
  const session = exchanges.current()
  if (session._tag === "SignedOut") return Status.SignedOut()
  const { accountId, clientId, loggedInBy } = session
  return Status.SignedIn({
    accountId,
    clientId,
    loggedInBy,
    expiresAt: session._tag === "OAuthSession" ? Option.some(session.expiresAt) : Option.none(),
    isRenewing: flight !== undefined,
    isLost: dead === keyOf(session)
  })
})

/**
 * What happens to the session from now on, until its layer closes. Who falls more than 1,000 events behind misses the
 * oldest.
 *
 * @since 0.1.0
 * @category accessors
 */
export const events: Stream.Stream<SessionEvent, never, SessionState> = Stream.unwrap(
  Effect.map(SessionState, ({ internals }) => Stream.fromPubSub(internals().events))
)
