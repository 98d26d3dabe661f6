/**
 * The current session, and the service that holds it. Outside this package the state can be read, not written: only the
 * operations of `Session` write it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { AuthError } from "./IgError.ts"
import { closeInternals, type Internals, makeInternals } from "./internal/slot.ts"

const Secret = Schema.Redacted(Schema.NonEmptyString)

/**
 * What Lightstreamer takes, and nothing else: it knows no bearer.
 *
 * @since 0.1.0
 * @category models
 */
export class StreamingTokens extends Schema.Class<StreamingTokens>("@effect-ig/core/StreamingTokens")({
  cst: Secret,
  securityToken: Secret
}) {}

/**
 * No session: before the first login, and after a logout.
 *
 * @since 0.1.0
 * @category models
 */
export class SignedOut extends Schema.TaggedClass<SignedOut>("@effect-ig/core/SignedOut")("SignedOut", {}) {}

const signedIn = {
  /** The account that calls of this session act on. */
  accountId: Schema.NonEmptyString,
  clientId: Schema.NonEmptyString,
  lightstreamerEndpoint: Schema.Option(Schema.NonEmptyString)
}

/**
 * A session by CST and X-SECURITY-TOKEN, from a Version 2 login. The tokens live 6 hours, and up to 72 while used; they
 * are what Lightstreamer takes, too.
 *
 * @since 0.1.0
 * @category models
 */
export class TokenSession extends Schema.TaggedClass<TokenSession>("@effect-ig/core/TokenSession")("TokenSession", {
  ...signedIn,
  /** Whatever logs in again for this session does it the same way. */
  loggedInBy: Schema.Literal("loginV2", "loginV2WithEncryption"),
  cst: Secret,
  securityToken: Secret
}) {}

/**
 * A session by OAuth bearer, from a Version 3 login. The bearer lives about 60 seconds, the refresh token some 10
 * minutes longer.
 *
 * @since 0.1.0
 * @category models
 */
export class OAuthSession extends Schema.TaggedClass<OAuthSession>("@effect-ig/core/OAuthSession")("OAuthSession", {
  ...signedIn,
  /** Whatever logs in again for this session does it the same way. */
  loggedInBy: Schema.Literal("login", "loginWithEncryption"),
  accessToken: Secret,
  refreshToken: Secret,
  /** When the bearer was asked for, in ms since the epoch. */
  issuedAt: Schema.Number,
  /** When the bearer dies, in ms since the epoch by Effect's `Clock`; counted from before the request was sent. */
  expiresAt: Schema.Number,
  /** Beside the bearer, never instead of it; gone after a switch of the account. */
  streamingTokens: Schema.Option(StreamingTokens),
  /** IG has refused `PUT /session` under this bearer, so the account is chosen by the `IG-ACCOUNT-ID` header alone. */
  switchesByHeader: Schema.Boolean
}) {}

/**
 * A session of either kind of token.
 *
 * @since 0.1.0
 * @category models
 */
export const SignedIn = Schema.Union(TokenSession, OAuthSession)

/**
 * @since 0.1.0
 * @category models
 */
export type SignedIn = TokenSession | OAuthSession

/**
 * Everything that a session can be; tell them apart by `_tag`.
 *
 * @since 0.1.0
 * @category models
 */
export type Session = SignedOut | SignedIn

/**
 * Holds the session that all calls share. It can be read here, and is written by the operations of `Session` alone.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionState extends Context.Tag("@effect-ig/core/SessionState")<SessionState, SessionState.Service>() {}

/**
 * @since 0.1.0
 */
export declare namespace SessionState {
  /**
   * Made by the layers of this module only.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Service {
    readonly get: Effect.Effect<Session>
    readonly changes: Stream.Stream<Session>
    /**
     * Not the thing itself: it tells tokens from each other by what they are, and who prints this must not see them.
     *
     * @internal
     */
    readonly internals: () => Internals
  }
}

const make = (initial: Session) =>
  Effect.gen(function* () {
    const internals = yield* makeInternals(initial)
    yield* Effect.addFinalizer(() => closeInternals(internals))
    const { session } = internals.main.exchanges
    return { get: SubscriptionRef.get(session), changes: session.changes, internals: () => internals }
  })

/**
 * Starts signed out. Closing it waits for an exchange with IG that is under way, so that no token is lost.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<SessionState> = Layer.scoped(SessionState, make(new SignedOut()))

/**
 * Starts signed in, without a login: for tests with an `HttpClient` of their own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (session: SignedIn): Layer.Layer<SessionState> => Layer.scoped(SessionState, make(session))

/**
 * The session as it is now.
 *
 * @since 0.1.0
 * @category accessors
 */
export const get: Effect.Effect<Session, never, SessionState> = Effect.flatMap(SessionState, (state) => state.get)

/**
 * The session as it is now, and each one after it.
 *
 * @since 0.1.0
 * @category accessors
 */
export const changes: Stream.Stream<Session, never, SessionState> = Stream.unwrap(
  Effect.map(SessionState, (state) => state.changes)
)

/**
 * What Lightstreamer needs. Under OAuth `Session.read({ fetchTokens: true })` has to fetch it first.
 *
 * @since 0.1.0
 * @category accessors
 */
export const streamingTokens: Effect.Effect<StreamingTokens, AuthError, SessionState> = Effect.flatMap(
  get,
  (session): Effect.Effect<StreamingTokens, AuthError> => {
    switch (session._tag) {
      case "SignedOut":
        return Effect.fail(new AuthError({ operation: "sessionState.streamingTokens", reason: "not-signed-in" }))
      case "TokenSession":
        return Effect.succeed(new StreamingTokens({ cst: session.cst, securityToken: session.securityToken }))
      case "OAuthSession":
        return Option.match(session.streamingTokens, {
          onNone: () =>
            Effect.fail(new AuthError({ operation: "sessionState.streamingTokens", reason: "no-streaming-tokens" })),
          onSome: Effect.succeed
        })
    }
  }
)
