import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe } from "vitest"
import { runs } from "./utils/effort.ts"
import { keptInMemory } from "./utils/ig.ts"
import { count, requests } from "./utils/state.ts"

const market = Endpoint.make({
  name: "markets.get",
  method: "GET",
  path: "/markets/{epic}",
  version: 3,
  answer: Schema.Struct({ snapshot: Schema.Struct({ bid: Schema.Number }) })
})

const search = Endpoint.make({
  name: "markets.search",
  method: "GET",
  path: "/markets",
  version: 1,
  query: Schema.Struct({
    searchTerm: Schema.String,
    pageSize: Schema.optional(Schema.NumberFromString),
    open: Schema.optional(Schema.Boolean)
  }),
  answer: Schema.Struct({ markets: Schema.Array(Schema.Struct({ epic: Schema.String })) })
})

const open = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({
    epic: Schema.String,
    expiry: Schema.String,
    direction: Schema.Literal("BUY", "SELL"),
    size: Schema.Number.pipe(Schema.positive()),
    orderType: Schema.Literal("MARKET"),
    currencyCode: Schema.String,
    forceOpen: Schema.Boolean,
    guaranteedStop: Schema.Boolean,
    dealReference: Schema.String
  }),
  answer: Schema.Struct({ dealReference: Schema.String })
})

const close = Endpoint.make({
  name: "positions.close",
  method: "DELETE",
  path: "/positions/otc",
  version: 1,
  allowance: "trading",
  body: Schema.Struct({
    epic: Schema.String,
    expiry: Schema.String,
    direction: Schema.Literal("BUY", "SELL"),
    size: Schema.Number,
    orderType: Schema.Literal("MARKET")
  }),
  answer: Schema.Struct({ dealReference: Schema.String })
})

const application = Endpoint.make({
  name: "session.key",
  method: "GET",
  path: "/session/encryptionKey",
  version: 1,
  session: false,
  answer: Schema.Unknown
})

const order = {
  epic: "CS.D.EURUSD.CFD.IP",
  expiry: "-",
  direction: "BUY",
  size: 1,
  orderType: "MARKET",
  currencyCode: "USD",
  forceOpen: true,
  guaranteedStop: false,
  dealReference: "MINE-1"
} as const

const last = Effect.map(
  Effect.flatMap(Sandbox, ({ record }) => record),
  (record) => record.at(-1)
)

describe("a call of a user's own", () => {
  it("says what it is", () => {
    expect(market).toMatchObject({ method: "GET", effect: "read", allowance: "non-trading", session: true })
    expect(open).toMatchObject({ effect: "mutation", allowance: "trading" })
    expect(application).toMatchObject({ session: false })
  })

  it.effect("fills its path, and its answer is what the schema says", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* Endpoint.call(market, { path: { epic: "CS.D.EURUSD.CFD.IP" } })).toEqual({
        snapshot: { bid: 1.0849 }
      })
      expect(yield* requests(1)).toEqual(["GET /markets/CS.D.EURUSD.CFD.IP 3 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("encodes its query, and leaves out what is not given", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* Endpoint.call(search, { query: { searchTerm: "EUR & USD", pageSize: 20, open: true } })
      expect((yield* last)?.query).toEqual({ searchTerm: "EUR & USD", pageSize: "20", open: "true" })
      yield* Endpoint.call(search, { query: { searchTerm: "DAX" } })
      expect((yield* last)?.query).toEqual({ searchTerm: "DAX" })
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("opens a position; closing it is a DELETE with a body, which goes out as a POST that says so", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      expect(yield* Endpoint.call(open, { body: order })).toEqual({ dealReference: "MINE-1" })
      const { epic, expiry, orderType, size } = order
      yield* Endpoint.call(close, { body: { epic, expiry, orderType, size, direction: "SELL" } })
      const request = yield* last
      expect(request).toMatchObject({ method: "DELETE", wireMethod: "POST", path: "/positions/otc", status: 200 })
      yield* Endpoint.call(market, { path: { epic } })
      expect(Object.keys((yield* last)?.headers ?? {})).not.toContain("_method")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("is renewed like ours", () =>
    Effect.gen(function* () {
      const { expire } = yield* Sandbox
      yield* Session.login
      yield* expire("access")
      yield* Endpoint.call(open, { body: order })
      expect(yield* requests(1)).toEqual([
        "POST /positions/otc 2 401",
        "POST /session/refresh-token 1 200",
        "POST /positions/otc 2 200"
      ])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("goes out without tokens, and without a session, when it needs none", () =>
    Effect.gen(function* () {
      yield* Endpoint.call(application)
      expect(Object.keys((yield* last)?.headers ?? {})).not.toContain("authorization")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("says where an answer is not as expected", () =>
    Effect.gen(function* () {
      const { inject } = yield* Sandbox
      yield* Session.login
      yield* inject({ kind: "answer", status: 200, text: `{"snapshot":{"bid":"1.1"}}` })
      const error = yield* Effect.flip(Endpoint.call(market, { path: { epic: "X" } }))
      expect(error).toMatchObject({ _tag: "DecodeError", operation: "markets.get", paths: ["snapshot.bid"] })
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("input that cannot be right is refused before anything is sent:", () => {
  const refused = (error: unknown, path: string) =>
    expect(error).toMatchObject({ _tag: "NotSentError", reason: "invalid-request", path })

  it.effect("a path with a hole that is empty, or that would lead elsewhere", () =>
    Effect.gen(function* () {
      yield* Session.login
      for (const epic of ["", ".", "..", "a\ud800"]) {
        refused(yield* Effect.flip(Endpoint.call(market, { path: { epic } })), "path.epic")
      }
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("a body that its schema does not take, and never what stood there", () =>
    Effect.gen(function* () {
      yield* Session.login
      const error = yield* Effect.flip(Endpoint.call(open, { body: { ...order, size: -7777 } }))
      refused(error, "body.size")
      expect(String(error)).not.toContain("7777")
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("whatever fills a hole stays one segment of the path", () =>
    Effect.gen(function* () {
      const sent: Array<HttpClientRequest.HttpClientRequest> = []
      const client = HttpClient.tapRequest(yield* HttpClient.HttpClient, (request) =>
        Effect.sync(() => void sent.push(request))
      )
      yield* Session.login
      const texts = FastCheck.sample(FastCheck.fullUnicodeString({ minLength: 1, maxLength: 12 }), runs(300))
      for (const epic of ["a/b", "a?b=c", "a#b", "%2e%2e", "a\\b", " ", ...texts]) {
        yield* Endpoint.call(market, { path: { epic } }).pipe(
          Effect.provideService(HttpClient.HttpClient, client),
          Effect.either
        )
        const url = sent.pop()?.url
        if (url === undefined) continue
        const segments = new URL(url).pathname.split("/")
        expect(segments.slice(0, -1)).toEqual(["", "gateway", "deal", "markets"])
        expect(decodeURIComponent(segments.at(-1) ?? "")).toBe(epic)
      }
    }).pipe(Effect.provide(keptInMemory()))
  )
})
