/**
 * What IG's error codes mean for the caller. Looked up by exact code, then by prefix, then by status. IG's own tables
 * are not complete, so an unknown code is ordinary.
 */
import type { Action } from "../IgError.ts"

interface Advice {
  readonly read: Action
  readonly mutation: Action
  readonly hint?: string | undefined
}

const both = (action: Action, hint?: string): Advice => ({ read: action, mutation: action, hint })

/** IG's server failed while working: a read may go out again, of a mutation nobody knows the outcome. */
const unknownOutcome = (hint?: string): Advice => ({ read: "retry", mutation: "query", hint })

const webPlatform = "Log in to IG's web platform: something there waits for you."
const askIg = "Only IG can change this; contact their support."
const byOrderType =
  "Which of level, limit and stop may be there depends on orderType: MARKET has no level, LIMIT needs one."
const login = "The session's tokens are dead or missing; log in again."

/** A code that says no more than its beginning is not among them. */
const exact: ReadonlyMap<string, Advice> = new Map<string, Advice>([
  ["error.security.client-token-missing", both("renew", login)],
  ["error.security.client-token-invalid", both("renew", login)],
  ["error.security.account-token-missing", both("renew", login)],
  ["error.security.account-token-invalid", both("renew", login)],
  ["error.security.oauth-token-invalid", both("renew", "The bearer is dead: Session.refresh, else log in again.")],
  [
    "error.security.invalid-details",
    both(
      "fix",
      "Wrong identifier or password, or a password encrypted in a way this login does not take. Do not repeat it: failed logins lock the account."
    )
  ],
  [
    "error.security.too-many-failed-attempts",
    both(
      "human",
      "Logins are locked after failed attempts; further ones prolong it. Wait, then check the credentials by hand."
    )
  ],
  ["error.security.api-key-missing", both("fix", "No API key was sent.")],
  [
    "error.security.api-key-invalid",
    both("fix", "Unknown API key, or a demo key on live or a live key on demo: key and environment must match.")
  ],
  ["error.security.api-key-disabled", both("human", "The API key is disabled; enable it on IG's web platform.")],
  ["error.security.api-key-revoked", both("human", "The API key is revoked; make a new one on IG's web platform.")],
  ["error.security.api-key-restricted", both("human", "The API key is not valid for this account.")],
  ["endpoint.unavailable.for.api-key", both("human", "This API key may not use this endpoint.")],
  ["error.security.invalid-application", both("fix", "IG refuses the User-Agent; set another in IgConfig.")],
  ["error.security.invalid-website", both("human", askIg)],
  ["error.security.generic", both("retry", "IG failed while authenticating; nothing was executed.")],
  ["error.security.authentication.timeout", unknownOutcome("The login timed out at IG.")],
  ["error.security.get.session.timeout", unknownOutcome()],
  [
    "service.security.authentication.failure-invalid-client-security-token",
    both("retry", "Happens when logins follow each other quickly; log in again after a pause.")
  ],
  [
    "error.public-api.failure.encryption.required",
    both("fix", "IG demands an encrypted password of this client: use Session.loginV2WithEncryption.")
  ],
  ["unauthorised.api-key.revoked", both("human", "The API key is revoked; make a new one on IG's web platform.")],
  ["unauthorised.clientId.api-key.mismatch", both("human", "The API key belongs to another client.")],

  [
    "error.public-api.failure.stockbroking-not-supported",
    both(
      "human",
      "The default account is for share dealing or an ISA: make another one the default, or use Session.login (Version 3) with an account id."
    )
  ],
  ["error.security.account-not-yet-activated", both("human", webPlatform)],
  ["error.security.all-accounts-pending", both("human", webPlatform)],
  ["error.security.all-accounts-suspended", both("human", askIg)],
  ["error.security.client-suspended", both("human", askIg)],
  ["error.switch.accountId-must-be-different", both("fix", "That account is active already.")],
  ["error.switch.invalid-accountId", both("fix", "No such account; GET /accounts lists the client's own.")],
  ["error.switch.cannot-set-default-account", both("fix", "Switch without defaultAccount.")],
  ["error.client.account.switch.account-access-denied", both("human", askIg)],
  [
    "unauthorised.access.to.equity.exception",
    both("fix", "IG does not sell prices of shares and of the VIX over its API.")
  ],

  [
    "error.public-api.exceeded-api-key-allowance",
    both("wait", "The API key's requests of this minute are spent (not a matter of rights); nothing was executed.")
  ],
  [
    "error.public-api.exceeded-account-allowance",
    both("wait", "The account's requests of this minute are spent (not a matter of rights); nothing was executed.")
  ],
  [
    "error.public-api.exceeded-account-trading-allowance",
    both("wait", "The account's trades of this minute are spent; the order was not executed.")
  ],
  [
    "error.public-api.exceeded-account-historical-data-allowance",
    both("wait", "The week's price points are spent; do not repeat before allowanceExpiry has passed.")
  ],

  ["invalid.url", both("fix", "No such path, id or version.")],
  ["system.error", unknownOutcome()],
  ["error.request.invalid.date-range", both("fix")],
  ["error.invalid.daterange", both("fix")],
  ["error.malformed.date", both("fix")],
  ["error.request.invalid.page-size", both("fix")],
  ["invalid request", both("fix")],
  [
    "validation.null-not-allowed.request",
    both("fix", "The whole body was lost; a DELETE with a body must go out as POST with _method: DELETE.")
  ],
  [
    "validation.null-not-allowed.request.currencyCode",
    both("fix", "A close that was read as a create, its _method header lost, is answered so too.")
  ],
  [
    "validation.target-value-conditional-set-value.request",
    both("fix", "A stop or limit that is attached to an order needs forceOpen: true.")
  ],
  ["validation.mutual-exclusive-value.request", both("fix", "Give a level or a distance, not both.")],
  ["validation.one-selection-required.request", both("fix", "Give either a dealId or an epic, and only one of them.")],
  ["validation.not-null-conditional.request", both("fix", byOrderType)],
  ["validation.not-null-conditional-set-value.request", both("fix", byOrderType)],
  ["validation.null-conditional-set-value.request", both("fix", byOrderType)],
  [
    "validation.pattern.invalid.authenticationRequest.identifier",
    both("fix", "The identifier is the user name, not an e-mail address: letters, digits, - and _.")
  ]
])

const prefixes: ReadonlyArray<readonly [prefix: string, advice: Advice]> = [
  ["error.public-api.exceeded-", both("wait")],
  ["error.public-api.failure.", both("human", webPlatform)],
  ["error.security.api-key-", both("human")],
  ["error.security.account-", both("human", askIg)],
  ["error.switch.", both("fix")],
  ["authentication.failure.", both("human", askIg)],
  ["unauthorised.", both("human", askIg)],
  ["validation.", both("fix")],
  [
    "invalid.request.",
    both("fix", "A wrong type, a value that IG does not know, or a field whose name is unknown to it.")
  ],
  ["invalid.", both("fix")],
  ["Invalid parameter", both("fix")]
]

/** A redirect that is not followed has status 0 in browsers. */
const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

const byStatus = (status: number): Advice => {
  if (status === 401) return both("human", "IG refuses this client; renewing the session will not help.")
  if (status === 403) return both("human", "IG's gateway refuses access; this is not an allowance.")
  if (status === 405) return both("fix", "Wrong verb; a leftover _method header does this too.")
  if (status === 429) return both("wait")
  if (isRedirect(status)) return both("fix", "Redirects are never followed; check the environment's URL.")
  return status < 200 || status === 408 || status >= 500 ? unknownOutcome() : both("fix")
}

/** Codes that mean: the tokens which the request carried are dead. Nothing was executed. */
const tokenCodes: ReadonlySet<string> = new Set([
  "error.security.client-token-missing",
  "error.security.client-token-invalid",
  "error.security.account-token-missing",
  "error.security.account-token-invalid",
  "error.security.oauth-token-invalid"
])

export const isTokenCode = (errorCode: string | undefined): boolean =>
  errorCode !== undefined && tokenCodes.has(errorCode)

/**
 * Which of them bring a session back when it is renewed: `session.md` §9. Under a bearer the account is named by a header,
 * and a code that speaks of the account says that it is not the client's.
 */
const renewing = {
  nothing: [],
  bearer: ["error.security.oauth-token-", "error.security.client-token-"],
  cst: ["error.security.client-token-", "error.security.account-token-"]
} as const

export const isRenewable = (carried: keyof typeof renewing, errorCode: string | undefined): boolean =>
  isTokenCode(errorCode) && renewing[carried].some((prefix) => errorCode?.startsWith(prefix) === true)

export const advise = (status: number, errorCode: string | undefined): Advice => {
  if (errorCode === undefined) return byStatus(status)
  return exact.get(errorCode) ?? prefixes.find(([prefix]) => errorCode.startsWith(prefix))?.[1] ?? byStatus(status)
}
