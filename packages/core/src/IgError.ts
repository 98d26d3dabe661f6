/**
 * The five ways an operation of this library can fail, and their union.
 *
 * | Tag | Means |
 * |---|---|
 * | `ApiError` | IG answered, and not with 2xx |
 * | `AuthError` | we cannot authenticate, without or before an answer that says so |
 * | `NotSentError` | we refused; nothing was executed, so repeating is always safe |
 * | `TransportError` | no usable answer came |
 * | `DecodeError` | a 2xx answer that is not what it should be |
 *
 * None of them ever holds a secret, a request, a response or a value that did not decode.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * What to do about an answer of IG's that is not 2xx.
 *
 * - `renew`: the tokens are dead or of another account; refresh, or log in again, then repeat
 * - `wait`: an allowance is spent; nothing was executed
 * - `fix`: the call is wrong; repeating it as it is will fail again
 * - `human`: somebody has to act on IG's web platform or call IG
 * - `query`: the outcome is unknown; ask for it before acting again
 * - `retry`: the same request may be sent again after a pause
 *
 * @since 0.1.0
 * @category models
 */
export const Action = Schema.Literal("renew", "wait", "fix", "human", "query", "retry")

/**
 * @since 0.1.0
 * @category models
 */
export type Action = typeof Action.Type

/** An open set of server texts must not make a log line of a megabyte. */
const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

const sentence = (operation: string, parts: ReadonlyArray<string | undefined>): string =>
  `${operation}: ${parts.filter((part) => part !== undefined).join(" ")}`

const soon = (millis: number | undefined): string | undefined =>
  millis === undefined ? undefined : `Try again in ${Math.ceil(millis / 1000)} s.`

/**
 * IG answered, and not with 2xx. A rejected login is one of these.
 *
 * `errorCode` is IG's own and passes through untouched, known or not; it is absent when the answer had none (an empty
 * 405, a plain-text 403). `requestId` is the answer's `X-REQUEST-ID`, which IG's support asks for. `retryAfter` is in how
 * many ms the week's price points come back, where those are spent and `Throttle` is on.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApiError extends Schema.TaggedError<ApiError>("@effect-ig/core/ApiError")("ApiError", {
  operation: Schema.String,
  status: Schema.Int,
  errorCode: Schema.optional(Schema.String),
  requestId: Schema.optional(Schema.String),
  action: Action,
  hint: Schema.optional(Schema.String),
  retryAfter: Schema.optional(Schema.Number)
}) {
  override get message(): string {
    const code = this.errorCode === undefined ? "without an error code" : shorten(this.errorCode)
    return sentence(this.operation, [
      `IG answered ${this.status} ${code} (${this.action})`,
      this.hint && `– ${this.hint}`,
      soon(this.retryAfter)
    ])
  }
}

/** What `AuthError` looks like as JSON; written out, since its causes may be `AuthError`s. */
interface AuthErrorEncoded {
  readonly _tag: "AuthError"
  readonly operation: string
  readonly reason: keyof typeof authReasons
  readonly paths?: ReadonlyArray<string> | undefined
  readonly detail?: string | undefined
  readonly causes?: ReadonlyArray<IgErrorEncoded> | undefined
  readonly retryAt?: number | undefined
}

type IgErrorEncoded =
  | typeof ApiError.Encoded
  | AuthErrorEncoded
  | typeof NotSentError.Encoded
  | typeof TransportError.Encoded
  | typeof DecodeError.Encoded

const authReasons = {
  "not-signed-in": "There is no session; log in first.",
  "no-refresh-token":
    "Only an OAuth session (Session.login) whose refresh token was not sent before can be refreshed; log in again instead.",
  "tokens-missing": "IG's answer did not carry the tokens that it should.",
  "no-streaming-tokens": "This session has no streaming tokens yet; Session.read({ fetchTokens: true }) fetches them.",
  "wrong-account": "IG answered for another account than the one asked for; nothing was changed.",
  "credentials-unavailable": "The identifier and password could not be supplied.",
  "encryption-failed": "The password could not be encrypted, and was not sent.",
  "session-lost": "The session is dead and could not be brought back.",
  "no-login-kept": "The session was not logged in here, so there is nothing to log in again with; log in.",
  "account-unavailable": "No session of its own could be had for that account; nothing was changed.",
  closed: "The session's layer is closed."
} as const

const when = (millis: number): string =>
  Option.match(DateTime.make(millis), { onNone: () => "later", onSome: (time) => `after ${DateTime.formatIso(time)}` })

const authReason = Schema.Literal(
  "not-signed-in",
  "no-refresh-token",
  "tokens-missing",
  "no-streaming-tokens",
  "wrong-account",
  "credentials-unavailable",
  "encryption-failed",
  "session-lost",
  "no-login-kept",
  "account-unavailable",
  "closed"
)

/**
 * We cannot authenticate, without or before an answer of IG's that says so. `paths` names the parts of an answer that
 * were missing, never their values; `detail` says more where the reason alone does not. A `session-lost` has in `causes`
 * what was tried to bring the session back and how each failed, and in `retryAt`, in ms since the epoch, when it will be
 * tried again, if that is not at the next call.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthError extends Schema.TaggedError<AuthError>("@effect-ig/core/AuthError")("AuthError", {
  operation: Schema.String,
  reason: authReason,
  paths: Schema.optional(Schema.Array(Schema.String)),
  detail: Schema.optional(Schema.String),
  causes: Schema.optional(Schema.Array(Schema.suspend((): Schema.Schema<IgError, IgErrorEncoded> => anyIgError))),
  retryAt: Schema.optional(Schema.Number)
}) {
  override get message(): string {
    return sentence(this.operation, [
      this.reason,
      this.paths && `(${this.paths.join(", ")})`,
      `– ${authReasons[this.reason]}`,
      this.detail,
      this.retryAt === undefined ? undefined : `It will be tried again ${when(this.retryAt)}.`,
      ...(this.causes ?? []).map(({ message }) => `[${message}]`)
    ])
  }
}

/**
 * We refused; nothing was executed, so repeating is always safe. `path` is the part of the input to change,
 * `detail` says how. `retryAfter` is in how many ms there would be an allowance for it: a place (`would-wait`), or the
 * week's price points (`budget-exceeded`).
 *
 * @since 0.1.0
 * @category errors
 */
export class NotSentError extends Schema.TaggedError<NotSentError>("@effect-ig/core/NotSentError")("NotSentError", {
  operation: Schema.String,
  reason: Schema.Literal("invalid-request", "not-permitted", "would-wait", "budget-exceeded"),
  path: Schema.optional(Schema.String),
  detail: Schema.String,
  retryAfter: Schema.optional(Schema.Number)
}) {
  override get message(): string {
    const { detail, path, reason, retryAfter } = this
    return sentence(this.operation, [reason, path && `at ${path}`, `– ${detail}`, soon(retryAfter)])
  }
}

const transportReasons = {
  unreachable: "no connection to IG could be made",
  dns: "the host name could not be resolved",
  tls: "no secure connection could be agreed on",
  "connection-lost": "the connection was lost before an answer came",
  timeout: "no complete answer came in time",
  "body-cut": "the answer ended in the middle",
  "body-too-large": "the answer is larger than 10 MB",
  "bad-encoding": "the answer could not be unpacked",
  repeated: "the HttpClient tried to send a request a second time that must leave at most once"
} as const

/**
 * No usable answer came. `mayHaveExecuted` is `false` only when no byte of the request can have left this machine;
 * otherwise IG may have done what it was asked, so ask before you repeat a mutation.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>("@effect-ig/core/TransportError")(
  "TransportError",
  {
    operation: Schema.String,
    reason: Schema.Literal(
      "unreachable",
      "dns",
      "tls",
      "connection-lost",
      "timeout",
      "body-cut",
      "body-too-large",
      "bad-encoding",
      "repeated"
    ),
    mayHaveExecuted: Schema.Boolean
  }
) {
  override get message(): string {
    const outcome = this.mayHaveExecuted ? "IG may have executed the request" : "nothing was sent"
    return sentence(this.operation, [this.reason, `– ${transportReasons[this.reason]};`, outcome])
  }
}

/**
 * A 2xx answer that is not what it should be. `paths` are the places that failed, as in `oauthToken.expires_in` or
 * `headers.cst`; what stood there is never kept.
 *
 * @since 0.1.0
 * @category errors
 */
export class DecodeError extends Schema.TaggedError<DecodeError>("@effect-ig/core/DecodeError")("DecodeError", {
  operation: Schema.String,
  paths: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return sentence(this.operation, [`the answer is not as expected at ${shorten(this.paths.join(", "))}`])
  }
}

/**
 * Every failure of this library.
 *
 * @since 0.1.0
 * @category errors
 */
export type IgError = ApiError | AuthError | NotSentError | TransportError | DecodeError

const anyIgError = Schema.Union(ApiError, AuthError, NotSentError, TransportError, DecodeError)

/** Codes that speak of who we are, at whatever status. A 5xx says that IG could not tell. */
const aboutUs = [
  "error.security.",
  "error.public-api.failure.",
  "error.client.account.",
  "service.security.",
  "authentication.failure.",
  "unauthorised.api-key.",
  "unauthorised.clientId.",
  "endpoint.unavailable.for.api-key"
]

const isAboutUs = ({ errorCode, status }: ApiError): boolean =>
  status === 401 || (status < 500 && aboutUs.some((prefix) => errorCode?.startsWith(prefix) === true))

/**
 * Is this about who we are: a missing or dead session, refused credentials, a refused API key, an account that may not
 * trade?
 *
 * @since 0.1.0
 * @category predicates
 */
export const isAuth = (error: IgError): boolean =>
  error._tag === "AuthError" || (error._tag === "ApiError" && isAboutUs(error))

/**
 * Was it refused because an allowance is spent? IG says so with 403 and one of four codes, never with 429, and `Throttle`
 * with `would-wait` or `budget-exceeded`; nothing was executed.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRateLimited = (error: IgError): boolean => {
  switch (error._tag) {
    case "ApiError":
      return error.action === "wait"
    case "NotSentError":
      return error.reason === "would-wait" || error.reason === "budget-exceeded"
    case "AuthError":
    case "TransportError":
    case "DecodeError":
      return false
  }
}

/**
 * May the very same call succeed later, without anybody changing anything? Says nothing about whether repeating it is
 * safe: for a mutation look at `action` and `mayHaveExecuted`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isTransient = (error: IgError): boolean => {
  switch (error._tag) {
    case "ApiError":
      return error.action === "wait" || error.action === "retry" || error.action === "query"
    case "TransportError":
      return error.reason !== "tls" && error.reason !== "repeated"
    case "AuthError":
      return error.retryAt !== undefined || (error.causes?.slice(-1).some(isTransient) ?? false)
    case "NotSentError":
      return isRateLimited(error)
    case "DecodeError":
      return false
  }
}
