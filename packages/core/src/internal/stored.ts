/** What is stored of a session, and which of it may be believed here. */
import { sha256 } from "@noble/hashes/sha2"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { IgConfig } from "../IgConfig.ts"
import { SignedIn, TokenSession } from "../SessionState.ts"
import type { Who } from "./exchanges.ts"
import { isAccountId } from "./identifiers.ts"
import { carry } from "./tokens.ts"

/** Of the format. One for each change of what is stored, of the classes of sessions, too. */
const version = 1

/* ---- fingerprints: to be compared, never read -------------------------------------- */

const Fingerprint = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{16}\.[0-9a-f]{64}$/))

const fingerprint = (salt: string, value: string): string =>
  `${salt}.${Encoding.encodeHex(sha256(new TextEncoder().encode(`${salt}.${value}`)))}`

const isOf = (print: string, value: string): boolean => print === fingerprint(print.slice(0, print.indexOf(".")), value)

/* ---- the format ---------------------------------------------------------------------- */

/** A token that no header could hold would fail each request instead of being refused. */
const isSendable = (session: SignedIn): boolean =>
  isAccountId(session.accountId) &&
  Object.values(carry(session).headers).every((value) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value))

const Format = Schema.parseJson(
  Schema.Struct({
    version: Schema.Literal(version),
    baseUrl: Schema.String,
    apiKey: Fingerprint,
    /** Not known of a session that was not logged in here. */
    identifier: Schema.NullOr(Fingerprint),
    session: SignedIn.pipe(Schema.filter(isSendable)),
    /** Its refresh token was sent once; IG takes none twice. */
    isSpent: Schema.Boolean,
    /** Of other accounts under CST. */
    siblings: Schema.Array(TokenSession.pipe(Schema.filter(isSendable)))
  })
)

const Version = Schema.parseJson(Schema.Struct({ version: Schema.Int.pipe(Schema.between(0, 9_999)) }))

/** A session with all that belongs to it. */
export interface Whole {
  readonly session: SignedIn
  readonly who: Who
  readonly isSpent: boolean
  readonly siblings: ReadonlyArray<TokenSession>
}

/** A whole that was stored, and whether it is this user's. */
export interface Stored extends Whole {
  readonly isOf: (identifier: string) => boolean
}

export const encode = (
  { apiKey, baseUrl }: IgConfig.Service,
  salt: string,
  { isSpent, session, siblings, who }: Whole
): Effect.Effect<Redacted.Redacted> =>
  Schema.encode(Format)({
    version,
    baseUrl,
    apiKey: fingerprint(salt, Redacted.value(apiKey)),
    identifier: "identifier" in who ? fingerprint(salt, who.identifier) : who.fingerprint,
    session,
    isSpent,
    siblings
  }).pipe(Effect.map(Redacted.make), Effect.orDie)

/** What is wrong is said without a word of what stands there. */
const unreadable = (text: string): string =>
  Option.match(Schema.decodeUnknownOption(Version)(text), {
    onNone: () => "it cannot be read: it is damaged, or something else",
    onSome: ({ version: other }) =>
      other === version
        ? "it cannot be read: it is damaged"
        : `it is in version ${other} of the format, and this release reads version ${version}`
  })

/** The session that is stored in this text, or why it is none for us. */
export const decode = ({ apiKey, baseUrl }: IgConfig.Service, text: Redacted.Redacted): Either.Either<Stored, string> =>
  Option.match(Schema.decodeUnknownOption(Format)(Redacted.value(text)), {
    onNone: () => Either.left(unreadable(Redacted.value(text))),
    onSome: (stored) => {
      if (stored.baseUrl !== baseUrl) return Either.left("it is of another environment")
      if (!isOf(stored.apiKey, Redacted.value(apiKey))) return Either.left("it is of another API key")
      const { identifier, isSpent, session, siblings } = stored
      return Either.right({
        session,
        who: { fingerprint: identifier },
        isSpent,
        siblings,
        isOf: (other) => identifier !== null && isOf(identifier, other)
      })
    }
  })
