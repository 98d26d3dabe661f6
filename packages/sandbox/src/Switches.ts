/**
 * What about IG is uncertain, or differs from client to client, and so can be changed. The defaults are what the sources
 * make most likely.
 *
 * @since 0.1.0
 */

/**
 * Times are in ms.
 *
 * @since 0.1.0
 * @category models
 */
export interface Switches {
  /** How long a bearer lives. Measured: 60 seconds. */
  readonly accessTtl: number
  /** How long a refresh token lives after its bearer's end. Documented: about 10 minutes. */
  readonly refreshTtl: number
  /** How long a refresh token still works after it was used; IG is believed to kill it at once. */
  readonly refreshGrace: number
  /** Does a refresh kill the bearer before it, or does that live to its own end? */
  readonly refreshKillsBearer: boolean
  /** How long CST and X-SECURITY-TOKEN live unused. */
  readonly cstIdle: number
  /** How long they live at most. */
  readonly cstMax: number
  /** `expires_in` is a string on the wire. */
  readonly expiresInAsNumber: boolean
  /** `timeStamp` of the encryption key is a number on the wire. */
  readonly timeStampAsString: boolean
  /** The answer to a switch to the account that is active already: 412 was seen, 400 is documented. */
  readonly sameAccountStatus: 412 | 400
  /** What `PUT /session` does under a bearer. */
  readonly putUnderBearer: "refused" | "works"
  /** Does a switch give a new CST, too? */
  readonly switchReissuesCst: boolean
  /** What `GET /session?fetchSessionTokens=true` answers under CST: the pair in use, or a new one. */
  readonly fetchUnderCst: "same" | "renewed"
  /** A bearer without `IG-ACCOUNT-ID` acts on the preferred account, or is refused. */
  readonly bearerWithoutAccount: "preferred" | "refused"
  /** Which family counts when a request carries both. */
  readonly bothFamilies: "bearer" | "cst"
  /** Versions of `POST /session` that are served. */
  readonly loginVersions: ReadonlyArray<number>
  /** Is an encrypted password taken under Version 3? IG was seen to refuse it. */
  readonly encryptedV3: boolean
  /** IG demands encryption of clients in Singapore. */
  readonly encryptionRequired: boolean
  /** How old the timestamp inside an encrypted password may be. */
  readonly encryptionKeyTtl: number
  /** RSA modulus in bits; IG's is 2048. */
  readonly encryptionKeyBits: number
  /** Failed logins after which further ones are answered `too-many-failed-attempts`; 0 for never. */
  readonly failedLoginsBeforeLock: number
  /** Logins are refused until agreements are accepted on the web platform. */
  readonly agreementsPending: boolean
  /** Logins are refused until the client has proved who they are. */
  readonly kycRequired: boolean
  /** A `User-Agent` that holds this text is refused. */
  readonly refusedUserAgent: string | undefined
  /** IG has been seen to send a token header twice. */
  readonly doubledTokenHeaders: boolean
  /** Logins are answered with tokens that are dead already, as IG's cache was seen to do. */
  readonly deadTokensAtLogin: boolean
  /** When answers are gzipped: if the client offers it, always, or never. */
  readonly gzip: "offered" | "always" | "never"
  /** Are answers marked with `X-REQUEST-ID`? */
  readonly requestId: boolean
  /** How long each answer takes. */
  readonly latency: number
}

const minute = 60_000
const hour = 60 * minute

/**
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
  refusedUserAgent: undefined,
  doubledTokenHeaders: false,
  deadTokensAtLogin: false,
  gzip: "offered",
  requestId: true,
  latency: 0
}
