import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type * as Switches from "@effect-ig/sandbox/Switches"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as TestClock from "effect/TestClock"

const call = (method: "GET" | "POST", path: string, headers: Record<string, string> = {}, body?: unknown) =>
  Effect.gen(function* () {
    const { apiKey, baseUrl } = yield* Sandbox.Sandbox
    const request = HttpClientRequest.make(method)(`${baseUrl}${path}`, {
      headers: { "x-ig-api-key": apiKey, ...headers },
      ...(body === undefined ? {} : { body: HttpBody.unsafeJson(body) })
    })
    const response = yield* HttpClient.execute(request)
    return { status: response.status, headers: response.headers, json: yield* response.json }
  })

const login = Effect.gen(function* () {
  const { identifier, password } = yield* Sandbox.Sandbox
  const { headers } = yield* call("POST", "/session", { version: "2" }, { identifier, password })
  return { cst: headers["cst"] ?? "", "x-security-token": headers["x-security-token"] ?? "" }
})

const key = Effect.map(call("GET", "/session/encryptionKey"), ({ status }) => status === 200)

/** How many of so many calls are served. */
const served = <E, R>(one: Effect.Effect<boolean, E, R>, times: number) =>
  Effect.map(Effect.all(Effect.replicate(one, times)), (all) => all.filter((is) => is).length)

const order = {
  epic: "CS.D.EURUSD.CFD.IP",
  expiry: "-",
  direction: "BUY",
  size: 1,
  orderType: "MARKET",
  currencyCode: "USD",
  forceOpen: true,
  guaranteedStop: false
}

const trade = (tokens: Readonly<Record<string, string>>) =>
  call("POST", "/positions/otc", { ...tokens, version: "2" }, order)

const traded = (tokens: Readonly<Record<string, string>>) => Effect.map(trade(tokens), ({ status }) => status === 200)

const textIn = (value: unknown, name: string): string => {
  const found = Predicate.hasProperty(value, name) ? value[name] : undefined
  return typeof found === "string" ? found : ""
}

const oauth = Effect.gen(function* () {
  const { identifier, password } = yield* Sandbox.Sandbox
  const { json, status } = yield* call("POST", "/session", { version: "3" }, { identifier, password })
  const tokens = Predicate.hasProperty(json, "oauthToken") ? json.oauthToken : undefined
  return { status, accessToken: textIn(tokens, "access_token"), refreshToken: textIn(tokens, "refresh_token") }
})

const run = (switches: Partial<Switches.Switches>, preset: Switches.Preset = "unlimited") =>
  Effect.provide(Sandbox.layerHttpClient({ preset, switches }))

describe("an allowance of eight requests a minute", () => {
  const eight = { perKeyNonTrading: 8 }

  it.effect("comes back bit by bit in a bucket, and never more than eight", () =>
    Effect.gen(function* () {
      expect(yield* served(key, 10)).toBe(8)
      yield* TestClock.adjust("7499 millis")
      expect(yield* served(key, 10)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* served(key, 10)).toBe(1)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
      yield* TestClock.adjust("10 minutes")
      expect(yield* served(key, 10)).toBe(8)
    }).pipe(run({ ...eight, windowShape: "bucket" }))
  )

  it.effect("comes back at once in a fixed minute", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("59 seconds")
      expect(yield* served(key, 10)).toBe(8)
      yield* TestClock.adjust("999 millis")
      expect(yield* served(key, 10)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* served(key, 10)).toBe(8)
    }).pipe(run({ ...eight, windowShape: "fixed" }))
  )

  it.effect("comes back a minute after each request in a sliding one", () =>
    Effect.gen(function* () {
      expect(yield* served(key, 4)).toBe(4)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
      yield* TestClock.adjust("29999 millis")
      expect(yield* served(key, 10)).toBe(0)
      yield* TestClock.adjust("1 millis")
      expect(yield* served(key, 10)).toBe(4)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
    }).pipe(run({ ...eight, windowShape: "sliding" }))
  )

  for (const windowShape of ["bucket", "fixed", "sliding"] as const) {
    it.effect(`is not spent by what was refused: ${windowShape}`, () =>
      Effect.gen(function* () {
        expect(yield* served(key, 100)).toBe(8)
        yield* TestClock.adjust("60 seconds")
        expect(yield* served(key, 100)).toBe(8)
      }).pipe(run({ ...eight, windowShape }))
    )

    it.effect(`of nothing serves nothing: ${windowShape}`, () =>
      Effect.gen(function* () {
        yield* TestClock.adjust("1 days")
        expect(yield* served(key, 3)).toBe(0)
      }).pipe(run({ perKeyNonTrading: 0, windowShape }))
    )
  }

  it.effect("is spent by what is unknown or refused for other reasons, but not without the key", () =>
    Effect.gen(function* () {
      const { setSwitches } = yield* Sandbox.Sandbox
      expect((yield* call("GET", "/session", { "x-ig-api-key": "" })).status).toBe(400)
      expect((yield* call("GET", "/session", { "x-ig-api-key": "wrong" })).status).toBe(403)
      expect((yield* call("GET", "/nowhere")).status).toBe(404)
      expect((yield* call("GET", "/session")).status).toBe(401)
      expect(yield* served(key, 10)).toBe(6)
      yield* setSwitches({ perKeyNonTrading: null })
      expect(yield* served(key, 100)).toBe(100)
    }).pipe(run(eight))
  )
})

describe("the presets", () => {
  /** How many of a hundred reads are served to one account, and of a hundred calls to the key. */
  const budget = Effect.gen(function* () {
    const tokens = yield* login
    yield* TestClock.adjust("1 minutes")
    const reads = yield* served(
      Effect.map(call("GET", "/accounts", tokens), ({ status }) => status === 200),
      100
    )
    yield* TestClock.adjust("1 minutes")
    return { reads, calls: yield* served(key, 100), trades: yield* served(traded(tokens), 110) }
  })

  for (const [preset, expected] of [
    ["unlimited", { reads: 100, calls: 100, trades: 110 }],
    ["live", { reads: 30, calls: 60, trades: 100 }],
    ["demo", { reads: 8, calls: 8, trades: 100 }]
  ] as const) {
    it.effect(`give what they promise: ${preset}`, () =>
      Effect.gen(function* () {
        expect(yield* budget).toEqual(expected)
      }).pipe(run({}, preset))
    )
  }
})

const exceeded = (what: string) => ({ errorCode: `error.public-api.exceeded-${what}-allowance` })

describe("the lanes", () => {
  it.effect("are apart: trades spend their own alone, reads the key's and the account's", () =>
    Effect.gen(function* () {
      const tokens = yield* login
      const read = call("GET", "/positions", { ...tokens, version: "2" })
      expect(yield* served(traded(tokens), 5)).toBe(3)
      expect((yield* trade(tokens)).json).toEqual(exceeded("account-trading"))
      // The login was the key's first; two are left, and one of the account.
      expect((yield* read).status).toBe(200)
      expect((yield* read).json).toEqual(exceeded("account"))
      expect((yield* read).json).toEqual(exceeded("api-key"))
      const { record } = yield* Sandbox.Sandbox
      expect((yield* record).flatMap(({ entered }) => entered)).toHaveLength(3)
      yield* TestClock.adjust("20 seconds")
      expect(yield* served(traded(tokens), 5)).toBe(1)
    }).pipe(run({ perKeyNonTrading: 3, perAccountNonTrading: 1, perAccountTrading: 3 }))
  )

  it.effect("count a close as a trade, and a confirm as a read", () =>
    Effect.gen(function* () {
      const tokens = yield* login
      const close = call(
        "POST",
        "/positions/otc",
        { ...tokens, _method: "DELETE" },
        { epic: order.epic, direction: "SELL", size: 1, orderType: "MARKET" }
      )
      expect((yield* trade(tokens)).status).toBe(200)
      expect((yield* close).status).toBe(200)
      expect((yield* close).json).toEqual(exceeded("account-trading"))
      expect((yield* call("GET", "/confirms/none", tokens)).status).toBe(404)
      expect((yield* call("GET", "/confirms/none", tokens)).json).toEqual(exceeded("account"))
    }).pipe(run({ perAccountNonTrading: 1, perAccountTrading: 2 }))
  )

  it.effect("of the key are one for all its accounts: what one spends, another lacks", () =>
    Effect.gen(function* () {
      const authorization = `Bearer ${(yield* oauth).accessToken}`
      const read = (account: string) => call("GET", "/session", { authorization, "ig-account-id": account })
      expect([(yield* read("SBX01")).status, (yield* read("SBX02")).status]).toEqual([200, 200])
      const spent = { errorCode: "error.public-api.exceeded-api-key-allowance" }
      expect([(yield* read("SBX01")).json, (yield* read("SBX02")).json]).toEqual([spent, spent])
    }).pipe(run({ perKeyNonTrading: 3, perAccountNonTrading: 2 }))
  )

  it.effect("are each account's own", () =>
    Effect.gen(function* () {
      const { accessToken } = yield* oauth
      const read = (accountId: string) =>
        Effect.map(
          call("GET", "/accounts", { authorization: `Bearer ${accessToken}`, "ig-account-id": accountId }),
          ({ status }) => status === 200
        )
      expect([yield* served(read("SBX01"), 3), yield* served(read("SBX02"), 3)]).toEqual([2, 2])
    }).pipe(run({ perAccountNonTrading: 2 }))
  )

  for (const [countLogins, countRefresh] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false]
  ] as const) {
    it.effect(`count what they are told to: logins ${countLogins}, refreshes ${countRefresh}`, () =>
      Effect.gen(function* () {
        const { refreshToken } = yield* oauth
        const refreshed = yield* call("POST", "/session/refresh-token", {}, { refresh_token: refreshToken })
        expect(refreshed.status).toBe(200)
        expect(yield* served(key, 10)).toBe(5 - Number(countLogins) - Number(countRefresh))
        // Nothing is left: what counts is refused, and what does not is served.
        expect((yield* oauth).status).toBe(countLogins ? 403 : 200)
        const again = yield* call("POST", "/session/refresh-token", {}, { refresh_token: "none" })
        expect(again.status).toBe(countRefresh ? 403 : 401)
      }).pipe(run({ perKeyNonTrading: 5, countLogins, countRefresh }))
    )
  }
})

describe("GET /operations/application", () => {
  const told = Effect.flatMap(login, (tokens) => call("GET", "/operations/application", tokens))
  const row = (application: number, account: number, trading: number, points: number) => [
    expect.objectContaining({
      allowanceApplicationOverall: application,
      allowanceAccountOverall: account,
      allowanceAccountTrading: trading,
      allowanceAccountHistoricalData: points
    })
  ]

  for (const [preset, application] of [
    ["unlimited", 60],
    ["live", 60],
    ["demo", 8]
  ] as const) {
    it.effect(`tells the allowances of ${preset}`, () =>
      Effect.gen(function* () {
        expect((yield* told).json).toEqual(row(application, 30, 100, 10_000))
      }).pipe(run({}, preset))
    )
  }

  it.effect("tells what is in force now", () =>
    Effect.gen(function* () {
      const { setSwitches } = yield* Sandbox.Sandbox
      expect((yield* told).json).toEqual(row(8, 30, 100, 7))
      yield* setSwitches({ perKeyNonTrading: 20, perAccountNonTrading: 10, perAccountTrading: 33 })
      expect((yield* told).json).toEqual(row(20, 10, 33, 7))
    }).pipe(run({ historicalPointsPerWeek: 7 }, "demo"))
  )
})

describe("price points", () => {
  const epic = "CS.D.EURUSD.CFD.IP"
  const prices = (tokens: Readonly<Record<string, string>>, version: "2" | "3", count: number) =>
    call("GET", version === "3" ? `/prices/${epic}?max=${count}` : `/prices/${epic}/MINUTE/${count}`, {
      ...tokens,
      version
    })
  const left = (remaining: number, expiry: number) => ({
    remainingAllowance: remaining,
    totalAllowance: 10,
    allowanceExpiry: expiry
  })
  const week = 604_800

  it.effect(
    "are spent bar by bar, told by each answer, refused when too few are left, and come back after a week",
    () =>
      Effect.gen(function* () {
        const first = yield* prices(yield* login, "3", 4)
        expect(first.json).toMatchObject({ metadata: { allowance: left(6, week), size: 4 } })
        yield* TestClock.adjust("1 days")
        const tokens = yield* login
        expect((yield* prices(tokens, "2", 5)).json).toMatchObject({ allowance: left(1, week - 86_400) })
        expect((yield* prices(tokens, "3", 2)).json).toEqual(exceeded("account-historical-data"))
        expect((yield* prices(tokens, "3", 1)).status).toBe(200)
        yield* TestClock.adjust("6 days")
        expect((yield* prices(yield* login, "3", 1)).json).toMatchObject({ metadata: { allowance: left(9, week) } })
      }).pipe(run({ historicalPointsPerWeek: 10 }))
  )

  it.effect("are as many as one likes without a limit, and what is no history costs none", () =>
    Effect.gen(function* () {
      const tokens = yield* login
      const all = { remainingAllowance: 10_000, totalAllowance: 10_000, allowanceExpiry: week }
      expect((yield* prices(tokens, "3", 2_000)).json).toMatchObject({ metadata: { allowance: all } })
      expect((yield* prices(tokens, "2", 1)).json).toMatchObject({ allowance: all, prices: [{ openPrice: {} }] })
      expect((yield* call("GET", "/prices/NONE?max=1", { ...tokens, version: "3" })).json).toEqual({
        errorCode: "error.unsupported.epic"
      })
      expect((yield* call("GET", `/prices/${epic}?max=x`, { ...tokens, version: "3" })).status).toBe(400)
      expect((yield* call("GET", `/prices/${epic}`, { ...tokens, version: "2" })).status).toBe(404)
      expect((yield* call("GET", `/prices/${epic}/MINUTE/1`, { ...tokens, version: "3" })).status).toBe(404)
    }).pipe(run({}))
  )
})
