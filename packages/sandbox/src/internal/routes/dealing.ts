/** A book of positions: enough to see whether an order was entered, and whether it was entered twice. */
import { type Confirm, type Direction, nextDealId, type Position } from "../book.ts"
import { answer, fields, type GatewayResponse, refuse } from "../http.ts"
import { byEpic, summary } from "../markets.ts"
import { type Call, type Caller, type Handler, signedIn } from "../routes.ts"

const two = (part: number): string => String(part).padStart(2, "0")

const stamp = (now: number) => {
  const time = new Date(now)
  const day = `${time.getUTCFullYear()}/${two(time.getUTCMonth() + 1)}/${two(time.getUTCDate())}`
  return { local: `${day} ${time.toISOString().slice(11, 19)}:000`, utc: time.toISOString().slice(0, 19) }
}

/* ---- positions ------------------------------------------------------------- */

const row = (position: Position, version: number) => {
  const { local, utc } = stamp(position.openedAt)
  const market = byEpic(position.epic)
  const shared = {
    contractSize: 1,
    createdDate: local,
    dealId: position.dealId,
    direction: position.direction,
    limitLevel: null,
    currency: position.currency,
    controlledRisk: false,
    stopLevel: null,
    trailingStep: null,
    trailingStopDistance: null
  }
  const own =
    version >= 2
      ? {
          createdDateUTC: utc,
          dealReference: position.dealReference,
          size: position.size,
          level: position.level,
          limitedRiskPremium: null
        }
      : { dealSize: position.size, openLevel: position.level }
  return { position: { ...shared, ...own }, market: market === undefined ? null : summary(market) }
}

const ofAccount = ({ world }: Call, { accountId }: Caller): ReadonlyArray<Position> =>
  [...world.book.positions.values()].filter((position) => position.accountId === accountId)

export const positions: Handler = signedIn((caller, call) =>
  answer(200, { positions: ofAccount(call, caller).map((position) => row(position, call.version)) })
)

export const position: Handler = signedIn((caller, call) => {
  const found = ofAccount(call, caller).find(({ dealId }) => dealId === call.holes[0])
  return found === undefined ? refuse(404, "error.position.notfound") : answer(200, row(found, call.version))
})

/* ---- orders ---------------------------------------------------------------- */

const words = (text: string): ReadonlyArray<string> => text.trim().split(/\s+/)

const required = words("epic expiry direction size orderType currencyCode forceOpen guaranteedStop")

const openFields = new Set([
  ...required,
  ...words("level quoteId timeInForce stopLevel stopDistance limitLevel limitDistance dealReference"),
  ...words("trailingStop trailingStopIncrement")
])

type Body = ReadonlyMap<string, unknown>

const isDirection = (value: unknown): value is Direction => value === "BUY" || value === "SELL"

const fault = (body: Body, known: ReadonlySet<string>, needed: ReadonlyArray<string>): GatewayResponse | undefined => {
  if (body.size === 0) return refuse(400, "validation.null-not-allowed.request")
  const unknown = [...body.keys()].find((name) => !known.has(name))
  if (unknown !== undefined) return refuse(400, `invalid.request.${unknown}`)
  const absent = needed.find((name) => body.get(name) === undefined || body.get(name) === null)
  if (absent !== undefined) return refuse(400, `validation.null-not-allowed.request.${absent}`)
  if (!isDirection(body.get("direction"))) return refuse(400, "invalid.request.direction")
  if (!["MARKET", "LIMIT", "QUOTE"].includes(text(body, "orderType"))) return refuse(400, "invalid.request.orderType")
  const size = body.get("size")
  // JSON has numbers beyond the finite: 1e999.
  return typeof size === "number" && size > 0 && size < Infinity ? undefined : refuse(400, "invalid.request.size")
}

const text = (body: Body, name: string): string => {
  const value = body.get(name)
  return typeof value === "string" ? value : ""
}

const nothing = {
  stopLevel: null,
  limitLevel: null,
  stopDistance: null,
  limitDistance: null,
  guaranteedStop: false,
  trailingStop: false,
  profit: null,
  profitCurrency: null
}

const confirm = (call: Call, caller: Caller, dealReference: string, body: Confirm["body"]): void => {
  const date = new Date(call.now).toISOString().slice(0, 23)
  call.world.book.confirms.set(dealReference, {
    accountId: caller.accountId,
    madeAt: call.now,
    body: { date, ...body, ...nothing }
  })
}

const reject = (call: Call, caller: Caller, dealReference: string, body: Body, reason: string): GatewayResponse => {
  confirm(call, caller, dealReference, {
    status: null,
    reason,
    dealStatus: "REJECTED",
    epic: text(body, "epic"),
    expiry: null,
    dealReference,
    dealId: nextDealId(call.world.book),
    affectedDeals: [],
    level: null,
    size: null,
    direction: body.get("direction")
  })
  return answer(200, { dealReference }, [], [], [`order ${dealReference} rejected: ${reason}`])
}

const accept = (
  call: Call,
  caller: Caller,
  dealReference: string,
  position: Position,
  size: number,
  status: "OPEN" | "CLOSED" | "PARTIALLY_CLOSED"
): GatewayResponse => {
  const affected = { OPEN: "OPENED", CLOSED: "FULLY_CLOSED", PARTIALLY_CLOSED: "PARTIALLY_CLOSED" }[status]
  confirm(call, caller, dealReference, {
    status,
    reason: "SUCCESS",
    dealStatus: "ACCEPTED",
    epic: position.epic,
    expiry: position.expiry,
    dealReference,
    dealId: position.dealId,
    affectedDeals: [{ dealId: position.dealId, status: affected }],
    level: position.level,
    size,
    direction: position.direction
  })
  return answer(200, { dealReference }, [], [], [`position ${position.dealId} ${affected}`])
}

export const open: Handler = signedIn((caller, call) => {
  const body = fields(call.request)
  const wrong = fault(body, openFields, required)
  if (wrong !== undefined) return wrong
  const { book } = call.world
  const dealReference = text(body, "dealReference") || `SBXREF${String(book.deals + 1).padStart(7, "0")}`
  if (!/^[A-Za-z0-9_-]{1,30}$/.test(dealReference)) {
    return refuse(400, "validation.pattern.invalid.request.dealReference")
  }
  if (book.confirms.has(dealReference)) return reject(call, caller, dealReference, body, "DUPLICATE_ORDER_ERROR")
  const market = byEpic(text(body, "epic"))
  if (market === undefined) return reject(call, caller, dealReference, body, "INSTRUMENT_NOT_FOUND")
  const direction: Direction = body.get("direction") === "SELL" ? "SELL" : "BUY"
  const position: Position = {
    dealId: nextDealId(book),
    dealReference,
    accountId: caller.accountId,
    epic: market.epic,
    expiry: text(body, "expiry"),
    direction,
    size: Number(body.get("size")),
    level: direction === "BUY" ? market.offer : market.bid,
    currency: text(body, "currencyCode"),
    openedAt: call.now
  }
  book.positions.set(position.dealId, position)
  return accept(call, caller, dealReference, position, position.size, "OPEN")
})

const closeFields = new Set(words("dealId epic expiry direction size orderType level quoteId timeInForce"))

export const close: Handler = signedIn((caller, call) => {
  const body = fields(call.request)
  const wrong = fault(body, closeFields, ["direction", "size", "orderType"])
  if (wrong !== undefined) return wrong
  const { book } = call.world
  const dealReference = `SBXREF${String(++book.deals).padStart(7, "0")}`
  const dealId = text(body, "dealId")
  const epic = text(body, "epic")
  if ((dealId === "") === (epic === "")) return refuse(400, "validation.one-selection-required.request")
  const found = ofAccount(call, caller).find(
    (position) => (position.dealId === dealId || position.epic === epic) && position.direction !== body.get("direction")
  )
  if (found === undefined) return reject(call, caller, dealReference, body, "POSITION_NOT_FOUND")
  const size = Math.min(found.size, Number(body.get("size")))
  found.size -= size
  if (found.size > 0) return accept(call, caller, dealReference, found, size, "PARTIALLY_CLOSED")
  book.positions.delete(found.dealId)
  return accept(call, caller, dealReference, found, size, "CLOSED")
})

const confirmLife = 60_000

export const confirmOf: Handler = signedIn(({ accountId }, { holes: [reference = ""], now, world }) => {
  const found = world.book.confirms.get(reference)
  return found === undefined || found.accountId !== accountId || now - found.madeAt > confirmLife
    ? refuse(404, "error.confirms.deal-not-found")
    : answer(200, found.body)
})
