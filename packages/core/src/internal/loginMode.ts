/** The four ways to log in, and how they differ: `session.md` §2, §3, §10. */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../Credentials.ts"
import type { Description } from "../Endpoint.ts"
import { IgConfig } from "../IgConfig.ts"
import { ApiError, AuthError, type DecodeError, type IgError, NotSentError } from "../IgError.ts"
import type { PasswordCipher } from "../PasswordCipher.ts"
import { OAuthSession, type SignedIn, TokenSession } from "../SessionState.ts"
import { type Moved, moveOAuthSession, moveTokenSession, type Target } from "./account.ts"
import * as Endpoint from "./endpoints.ts"
import { isIdentifier, isPlainPassword } from "./identifiers.ts"
import { type Answer, decode, send, type SendError } from "./send.ts"
import { bearer, bothTokens } from "./tokens.ts"

type Wire = IgConfig | HttpClient.HttpClient

export interface LoginMode<S extends SignedIn> {
  readonly endpoint: Description
  /** Of IG, for a password to be encrypted with. */
  readonly asksForKey: boolean
  /** Was this session opened in this way? */
  readonly isOf: (session: SignedIn) => session is S
  /** What is posted; fails before anything is sent when the credentials cannot be right. */
  readonly body: (values: Credentials.Values) => Effect.Effect<unknown, IgError, Wire>
  readonly toSession: (answer: Answer) => Effect.Effect<S, AuthError | DecodeError>
  readonly move: (session: S, target: Target) => Effect.Effect<Moved<S>, SendError | AuthError | DecodeError, Wire>
  readonly explain: (error: IgError) => IgError
}

type Body = (operation: string) => LoginMode<SignedIn>["body"]

const refuse = (operation: string, path: string, detail: string) =>
  Effect.fail(new NotSentError({ operation, reason: "invalid-request", path, detail }))

const checkIdentifier = (operation: string, identifier: string) =>
  isIdentifier(identifier)
    ? Effect.void
    : refuse(operation, "identifier", "Expected the user name, not an e-mail: 1 to 30 letters, digits, - and _.")

const plain: Body =
  (operation) =>
  ({ identifier, password }) =>
    Effect.gen(function* () {
      yield* checkIdentifier(operation, identifier)
      if (!isPlainPassword(Redacted.value(password))) {
        return yield* refuse(operation, "password", "Expected 1 to 350 characters without line breaks.")
      }
      return { identifier, password: Redacted.value(password) }
    })

const notEncrypted = (operation: string, detail: string, paths?: ReadonlyArray<string>) =>
  new AuthError({ operation, reason: "encryption-failed", detail, paths })

/** A key for each login: how old its timestamp may be is not known. */
const encrypted =
  (cipher: PasswordCipher.Service): Body =>
  (operation) =>
  ({ identifier, password }) =>
    Effect.gen(function* () {
      yield* checkIdentifier(operation, identifier)
      if (Redacted.value(password) === "") return yield* refuse(operation, "password", "Expected 1 character or more.")
      const key = yield* decode(Endpoint.encryptionKey, yield* send(Endpoint.encryptionKey)).pipe(
        Effect.mapError(({ paths }) => notEncrypted(operation, "IG's answer holds no key that could be used.", paths))
      )
      const { requestTimeout } = yield* IgConfig
      // The cipher is the user's: one that hangs must not hold up every other exchange.
      const sealed = yield* cipher.encrypt({ ...key, password }).pipe(
        Effect.timeoutFail({
          duration: requestTimeout,
          onTimeout: () => notEncrypted(operation, "The cipher did not answer in time.")
        })
      )
      return { identifier, password: Redacted.value(sealed), encryptedPassword: true }
    })

const oauthMode = (
  endpoint: typeof Endpoint.loginV3,
  loggedInBy: OAuthSession["loggedInBy"],
  body: Body,
  explain: (error: IgError) => IgError
): LoginMode<OAuthSession> => ({
  endpoint,
  asksForKey: loggedInBy === "loginWithEncryption",
  isOf: (session): session is OAuthSession => session.loggedInBy === loggedInBy,
  body: body(endpoint.name),
  toSession: (answer) =>
    Effect.map(
      decode(endpoint, answer),
      ({ accountId, clientId, lightstreamerEndpoint, oauthToken }) =>
        new OAuthSession({
          accountId,
          clientId,
          lightstreamerEndpoint: Option.fromNullable(lightstreamerEndpoint),
          loggedInBy,
          ...bearer(oauthToken, answer),
          streamingTokens: Option.none(),
          switchesByHeader: false
        })
    ),
  move: moveOAuthSession,
  explain
})

const tokenMode = (
  endpoint: typeof Endpoint.loginV2,
  loggedInBy: TokenSession["loggedInBy"],
  body: Body
): LoginMode<TokenSession> => ({
  endpoint,
  asksForKey: loggedInBy === "loginV2WithEncryption",
  isOf: (session): session is TokenSession => session.loggedInBy === loggedInBy,
  body: body(endpoint.name),
  toSession: (answer) =>
    Effect.gen(function* () {
      const both = yield* bothTokens(endpoint.name, answer)
      const login = yield* decode(endpoint, answer)
      if (login.reroutingEnvironment !== undefined) {
        yield* Effect.logWarning("IG says that this client belongs to another environment (reroutingEnvironment)")
      }
      return new TokenSession({
        accountId: login.currentAccountId,
        clientId: login.clientId,
        lightstreamerEndpoint: Option.fromNullable(login.lightstreamerEndpoint),
        loggedInBy,
        ...both
      })
    }),
  move: moveTokenSession,
  explain: identity
})

/** IG documents no encryption under Version 3, and was seen to refuse it as if the password were wrong. */
const orUseVersion2 = (error: IgError): IgError =>
  error._tag === "ApiError" && error.errorCode === "error.security.invalid-details"
    ? new ApiError({
        ...error,
        hint: "IG may not take an encrypted password under Version 3: use Session.loginV2WithEncryption. Else the identifier or password is wrong."
      })
    : error

export const oauth: LoginMode<OAuthSession> = oauthMode(Endpoint.loginV3, "login", plain, identity)

export const tokens: LoginMode<TokenSession> = tokenMode(Endpoint.loginV2, "loginV2", plain)

export const oauthEncrypted = (cipher: PasswordCipher.Service): LoginMode<OAuthSession> =>
  oauthMode(Endpoint.loginV3Encrypted, "loginWithEncryption", encrypted(cipher), orUseVersion2)

export const tokensEncrypted = (cipher: PasswordCipher.Service): LoginMode<TokenSession> =>
  tokenMode(Endpoint.loginV2Encrypted, "loginV2WithEncryption", encrypted(cipher))
