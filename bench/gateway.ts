/** As much of IG as the benchmark needs: answers lie ready in memory, so that what a call costs is the client's. */
import { generateKeyPairSync } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { epic, market } from "./market.ts"
import { prices } from "./prices.ts"

/** What it did since it was asked last. */
export interface Counts {
  readonly reads: number
  readonly refusals: number
  readonly logins: number
  readonly refreshes: number
}

/** What is to be from now on; what is left out stays. */
export interface Order {
  /** Of the bearers that logins answer with, in seconds. Those of a refresh live a day. */
  readonly lifetime?: number
  /** After so many reads from now, all CSTs die that are known by then. */
  readonly expireAfter?: number
  /** Is the market one that its schema does not take? */
  readonly isSpoilt?: boolean
}

export const base = "/gateway/deal"
const day = 86_400

let counts = { reads: 0, refusals: 0, logins: 0, refreshes: 0 }
let lifetime = day
let expireAfter = Number.POSITIVE_INFINITY
let isSpoilt = false
let issued = 0
/** When each bearer dies, by the header that carries it. */
const bearers = new Map<string, number>()
let csts = new Set<string>()

interface Stored {
  readonly status: number
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
}

const stored = (status: number, body: unknown, extra: Readonly<Record<string, string>> = {}): Stored => {
  const bytes = Buffer.from(JSON.stringify(body))
  const headers = {
    "content-type": "application/json; charset=UTF-8",
    "content-length": String(bytes.length),
    ...extra
  }
  return { status, body: bytes, headers }
}

const error = (status: number, errorCode: string): Stored => stored(status, { errorCode })

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const key = publicKey.export({ format: "der", type: "spki" }).toString("base64")

const answers = {
  market: stored(200, market),
  spoiltMarket: stored(200, { ...market, snapshot: { ...market.snapshot, bid: "1.08" } }),
  prices: stored(200, prices),
  unknownMarket: error(404, "error.public-api.epic-not-found"),
  unknownPath: error(404, "invalid.url"),
  deadBearer: error(401, "error.security.oauth-token-invalid"),
  deadToken: error(401, "error.security.client-token-invalid"),
  noToken: error(401, "error.security.client-token-missing"),
  encryptionKey: stored(200, { encryptionKey: key, timeStamp: 1_770_000_000_000 })
}

const account = "ABC12"
const lightstreamerEndpoint = "https://demo-apd.marketdatasystems.com"

const oauthToken = (seconds: number) => {
  const number = ++issued
  bearers.set(`Bearer access-${number}`, Date.now() + seconds * 1_000)
  return {
    access_token: `access-${number}`,
    refresh_token: `refresh-${number}`,
    scope: "profile",
    token_type: "Bearer",
    expires_in: String(seconds)
  }
}

const loggedInByOAuth = (): Stored =>
  stored(200, {
    clientId: "100000001",
    accountId: account,
    timezoneOffset: 1,
    lightstreamerEndpoint,
    oauthToken: oauthToken(lifetime)
  })

const tokens = (): Readonly<Record<string, string>> => {
  const number = ++issued
  csts.add(`cst-${number}`)
  return { CST: `cst-${number}`, "X-SECURITY-TOKEN": `xst-${number}` }
}

const loggedIn = (): Stored =>
  stored(
    200,
    {
      accountType: "CFD",
      accountInfo: { balance: 10_000, deposit: 0, profitLoss: 0, available: 10_000 },
      currencyIsoCode: "EUR",
      currencySymbol: "E",
      currentAccountId: account,
      lightstreamerEndpoint,
      accounts: [{ accountId: account, accountName: "CFD", preferred: true, accountType: "CFD" }],
      clientId: "100000001",
      timezoneOffset: 1,
      hasActiveDemoAccounts: true,
      hasActiveLiveAccounts: false,
      trailingStopsEnabled: false,
      reroutingEnvironment: null,
      dealingEnabled: true
    },
    tokens()
  )

const session = (url: string): Stored =>
  stored(
    200,
    {
      clientId: "100000001",
      accountId: account,
      timezoneOffset: 1,
      locale: "en_GB",
      currency: "EUR",
      lightstreamerEndpoint
    },
    url.endsWith("fetchSessionTokens=true") ? tokens() : {}
  )

const refusal = ({ headers: { authorization, cst } }: IncomingMessage): Stored | undefined => {
  if (authorization !== undefined) {
    return (bearers.get(authorization) ?? 0) > Date.now() ? undefined : answers.deadBearer
  }
  if (cst === undefined) return answers.noToken
  return typeof cst === "string" && csts.has(cst) ? undefined : answers.deadToken
}

const read = (url: string): Stored => {
  switch (url) {
    case `${base}/markets/${epic}`:
      return isSpoilt ? answers.spoiltMarket : answers.market
    case `${base}/markets/UNKNOWN`:
      return answers.unknownMarket
    case `${base}/prices/${epic}`:
      return answers.prices
    default:
      return url.startsWith(`${base}/session`) ? session(url) : answers.unknownPath
  }
}

const authenticated = (request: IncomingMessage, url: string): Stored => {
  counts.reads += 1
  if (--expireAfter === 0) csts = new Set()
  const refused = refusal(request)
  if (refused !== undefined) counts.refusals += 1
  return refused ?? read(url)
}

const answerTo = (request: IncomingMessage): Stored => {
  const { headers, method, url = "" } = request
  if (method === "POST" && url === `${base}/session`) {
    counts.logins += 1
    return headers["version"] === "3" ? loggedInByOAuth() : loggedIn()
  }
  if (method === "POST" && url === `${base}/session/refresh-token`) {
    counts.refreshes += 1
    return stored(200, oauthToken(day))
  }
  if (method !== "GET") return answers.unknownPath
  return url === `${base}/session/encryptionKey` ? answers.encryptionKey : authenticated(request, url)
}

export const respond = (request: IncomingMessage, response: ServerResponse): void => {
  const send = () => {
    const { body, headers, status } = answerTo(request)
    response.writeHead(status, headers).end(body)
  }
  if (request.method === "GET") send()
  else request.resume().once("end", send)
}

/** What has been since the last one. */
export const obey = (order: Order): Counts => {
  const before: Counts = counts
  counts = { reads: 0, refusals: 0, logins: 0, refreshes: 0 }
  lifetime = order.lifetime ?? lifetime
  expireAfter = order.expireAfter ?? expireAfter
  isSpoilt = order.isSpoilt ?? isSpoilt
  return before
}
