/**
 * What about IG is uncertain, or differs from client to client, and so can be changed. The defaults are what the sources
 * make most likely.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const duration = Schema.Number.pipe(Schema.nonNegative())

/** `null` is: as many as you like. */
const allowance = Schema.NullOr(Schema.Number.pipe(Schema.nonNegative()))

/**
 * Times are in ms. A schema, since the control endpoint takes them as JSON.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Switches = Schema.Struct({
  /** How long a bearer lives. Measured: 60 seconds. */
  accessTtl: duration,
  /** How long a refresh token lives after its bearer's end. Documented: about 10 minutes. */
  refreshTtl: duration,
  /** How long a refresh token still works after it was used; IG is believed to kill it at once. */
  refreshGrace: duration,
  /** Does a refresh kill the bearer before it, or does that live to its own end? */
  refreshKillsBearer: Schema.Boolean,
  /** How long CST and X-SECURITY-TOKEN live unused. */
  cstIdle: duration,
  /** How long they live at most. */
  cstMax: duration,
  /** `expires_in` is a string on the wire. */
  expiresInAsNumber: Schema.Boolean,
  /** `timeStamp` of the encryption key is a number on the wire. */
  timeStampAsString: Schema.Boolean,
  /** The answer to a switch to the account that is active already: 412 was seen, 400 is documented. */
  sameAccountStatus: Schema.Literal(412, 400),
  /** What `PUT /session` does under a bearer. */
  putUnderBearer: Schema.Literal("refused", "works"),
  /** Does a switch give a new CST, too? */
  switchReissuesCst: Schema.Boolean,
  /** What `GET /session?fetchSessionTokens=true` answers under CST: the pair in use, or a new one. */
  fetchUnderCst: Schema.Literal("same", "renewed"),
  /** Is a Version 2 login answered with the session that is open already, if there is one, or with a new one? */
  loginReusesCst: Schema.Boolean,
  /** A bearer without `IG-ACCOUNT-ID` acts on the preferred account, or is refused. */
  bearerWithoutAccount: Schema.Literal("preferred", "refused"),
  /** Which family counts when a request carries both. */
  bothFamilies: Schema.Literal("bearer", "cst"),
  /** Versions of `POST /session` that are served. */
  loginVersions: Schema.Array(Schema.Int),
  /** Is an encrypted password taken under Version 3? IG was seen to refuse it. */
  encryptedV3: Schema.Boolean,
  /** IG demands encryption of clients in Singapore. */
  encryptionRequired: Schema.Boolean,
  /** How old the timestamp inside an encrypted password may be. */
  encryptionKeyTtl: duration,
  /** RSA modulus in bits; IG's is 2048. */
  encryptionKeyBits: Schema.Literal(1024, 2048, 3072, 4096),
  /** Failed logins after which further ones are answered `too-many-failed-attempts`; 0 for never. */
  failedLoginsBeforeLock: Schema.NonNegativeInt,
  /** Logins are refused until agreements are accepted on the web platform. */
  agreementsPending: Schema.Boolean,
  /** Logins are refused until the client has proved who they are. */
  kycRequired: Schema.Boolean,
  /** A `User-Agent` that holds this text is refused; `null` for none. */
  refusedUserAgent: Schema.NullOr(Schema.NonEmptyString),
  /** IG has been seen to send a token header twice. */
  doubledTokenHeaders: Schema.Boolean,
  /** Logins are answered with tokens that are dead already, as IG's cache was seen to do. */
  deadTokensAtLogin: Schema.Boolean,
  /** When answers are gzipped: if the client offers it, always, or never. */
  gzip: Schema.Literal("offered", "always", "never"),
  /** Are answers marked with `X-REQUEST-ID`? */
  requestId: Schema.Boolean,
  /** How long each answer takes. */
  latency: duration,
  /** Requests a minute of the API key, trades not counted. */
  perKeyNonTrading: allowance,
  /** Requests a minute of an account, trades not counted. */
  perAccountNonTrading: allowance,
  /** Trades a minute of an account. */
  perAccountTrading: allowance,
  /** Price points a week of an account; told by `GET /operations/application` and by each answer of `/prices`. */
  historicalPointsPerWeek: allowance,
  /** How IG counts a minute is not known. */
  windowShape: Schema.Literal("bucket", "fixed", "sliding"),
  /** Do logins count? They were measured to. */
  countLogins: Schema.Boolean,
  /** Do refreshes count? Not known; assumed. */
  countRefresh: Schema.Boolean
})

/**
 * @since 0.1.0
 * @category models
 */
export type Switches = typeof Switches.Type

/**
 * Some of them.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Patch = Schema.partialWith(Switches, { exact: true })

const minute = 60_000
const hour = 60 * minute

/**
 * How the gateway behaves unless it is told otherwise: as IG was measured or documents it, the likelier of two where
 * that is uncertain.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults: Switches = {
  accessTtl: minute,
  refreshTtl: 10 * minute,
  refreshGrace: 0,
  refreshKillsBearer: false,
  cstIdle: 6 * hour,
  cstMax: 72 * hour,
  expiresInAsNumber: false,
  timeStampAsString: false,
  sameAccountStatus: 412,
  putUnderBearer: "refused",
  switchReissuesCst: false,
  fetchUnderCst: "same",
  loginReusesCst: false,
  bearerWithoutAccount: "preferred",
  bothFamilies: "bearer",
  loginVersions: [1, 2, 3],
  encryptedV3: false,
  encryptionRequired: false,
  encryptionKeyTtl: 10 * minute,
  encryptionKeyBits: 2048,
  failedLoginsBeforeLock: 0,
  agreementsPending: false,
  kycRequired: false,
  refusedUserAgent: null,
  doubledTokenHeaders: false,
  deadTokensAtLogin: false,
  gzip: "offered",
  requestId: true,
  latency: 0,
  perKeyNonTrading: null,
  perAccountNonTrading: null,
  perAccountTrading: null,
  historicalPointsPerWeek: null,
  windowShape: "bucket",
  countLogins: true,
  countRefresh: true
}

/**
 * `unlimited`: no allowances. `live`: what IG publishes. `demo`: what was measured in 2026, 8 requests a minute and key.
 *
 * @since 0.1.0
 * @category models
 */
export const Preset = Schema.Literal("unlimited", "live", "demo")

/**
 * @since 0.1.0
 * @category models
 */
export type Preset = typeof Preset.Type

const allowances = (key: number | null, account: number | null, trading: number | null, points: number | null) => ({
  perKeyNonTrading: key,
  perAccountNonTrading: account,
  perAccountTrading: trading,
  historicalPointsPerWeek: points
})

/**
 * What each preset changes.
 *
 * @since 0.1.0
 * @category constants
 */
export const presets: Readonly<Record<Preset, Partial<Switches>>> = {
  unlimited: allowances(null, null, null, null),
  live: allowances(60, 30, 100, 10_000),
  demo: allowances(8, 30, 100, 10_000)
}
