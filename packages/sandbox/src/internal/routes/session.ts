/** `/session` and what is below it, in the order in which IG checks. */
import { answer, fields, type GatewayResponse, noContent, refuse } from "../http.ts"
import { type Call, type Handler, signedIn } from "../routes.ts"
import { decryptPassword, publicKey } from "../rsa.ts"
import { find, issue, open, type Session, type Token, type World } from "../world.ts"

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

const credentials = (call: Call): { readonly identifier: unknown; readonly password: unknown } | GatewayResponse => {
  const body = fields(call.request)
  const identifier = body.get("identifier")
  const password = body.get("password")
  if (body.size === 0) return refuse(400, "validation.null-not-allowed.request")
  if (typeof identifier !== "string" || identifier === "") {
    return refuse(400, "validation.null-not-allowed.authenticationRequest.identifier")
  }
  if (!/^[A-Za-z0-9\-_]{1,30}$/.test(identifier)) {
    return refuse(400, "validation.pattern.invalid.authenticationRequest.identifier")
  }
  if (typeof password !== "string" || password === "") {
    return refuse(400, "validation.null-not-allowed.authenticationRequest.password")
  }
  const isEncrypted = body.get("encryptedPassword") === true
  if (!isEncrypted) return { identifier, password }
  return { identifier, password: decryptPassword(call, password) }
}

const wrongDetails = (world: World): GatewayResponse => {
  world.failedLogins += 1
  return refuse(401, "error.security.invalid-details")
}

const admitted = (call: Call): Session | GatewayResponse => {
  const { now, request, version, world } = call
  const { switches } = world
  const isEncrypted = fields(request).get("encryptedPassword") === true
  const given = credentials(call)
  if ("status" in given) return given
  if (switches.failedLoginsBeforeLock > 0 && world.failedLogins >= switches.failedLoginsBeforeLock) {
    return refuse(401, "error.security.too-many-failed-attempts")
  }
  if (switches.encryptionRequired && !isEncrypted) return refuse(400, "error.public-api.failure.encryption.required")
  if (isEncrypted && version === 3 && !switches.encryptedV3) return wrongDetails(world)
  if (given.identifier !== world.identifier || given.password !== world.password) return wrongDetails(world)
  if (switches.kycRequired) return refuse(401, "error.public-api.failure.kyc.required")
  if (switches.agreementsPending) return refuse(401, "error.public-api.failure.pending.agreements.required")
  world.failedLogins = 0
  return open(world, now)
}

const oauthToken = (world: World, session: Session, now: number) => {
  const { accessTtl, expiresInAsNumber, refreshTtl } = world.switches
  const access = issue(world, session, "access", now, now + accessTtl)
  const refresh = issue(world, session, "refresh", now, now + accessTtl + refreshTtl)
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

const loginV2 = (world: World, session: Session, now: number): GatewayResponse => {
  const cst = issue(world, session, "cst", now)
  const xst = issue(world, session, "xst", now)
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
  return answer(200, body, tokenHeaders(world, cst, xst), [cst.label, xst.label])
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

const streamingTokens = ({ now, world }: Call, session: Session, accountId: string, keepsPair: boolean) => {
  const live = (kind: "cst" | "xst") =>
    session.tokens.findLast((token) => token.kind === kind && token.accountId === accountId && !token.isDead)
  const cst = keepsPair ? live("cst") : undefined
  const xst = keepsPair ? live("xst") : undefined
  if (cst !== undefined && xst !== undefined) return { cst, xst }
  session.usedAt = now
  return {
    cst: issue(world, session, "cst", now, undefined, accountId),
    xst: issue(world, session, "xst", now, undefined, accountId)
  }
}

export const read: Handler = signedIn(({ accountId, family, session }, call) => {
  const { request, world } = call
  const body = {
    clientId: world.clientId,
    accountId,
    timezoneOffset,
    locale: "en_GB",
    currency: "GBP",
    lightstreamerEndpoint
  }
  if (request.query["fetchSessionTokens"]?.toLowerCase() !== "true") return answer(200, body)
  const keepsPair = family === "cst" && world.switches.fetchUnderCst === "same"
  const { cst, xst } = streamingTokens(call, session, accountId, keepsPair)
  return answer(200, body, tokenHeaders(world, cst, xst), [cst.label, xst.label])
})

const switched = {
  trailingStopsEnabled: false,
  dealingEnabled: true,
  hasActiveDemoAccounts: true,
  hasActiveLiveAccounts: false
}

export const switchAccount: Handler = (call) => {
  const { now, request, world } = call
  const underBearer = request.headers["authorization"] !== undefined && request.headers["cst"] === undefined
  if (underBearer && world.switches.putUnderBearer === "refused") {
    return refuse(401, "error.security.client-token-missing")
  }
  return signedIn(({ accountId: active, family, session }) => {
    const body = fields(request)
    const accountId = body.get("accountId")
    if (typeof accountId !== "string") return refuse(400, "validation.null-not-allowed.request.accountId")
    if (!world.accounts.some((account) => account.accountId === accountId)) {
      return refuse(400, "error.switch.invalid-accountId")
    }
    if (accountId === active)
      return refuse(world.switches.sameAccountStatus, "error.switch.accountId-must-be-different")
    if (body.get("defaultAccount") === true) world.preferred = accountId
    if (family === "bearer") return answer(200, switched)
    session.accountId = accountId
    const isOld = (token: Token) => token.kind === "xst" || (token.kind === "cst" && world.switches.switchReissuesCst)
    for (const token of session.tokens) if (isOld(token)) token.isDead = true
    const cst = world.switches.switchReissuesCst ? issue(world, session, "cst", now) : undefined
    const xst = issue(world, session, "xst", now)
    const labels = [...(cst === undefined ? [] : [cst.label]), xst.label]
    return answer(200, switched, tokenHeaders(world, cst, xst), labels)
  })(call)
}

export const logout: Handler = signedIn(({ session }) => {
  session.isOver = true
  return noContent
})

/* ---- refresh, encryption key ---------------------------------------------- */

/** Needs the API key alone; a token beside it does no harm. */
export const refresh: Handler = ({ now, request, world }) => {
  const value = fields(request).get("refresh_token")
  if (typeof value !== "string" || value === "") return refuse(400, "validation.null-not-allowed.request.refresh_token")
  const token = find(world, "refresh", value, now)
  if (token === undefined) return refuse(401, "error.security.oauth-token-invalid")
  const { refreshGrace, refreshKillsBearer } = world.switches
  token.expiresAt = Math.min(token.expiresAt, now + refreshGrace)
  if (refreshKillsBearer) for (const other of token.session.tokens) if (other.kind === "access") other.isDead = true
  const { body, labels } = oauthToken(world, token.session, now)
  return answer(200, body, [], labels)
}

export const encryptionKey: Handler = ({ now, world }) =>
  answer(200, {
    encryptionKey: publicKey(world.switches.encryptionKeyBits),
    timeStamp: world.switches.timeStampAsString ? String(now) : now
  })
