/** What a client asks for in its ordinary start: accounts, markets, watchlists, allowances, empty histories. */
import { answer, fields, type GatewayResponse, refuse } from "../http.ts"
import { byEpic, details, markets as allMarkets, summary } from "../markets.ts"
import { type Handler, signedIn } from "../routes.ts"

export const accounts: Handler = signedIn((_, { world }) =>
  answer(200, {
    accounts: world.accounts.map(({ accountId, accountName, accountType }) => ({
      accountId,
      accountName,
      accountAlias: null,
      status: "ENABLED",
      accountType,
      preferred: accountId === world.preferred,
      balance: { balance: 10000, deposit: 0, profitLoss: 0, available: 10000 },
      currency: "GBP",
      canTransferFrom: true,
      canTransferTo: true
    }))
  })
)

export const preferences: Handler = signedIn((_, { world }) =>
  answer(200, { trailingStopsEnabled: world.trailingStopsEnabled })
)

export const setPreferences: Handler = signedIn((_, { request, world }) => {
  const wanted = fields(request).get("trailingStopsEnabled")
  world.trailingStopsEnabled = wanted === true || wanted === "true"
  return answer(200, { status: "SUCCESS" })
})

/** A bare array. Without allowances in force it tells what IG publishes. */
export const application: Handler = signedIn((_, { world }) => {
  const { historicalPointsPerWeek, perAccountNonTrading, perAccountTrading, perKeyNonTrading } = world.switches
  return answer(200, [
    {
      name: "sandbox",
      apiKey: world.apiKey,
      status: "ENABLED",
      allowanceApplicationOverall: perKeyNonTrading ?? 60,
      allowanceAccountTrading: perAccountTrading ?? 100,
      allowanceAccountOverall: perAccountNonTrading ?? 30,
      allowanceAccountHistoricalData: historicalPointsPerWeek ?? 10_000,
      concurrentSubscriptionsLimit: 40,
      allowEquities: false,
      allowQuoteOrders: false,
      createdDate: "2026-01-01"
    }
  ])
})

/* ---- markets --------------------------------------------------------------- */

const search = (term: string): GatewayResponse => {
  const found = allMarkets.filter(({ epic, name }) => `${epic} ${name}`.toLowerCase().includes(term.toLowerCase()))
  return answer(200, { markets: found.map((market) => ({ ...summary(market), lotSize: undefined })) })
}

const many = (epics: ReadonlyArray<string>): GatewayResponse => {
  if (epics.length > 50) return refuse(400, "error.public-api.too-many-epics")
  const found = epics.map(byEpic)
  return found.every((market) => market !== undefined)
    ? answer(200, { marketDetails: found.map(details) })
    : refuse(404, "error.public-api.epic-not-found")
}

export const markets: Handler = signedIn((_, { request }) => {
  const { epics, searchTerm } = request.query
  if (searchTerm !== undefined && searchTerm !== "") return search(searchTerm)
  return epics === undefined || epics === ""
    ? refuse(400, "validation.null-not-allowed.epics")
    : many(epics.split(",").map((epic) => epic.trim()))
})

export const market: Handler = signedIn((_, { holes: [epic = ""] }) => {
  const found = byEpic(epic)
  return found === undefined ? refuse(404, "error.public-api.epic-not-found") : answer(200, details(found))
})

/* ---- watchlists ------------------------------------------------------------ */

export const watchlists: Handler = signedIn((_, { world }) =>
  answer(200, {
    watchlists: [...world.watchlists].map(([id, { isOwn, name }]) => ({
      id,
      name,
      editable: isOwn,
      deleteable: isOwn,
      defaultSystemWatchlist: !isOwn
    }))
  })
)

const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : []

export const createWatchlist: Handler = signedIn((_, { request, world }) => {
  const body = fields(request)
  const name = body.get("name")
  if (typeof name !== "string" || name === "") return refuse(400, "validation.null-not-allowed.request.name")
  if ([...world.watchlists.values()].some((list) => list.name === name)) {
    return refuse(400, "error.watchlists.management.duplicate-name")
  }
  const asked = texts(body.get("epics"))
  const epics = asked.filter((epic) => byEpic(epic) !== undefined)
  const watchlistId = String(1_000_001 + world.book.deals++)
  world.watchlists.set(watchlistId, { name, epics, isOwn: true })
  const status = epics.length === asked.length ? "SUCCESS" : "SUCCESS_NOT_ALL_INSTRUMENTS_ADDED"
  return answer(200, { watchlistId, status }, [], [], [`watchlist ${watchlistId} created`])
})

export const watchlist: Handler = signedIn((_, { holes: [id = ""], world }) => {
  const list = world.watchlists.get(id)
  return list === undefined
    ? refuse(404, "error.invalid.watchlist")
    : answer(200, { markets: list.epics.flatMap((epic) => byEpic(epic) ?? []).map(summary) })
})

export const addToWatchlist: Handler = signedIn((_, { holes: [id = ""], request, world }) => {
  const list = world.watchlists.get(id)
  const epic = fields(request).get("epic")
  if (list === undefined) return refuse(400, "error.watchlists.management.watchlist-not-found")
  if (typeof epic !== "string" || byEpic(epic) === undefined) {
    return refuse(400, "error.service.watchlists.add-instrument.invalid-epic")
  }
  if (!list.epics.includes(epic)) list.epics.push(epic)
  return answer(200, { status: "SUCCESS" }, [], [], [`watchlist ${id} has ${epic}`])
})

export const deleteWatchlist: Handler = signedIn((_, { holes: [id = ""], world }) => {
  const list = world.watchlists.get(id)
  if (list === undefined) return refuse(400, "error.watchlists.management.watchlist-not-found")
  if (!list.isOwn) return refuse(400, "error.watchlists.management.cannot-delete-watchlist")
  world.watchlists.delete(id)
  return answer(200, { status: "SUCCESS" }, [], [], [`watchlist ${id} deleted`])
})

export const removeFromWatchlist: Handler = signedIn((_, { holes: [id = "", epic = ""], world }) => {
  const list = world.watchlists.get(id)
  if (list === undefined) return refuse(400, "error.watchlists.management.watchlist-not-found")
  const index = list.epics.indexOf(epic)
  if (index >= 0) list.epics.splice(index, 1)
  return answer(200, { status: "SUCCESS" }, [], [], [`watchlist ${id} lacks ${epic}`])
})

/* ---- what is always empty -------------------------------------------------- */

export const workingOrders: Handler = signedIn(() => answer(200, { workingOrders: [] }))

export const activity: Handler = signedIn(() =>
  answer(200, { activities: [], metadata: { paging: { size: 0, next: null } } })
)

export const transactions: Handler = signedIn(() =>
  answer(200, {
    transactions: [],
    metadata: { size: 0, pageData: { pageSize: 20, pageNumber: 1, totalPages: 0 } }
  })
)
