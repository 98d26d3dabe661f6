/** IG's behaviour as one function from request to answer, in the order in which IG seems to check. */
import { spend } from "./allowances.ts"
import { empty, type GatewayRequest, type GatewayResponse, refuse, versionOf, wrongVerb } from "./http.ts"
import * as Router from "./router.ts"
import type { Handler, Lane, Route } from "./routes.ts"
import * as Dealing from "./routes/dealing.ts"
import * as Prices from "./routes/prices.ts"
import * as Resources from "./routes/resources.ts"
import * as Session from "./routes/session.ts"
import type { World } from "./world.ts"

type Verbs = ReadonlyMap<string, Route>

const verbs = (handlers: Readonly<Record<string, Handler>>, lane: Lane = "read"): Verbs =>
  new Map(Object.entries(handlers).map(([method, handler]) => [method, { lane, handler }]))

const router = Router.make<Verbs>({
  "/session": new Map([
    ...verbs({ GET: Session.read, PUT: Session.switchAccount, DELETE: Session.logout }),
    ...verbs({ POST: Session.login }, "login")
  ]),
  "/session/refresh-token": verbs({ POST: Session.refresh }, "refresh"),
  "/session/encryptionKey": verbs({ GET: Session.encryptionKey }),
  "/accounts": verbs({ GET: Resources.accounts }),
  "/accounts/preferences": verbs({ GET: Resources.preferences, PUT: Resources.setPreferences }),
  "/operations/application": verbs({ GET: Resources.application }),
  "/markets": verbs({ GET: Resources.markets }),
  "/markets/{epic}": verbs({ GET: Resources.market }),
  "/prices/{epic}": verbs({ GET: Prices.latest }),
  "/prices/{epic}/{resolution}/{numPoints}": verbs({ GET: Prices.counted }),
  "/watchlists": verbs({ GET: Resources.watchlists, POST: Resources.createWatchlist }),
  "/watchlists/{id}": verbs({
    GET: Resources.watchlist,
    PUT: Resources.addToWatchlist,
    DELETE: Resources.deleteWatchlist
  }),
  "/watchlists/{id}/{epic}": verbs({ DELETE: Resources.removeFromWatchlist }),
  "/positions": verbs({ GET: Dealing.positions }),
  "/positions/otc": verbs({ POST: Dealing.open, DELETE: Dealing.close }, "trade"),
  "/positions/{dealId}": verbs({ GET: Dealing.position }),
  "/confirms/{dealReference}": verbs({ GET: Dealing.confirmOf }),
  "/workingorders": verbs({ GET: Resources.workingOrders }),
  "/history/activity": verbs({ GET: Resources.activity }),
  "/history/activity/{lastPeriod}": verbs({ GET: Resources.activity }),
  "/history/activity/{from}/{to}": verbs({ GET: Resources.activity }),
  "/history/transactions": verbs({ GET: Resources.transactions }),
  "/history/transactions/{type}/{lastPeriod}": verbs({ GET: Resources.transactions }),
  "/history/transactions/{type}/{from}/{to}": verbs({ GET: Resources.transactions })
})

/** Trades spend the account's trading allowance alone. */
const countsForKey = ({ switches }: World, lane: Lane): boolean => {
  switch (lane) {
    case "read":
      return true
    case "login":
      return switches.countLogins
    case "refresh":
      return switches.countRefresh
    case "trade":
      return false
  }
}

/** A `_method` is understood on a `POST`; left over on another verb, it is a wrong verb. */
const isMisdirected = ({ headers, method }: GatewayRequest): boolean =>
  headers["_method"] !== undefined && headers["_method"].toUpperCase() !== method

export const behave = (world: World, request: GatewayRequest, now: number): GatewayResponse => {
  const { perKeyNonTrading, windowShape } = world.switches
  const key = request.headers["x-ig-api-key"]
  if (key === undefined || key === "") return refuse(400, "error.security.api-key-missing")
  if (key !== world.apiKey) return refuse(403, "error.security.api-key-invalid")
  const found = router.find(request.path)
  const route = found?.value.get(request.method)
  const lane = route?.lane ?? "read"
  if (countsForKey(world, lane) && !spend(world.allowances, "key", windowShape, perKeyNonTrading, now)) {
    return refuse(403, "error.public-api.exceeded-api-key-allowance")
  }
  if (found === undefined) return refuse(404, "invalid.url")
  if (route === undefined || isMisdirected(request)) return wrongVerb
  return route.handler({ world, request, version: versionOf(request) ?? Number.NaN, lane, holes: found.holes, now })
}

/** The request as IG understands it: IG drops the body of a `DELETE`, so clients tunnel it through a `POST`. */
export const understood = (request: GatewayRequest): GatewayRequest => {
  const path = request.path.replace(/\/+$/, "") || "/"
  const tunnelled = request.method === "POST" ? request.headers["_method"] : undefined
  const body = request.method === "DELETE" ? empty : request.body
  return { ...request, path, body, method: (tunnelled ?? request.method).toUpperCase() }
}
