import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type * as Switches from "@effect-ig/sandbox/Switches"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"

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

const run = (switches: Partial<Switches.Switches>, preset: Switches.Preset = "unlimited") =>
  Effect.provide(Sandbox.layerHttpClient({ preset, switches }))

describe("an allowance of eight requests a minute", () => {
  const eight = { perKeyNonTrading: 8 }

  it.effect("comes back bit by bit in a bucket", () =>
    Effect.gen(function* () {
      expect(yield* served(key, 10)).toBe(8)
      yield* TestClock.adjust("7 seconds")
      expect(yield* served(key, 10)).toBe(0)
      yield* TestClock.adjust("1 seconds")
      expect(yield* served(key, 10)).toBe(1)
      yield* TestClock.adjust("10 minutes")
      expect(yield* served(key, 10)).toBe(8)
    }).pipe(run({ ...eight, windowShape: "bucket" }))
  )

  it.effect("comes back at once in a fixed minute", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("59 seconds")
      expect(yield* served(key, 10)).toBe(8)
      yield* TestClock.adjust("1 seconds")
      expect(yield* served(key, 10)).toBe(8)
    }).pipe(run({ ...eight, windowShape: "fixed" }))
  )

  it.effect("comes back a minute after each request in a sliding one", () =>
    Effect.gen(function* () {
      expect(yield* served(key, 4)).toBe(4)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
      yield* TestClock.adjust("30 seconds")
      expect(yield* served(key, 10)).toBe(4)
    }).pipe(run({ ...eight, windowShape: "sliding" }))
  )

  it.effect("is not spent by what was refused", () =>
    Effect.gen(function* () {
      expect(yield* served(key, 100)).toBe(8)
      yield* TestClock.adjust("60 seconds")
      expect(yield* served(key, 100)).toBe(8)
    }).pipe(run({ ...eight, windowShape: "sliding" }))
  )
})

describe("the lanes", () => {
  it.effect("are apart: trades spend their own alone, reads the key's and the account's", () =>
    Effect.gen(function* () {
      const tokens = yield* login
      const trade = Effect.map(call("POST", "/positions/otc", { ...tokens, version: "2" }, order), (answer) => answer)
      expect((yield* trade).status).toBe(200)
      expect((yield* trade).status).toBe(200)
      expect((yield* trade).json).toEqual({ errorCode: "error.public-api.exceeded-account-trading-allowance" })
      const read = call("GET", "/positions", { ...tokens, version: "2" })
      expect((yield* read).status).toBe(200)
      expect((yield* read).json).toEqual({ errorCode: "error.public-api.exceeded-account-allowance" })
      expect(yield* (yield* Sandbox.Sandbox).record).toHaveLength(6)
      const record = yield* (yield* Sandbox.Sandbox).record
      expect(record.flatMap(({ entered }) => entered)).toHaveLength(2)
    }).pipe(run({ perKeyNonTrading: 10, perAccountNonTrading: 1, perAccountTrading: 2 }))
  )

  it.effect("count logins and refreshes, or not", () =>
    Effect.gen(function* () {
      yield* login
      expect(yield* key).toBe(false)
      const sandbox = yield* Sandbox.Sandbox
      yield* sandbox.reset
      yield* sandbox.setSwitches({ countLogins: false, countRefresh: false })
      yield* login
      yield* call("POST", "/session/refresh-token", {}, { refresh_token: "none" })
      expect(yield* key).toBe(true)
    }).pipe(run({ perKeyNonTrading: 1 }))
  )
})

describe("GET /operations/application", () => {
  for (const [preset, expected] of [
    ["unlimited", [60, 30, 100, 10_000]],
    ["live", [60, 30, 100, 10_000]],
    ["demo", [8, 30, 100, 10_000]]
  ] as const) {
    it.effect(`tells the allowances of ${preset}`, () =>
      Effect.gen(function* () {
        const { json } = yield* call("GET", "/operations/application", yield* login)
        expect(json).toMatchObject([
          {
            allowanceApplicationOverall: expected[0],
            allowanceAccountOverall: expected[1],
            allowanceAccountTrading: expected[2],
            allowanceAccountHistoricalData: expected[3]
          }
        ])
      }).pipe(run({}, preset))
    )
  }
})
