/** What a handler of a route gets, and how it says who is calling. */
import { spend } from "./allowances.ts"
import { type GatewayRequest, type GatewayResponse, refuse } from "./http.ts"
import { find, type Session, type Token, type World } from "./world.ts"

/** Which allowance a call spends: confirms and everything that does not trade are reads. */
export type Lane = "read" | "trade" | "login" | "refresh"

export interface Call {
  readonly world: World
  readonly request: GatewayRequest
  readonly version: number
  readonly lane: Lane
  /** What stands in the holes of the path. */
  readonly holes: ReadonlyArray<string>
  /** In ms since the epoch. */
  readonly now: number
}

export type Handler = (call: Call) => GatewayResponse

export interface Route {
  readonly lane: Lane
  readonly handler: Handler
}

/** Who is calling, and for which account. */
export type Caller =
  | { readonly family: "bearer"; readonly session: Session; readonly accountId: string }
  | {
      readonly family: "cst"
      readonly session: Session
      readonly accountId: string
      readonly cst: Token
      readonly xst: Token
    }

const missing = (what: "client" | "account"): GatewayResponse => refuse(401, `error.security.${what}-token-missing`)
const invalid = (what: "client" | "account" | "oauth"): GatewayResponse =>
  refuse(401, `error.security.${what}-token-invalid`)

const byBearer = ({ now, request, world }: Call, authorization: string): Caller | GatewayResponse => {
  const bearer = /^bearer +(.+)$/i.exec(authorization)?.[1]
  const token = bearer === undefined ? undefined : find(world, "access", bearer, now)
  if (token === undefined) return invalid("oauth")
  const { session } = token
  const named = request.headers["ig-account-id"]
  if (named === undefined && world.switches.bearerWithoutAccount === "refused") return missing("account")
  const accountId = named ?? session.accountId
  if (!world.accounts.some((account) => account.accountId === accountId)) return invalid("account")
  return { family: "bearer", session, accountId }
}

const byCst = ({ now, request, world }: Call): Caller | GatewayResponse => {
  const { cst, "x-security-token": xst } = request.headers
  if (cst === undefined || cst === "") return missing("client")
  const client = find(world, "cst", cst, now)
  if (client === undefined) return invalid("client")
  if (xst === undefined || xst === "") return missing("account")
  const account = find(world, "xst", xst, now)
  if (account === undefined || account.session !== client.session) return invalid("account")
  for (const lease of [client.lease, account.lease]) if (lease !== undefined) lease.usedAt = now
  return { family: "cst", session: client.session, accountId: account.accountId, cst: client, xst: account }
}

const authenticate = (call: Call): Caller | GatewayResponse => {
  const { authorization, cst } = call.request.headers
  if (authorization === undefined) return byCst(call)
  return cst !== undefined && call.world.switches.bothFamilies === "cst" ? byCst(call) : byBearer(call, authorization)
}

const overAllowance = ({ lane, now, world }: Call, accountId: string): GatewayResponse | undefined => {
  const { perAccountNonTrading, perAccountTrading, windowShape } = world.switches
  const [limit, code] = lane === "trade" ? [perAccountTrading, "account-trading"] : [perAccountNonTrading, "account"]
  return spend(world.allowances, `${code} ${accountId}`, windowShape, limit, now)
    ? undefined
    : refuse(403, `error.public-api.exceeded-${code}-allowance`)
}

/** A route for those who are signed in, and whose account has not spent its allowance. */
export const signedIn =
  (handler: (caller: Caller, call: Call) => GatewayResponse): Handler =>
  (call) => {
    const caller = authenticate(call)
    if ("status" in caller) return caller
    return overAllowance(call, caller.accountId) ?? handler(caller, call)
  }
