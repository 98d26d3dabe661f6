/** Price history at fixed prices, and the points that it costs: `rest.md` §6, `limits.md` §3. */
import { answer, type GatewayResponse, refuse } from "../http.ts"
import { byEpic, type Market } from "../markets.ts"
import { type Call, type Handler, signedIn } from "../routes.ts"
import type { Points, World } from "../world.ts"

const week = 604_800_000

/** IG's, where the sandbox has no limit. */
const published = 10_000

const minute = 60_000

const pointsOf = (world: World, accountId: string, now: number): Points => {
  const known = world.points.get(accountId)
  if (known !== undefined && now < known.resetsAt) return known
  const fresh: Points = { spent: 0, resetsAt: now + week }
  world.points.set(accountId, fresh)
  return fresh
}

/** Each bar costs one. */
const spend = (world: World, points: Points, bars: number): boolean => {
  const limit = world.switches.historicalPointsPerWeek
  if (limit !== null && points.spent + bars > limit) return false
  if (limit !== null) points.spent += bars
  return true
}

const allowance = ({ switches }: World, { resetsAt, spent }: Points, now: number) => {
  const total = switches.historicalPointsPerWeek ?? published
  return {
    remainingAllowance: total - spent,
    totalAllowance: total,
    allowanceExpiry: Math.ceil((resetsAt - now) / 1000)
  }
}

const clock = (at: number): string => new Date(at).toISOString().slice(0, 19)

/** Oldest first, one a minute up to now. */
const barsOf = ({ bid, offer }: Market, count: number, isV3: boolean, now: number) => {
  const price = { bid, ask: offer, lastTraded: null }
  return Array.from({ length: count }, (_, index) => {
    const at = now - (count - index) * minute
    return {
      snapshotTime: clock(at).replaceAll("-", "/").replace("T", " "),
      ...(isV3 ? { snapshotTimeUTC: clock(at) } : undefined),
      openPrice: price,
      closePrice: price,
      highPrice: price,
      lowPrice: price,
      lastTradedVolume: 1
    }
  })
}

const history = (accountId: string, { holes: [epic = ""], now, version, world }: Call, asked: string) => {
  const market = byEpic(epic)
  if (market === undefined) return refuse(400, "error.unsupported.epic")
  if (!/^\d{1,5}$/.test(asked)) return refuse(400, "error.invalid.daterange")
  const count = Number(asked)
  const points = pointsOf(world, accountId, now)
  if (!spend(world, points, count)) {
    return refuse(403, "error.public-api.exceeded-account-historical-data-allowance")
  }
  const isV3 = version === 3
  const told = allowance(world, points, now)
  return answer(200, {
    prices: barsOf(market, count, isV3, now),
    instrumentType: market.type,
    ...(isV3
      ? { metadata: { allowance: told, size: count, pageData: { pageSize: count, pageNumber: 1, totalPages: 1 } } }
      : { allowance: told })
  })
}

/** Version 3: as many bars as `max` says, on one page. */
export const latest: Handler = signedIn(({ accountId }, call): GatewayResponse =>
  call.version === 3 ? history(accountId, call, call.request.query["max"] ?? "10") : refuse(404, "invalid.url")
)

/** Versions 1 and 2: so many of a resolution. */
export const counted: Handler = signedIn(({ accountId }, call): GatewayResponse => {
  const [, , asked = ""] = call.holes
  return call.version === 3 ? refuse(404, "invalid.url") : history(accountId, call, asked)
})
