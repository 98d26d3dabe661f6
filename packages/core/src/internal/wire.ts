/**
 * The shapes on the wire, as schemas. Nothing outside `internal/` sees snake_case. Strict in what the session is built
 * from, lenient in what only informs; unknown fields are ignored.
 */
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** What goes into a header again must be what a header can hold: printable ASCII, one character at least. */
const headerText = Schema.String.pipe(Schema.pattern(/^[\x21-\x7e]+$/))

const Token = Schema.Redacted(headerText)

const textFromNumber = Schema.transform(Schema.Finite, Schema.String, {
  strict: true,
  decode: String,
  encode: Number
})

const Id = Schema.Union(headerText, textFromNumber)

export const LenientNumber = Schema.Union(Schema.Finite, Schema.NumberFromString.pipe(Schema.finite()))

/** IG documents no null here, yet a login must not fail for want of it; an empty text is as good as none. */
const Informative = Schema.optionalToOptional(
  Schema.NullOr(Schema.Union(Schema.String, textFromNumber)),
  Schema.NonEmptyString,
  { decode: Option.filter((text): text is string => text !== null && text !== ""), encode: identity }
)

const day = 86_400

/**
 * Seconds; IG sends a string, and a number will do. What is no number or not above zero is refused, and so is null:
 * a `DecodeError` at `oauthToken.expires_in`. No more than a day is believed.
 */
const Lifetime = Schema.transform(LenientNumber.pipe(Schema.positive()), Schema.Number, {
  strict: true,
  decode: (seconds) => Math.min(seconds, day),
  encode: (seconds) => seconds
})

/** `session.md` §7: the top level of a refresh, and `oauthToken` of a Version 3 login. */
export const OAuthToken = Schema.Struct({
  accessToken: Schema.propertySignature(Token).pipe(Schema.fromKey("access_token")),
  refreshToken: Schema.propertySignature(Token).pipe(Schema.fromKey("refresh_token")),
  expiresIn: Schema.propertySignature(Lifetime).pipe(Schema.fromKey("expires_in"))
})

export type OAuthToken = typeof OAuthToken.Type

/** `session.md` §3. */
export const LoginV3 = Schema.Struct({
  clientId: Id,
  accountId: Id,
  lightstreamerEndpoint: Informative,
  oauthToken: OAuthToken
})

/** `session.md` §2; the tokens are in the headers. */
export const LoginV2 = Schema.Struct({
  clientId: Id,
  currentAccountId: Id,
  lightstreamerEndpoint: Informative,
  reroutingEnvironment: Informative
})

/** `session.md` §4. */
export const SessionDetails = Schema.Struct({
  clientId: Id,
  accountId: Id,
  lightstreamerEndpoint: Informative,
  timezoneOffset: Schema.optionalWith(LenientNumber, { nullable: true }),
  locale: Informative,
  currency: Informative
})

const flag = Schema.optionalWith(Schema.Boolean, { nullable: true })

/** `session.md` §5. */
export const AccountSwitch = Schema.Struct({
  trailingStopsEnabled: flag,
  dealingEnabled: flag,
  hasActiveDemoAccounts: flag,
  hasActiveLiveAccounts: flag
})

/** `session.md` §8: base64 of an X.509 SubjectPublicKeyInfo, and IG's clock in ms since the epoch, a number or a text. */
export const EncryptionKey = Schema.Struct({
  encryptionKey: Schema.NonEmptyString,
  timeStamp: LenientNumber
})
