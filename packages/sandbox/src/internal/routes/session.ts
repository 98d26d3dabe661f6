/** `/session` and what is below it, in the order in which IG checks. */
import { answer, fields, type GatewayResponse, noContent, refuse, refuseBody } from "../http.ts"
import { type Call, type Caller, type Handler, signedIn } from "../routes.ts"
import { decryptPassword, publicKey } from "../rsa.ts"
import {
  find,
  isAlive,
  issueLeased,
  issueOAuth,
  type Lease,
  open,
  type Session,
  type Token,
  type World
} from "../world.ts"

const lightstreamerEndpoint = "https://demo-apd.marketdatasystems.com"

const timezoneOffset = 1

type Headers = GatewayResponse["headers"]

const tokenHeaders = ({ switches }: World, cst: Token | undefined, xst: Token): Headers => {
  const pairs: Headers = [
    ...(cst === undefined ? [] : [["CST", cst.value] as const]),
    ["X-SECURITY-TOKEN", xst.value] as const
  ]
  return switches.doubledTokenHeaders ? [...pairs, ...pairs] : pairs
}

/* ---- login -------------------------------------------------------------- */

interface Given {
  readonly identifier: string
  /** `undefined` when what was encrypted is not what IG wants encrypted. */
  readonly password: string | undefined
  readonly isEncrypted: boolean
}

const credentials = (call: Call): Given | GatewayResponse => {
  const body = fields(call.request)
  const identifier = body.get("identifier")
  const password = body.get("password")
  const isEncrypted = body.get("encryptedPassword") === true
  if (body.size === 0) return refuseBody(call.request)
  if (typeof identifier !== "string" || identifier === "") {
    return refuse(400, "validation.null-not-allowed.authenticationRequest.identifier")
  }
  if (!/^[A-Za-z0-9_-]{1,30}$/.test(identifier)) {
    return refuse(400, "validation.pattern.invalid.authenticationRequest.identifier")
  }
  if (typeof password !== "string" || password === "") {
    return refuse(400, "validation.null-not-allowed.authenticationRequest.password")
  }
  if (!isEncrypted && [...password].length > 350) {
    return refuse(400, "validation.pattern.invalid.authenticationRequest.password")
  }
  return { identifier, password: isEncrypted ? decryptPassword(call, password) : password, isEncrypted }
}

const wrongDetails = (world: World): GatewayResponse => {
  world.failedLogins += 1
  return refuse(401, "error.security.invalid-details")
}

/** IG's platform for shares is not for the versions that act on the preferred account alone. */
const isStockbroking = ({ accounts, preferred }: World): boolean =>
  accounts.some(({ accountId, accountType }) => accountId === preferred && accountType === "PHYSICAL")

const admitted = (call: Call): Session | GatewayResponse => {
  const { version, world } = call
  const { agreementsPending, encryptedV3, encryptionRequired, failedLoginsBeforeLock, kycRequired } = world.switches
  const given = credentials(call)
  if ("status" in given) return given
  if (failedLoginsBeforeLock > 0 && world.failedLogins >= failedLoginsBeforeLock) {
    return refuse(401, "error.security.too-many-failed-attempts")
  }
  if (encryptionRequired && !given.isEncrypted) return refuse(400, "error.public-api.failure.encryption.required")
  if (given.isEncrypted && version === 3 && !encryptedV3) return wrongDetails(world)
  if (given.identifier !== world.identifier || given.password !== world.password) return wrongDetails(world)
  if (kycRequired) return refuse(401, "error.public-api.failure.kyc.required")
  if (agreementsPending) return refuse(401, "error.public-api.failure.pending.agreements.required")
  if (version !== 3 && isStockbroking(world)) {
    return refuse(403, "error.public-api.failure.stockbroking-not-supported")
  }
  world.failedLogins = 0
  return open(world)
}

const oauthToken = (world: World, session: Session, now: number) => {
  const { accessTtl, expiresInAsNumber, refreshTtl } = world.switches
  const access = issueOAuth(world, session, "access", now + accessTtl)
  const refresh = issueOAuth(world, session, "refresh", now + accessTtl + refreshTtl)
  const seconds = Math.floor(accessTtl / 1000)
  return {
    labels: [access.label, refresh.label],
    body: {
      access_token: access.value,
      refresh_token: refresh.value,
      scope: "profile",
      token_type: "Bearer",
      expires_in: expiresInAsNumber ? seconds : String(seconds)
    }
  }
}

/** A new CST with its X-SECURITY-TOKEN for this account. */
const issuePair = (world: World, session: Session, now: number, accountId: string) => {
  const lease: Lease = { openedAt: now, usedAt: now }
  return {
    cst: issueLeased(world, session, "cst", lease, accountId),
    xst: issueLeased(world, session, "xst", lease, accountId)
  }
}

const loginV3 = (world: World, session: Session, now: number): GatewayResponse => {
  const { body, labels } = oauthToken(world, session, now)
  const { accountId } = session
  return answer(
    200,
    { clientId: world.clientId, accountId, timezoneOffset, lightstreamerEndpoint, oauthToken: body },
    [],
    labels
  )
}

/** The pair of a session that is open already. */
const pairInUse = (world: World, now: number) => {
  const alive = [...world.tokens.values()].filter((token) => isAlive(world, token, now)).reverse()
  const xst = alive.find(({ kind }) => kind === "xst")
  const cst = alive.find(({ kind, lease }) => kind === "cst" && lease === xst?.lease)
  return cst === undefined || xst === undefined ? undefined : { cst, xst }
}

const loginV2 = (world: World, opened: Session, now: number): GatewayResponse => {
  const reused = world.switches.loginReusesCst ? pairInUse(world, now) : undefined
  const session = reused?.cst.session ?? opened
  const { cst, xst } = reused ?? issuePair(world, session, now, session.accountId)
  const active = world.accounts.find((account) => account.accountId === session.accountId)
  const body = {
    accountType: active?.accountType,
    accountInfo: { balance: 10000, deposit: 0, profitLoss: 0, available: 10000 },
    currencyIsoCode: "GBP",
    currencySymbol: "£",
    currentAccountId: session.accountId,
    lightstreamerEndpoint,
    accounts: world.accounts.map(({ accountId, accountName, accountType }) => ({
      accountId,
      accountName,
      preferred: accountId === world.preferred,
      accountType
    })),
    clientId: world.clientId,
    timezoneOffset,
    hasActiveDemoAccounts: true,
    hasActiveLiveAccounts: false,
    trailingStopsEnabled: false,
    reroutingEnvironment: null,
    dealingEnabled: true
  }
  return answer(200, body, tokenHeaders(world, cst, xst), reused === undefined ? [cst.label, xst.label] : [])
}

export const login: Handler = (call) => {
  const { now, request, version, world } = call
  const { deadTokensAtLogin, loginVersions, refusedUserAgent } = world.switches
  if (!loginVersions.includes(version)) return refuse(404, "invalid.url")
  if (refusedUserAgent !== null && (request.headers["user-agent"] ?? "").includes(refusedUserAgent)) {
    return refuse(401, "error.security.invalid-application")
  }
  const session = admitted(call)
  if ("status" in session) return session
  const response = version === 3 ? loginV3(world, session, now) : loginV2(world, session, now)
  if (deadTokensAtLogin) for (const token of session.tokens) token.isDead = true
  return response
}

/* ---- read, switch, logout ------------------------------------------------ */

export const read: Handler = signedIn((caller, { now, request, world }) => {
  const { accountId, session } = caller
  const body = {
    clientId: world.clientId,
    accountId,
    timezoneOffset,
    locale: "en_GB",
    currency: "GBP",
    lightstreamerEndpoint
  }
  if (request.query["fetchSessionTokens"]?.toLowerCase() !== "true") return answer(200, body)
  const isPairKept = caller.family === "cst" && world.switches.fetchUnderCst === "same"
  const { cst, xst } = isPairKept ? caller : issuePair(world, session, now, accountId)
  return answer(200, body, tokenHeaders(world, cst, xst), isPairKept ? [] : [cst.label, xst.label])
})

const switched = {
  trailingStopsEnabled: false,
  dealingEnabled: true,
  hasActiveDemoAccounts: true,
  hasActiveLiveAccounts: false
}

export const switchAccount: Handler = (call) => {
  const { request, world } = call
  const isUnderBearer = request.headers["authorization"] !== undefined && request.headers["cst"] === undefined
  if (isUnderBearer && world.switches.putUnderBearer === "refused") {
    return refuse(401, "error.security.client-token-missing")
  }
  return signedIn(switchedTo)(call)
}

const switchedTo = (caller: Caller, { now, request, world }: Call): GatewayResponse => {
  const { sameAccountStatus, switchReissuesCst } = world.switches
  const { session } = caller
  const body = fields(request)
  const accountId = body.get("accountId")
  if (body.size === 0) return refuseBody(request)
  if (typeof accountId !== "string" || accountId === "") {
    return refuse(400, "validation.null-not-allowed.request.accountId")
  }
  if (!/^[A-Za-z0-9-]{1,30}$/.test(accountId)) return refuse(400, "validation.pattern.invalid.request.accountId")
  if (!world.accounts.some((account) => account.accountId === accountId)) {
    return refuse(400, "error.switch.invalid-accountId")
  }
  if (accountId === caller.accountId) return refuse(sameAccountStatus, "error.switch.accountId-must-be-different")
  if (body.get("defaultAccount") === true) world.preferred = accountId
  session.accountId = accountId
  if (caller.family === "bearer") return answer(200, switched)

  // What the old tokens were for is over; whoever uses them again is refused.
  const lease = caller.cst.lease ?? { openedAt: now, usedAt: now }
  for (const token of session.tokens) if (token.kind === "xst" && token.lease === lease) token.isDead = true
  if (switchReissuesCst) caller.cst.isDead = true
  const cst = switchReissuesCst ? issueLeased(world, session, "cst", lease, accountId) : undefined
  const xst = issueLeased(world, session, "xst", lease, accountId)
  const labels = [...(cst === undefined ? [] : [cst.label]), xst.label]
  return answer(200, switched, tokenHeaders(world, cst, xst), labels)
}

export const logout: Handler = signedIn(({ session }) => {
  session.isOver = true
  return noContent
})

/* ---- refresh, encryption key ---------------------------------------------- */

/** Needs the API key alone; a token beside it does no harm. */
export const refresh: Handler = ({ now, request, world }) => {
  const body = fields(request)
  const value = body.get("refresh_token")
  if (body.size === 0) return refuseBody(request)
  if (typeof value !== "string" || value === "") return refuse(400, "validation.null-not-allowed.request.refresh_token")
  const token = find(world, "refresh", value, now)
  if (token === undefined) return refuse(401, "error.security.oauth-token-invalid")
  const { refreshGrace, refreshKillsBearer } = world.switches
  token.expiresAt = Math.min(token.expiresAt, now + refreshGrace)
  if (refreshKillsBearer) for (const other of token.session.tokens) if (other.kind === "access") other.isDead = true
  const fresh = oauthToken(world, token.session, now)
  return answer(200, fresh.body, [], fresh.labels)
}

export const encryptionKey: Handler = ({ now, world }) =>
  answer(200, {
    encryptionKey: publicKey(world.switches.encryptionKeyBits),
    timeStamp: world.switches.timeStampAsString ? String(now) : now
  })
