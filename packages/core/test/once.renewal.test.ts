import type { Credentials } from "@effect-ig/core/Credentials"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { Fault, Target } from "@effect-ig/sandbox/Fault"
import { type RecordedRequest, Sandbox, type TokenKind } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { beforeAll, describe } from "vitest"
import { shown } from "./utils/output.ts"
import { keptInMemory } from "./utils/ig.ts"
import { changed, logging, tracing } from "./utils/life.ts"
import { makeSpans, type Spans } from "./utils/sinks.ts"

const Order = Schema.Struct({
  epic: Schema.String,
  expiry: Schema.String,
  direction: Schema.Literal("BUY", "SELL"),
  size: Schema.Number,
  orderType: Schema.Literal("MARKET"),
  currencyCode: Schema.String,
  forceOpen: Schema.Boolean,
  guaranteedStop: Schema.Boolean,
  dealReference: Schema.String
})

const openPosition = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Order,
  answer: Schema.Struct({ dealReference: Schema.String })
})

const order = (dealReference: string) =>
  Endpoint.call(openPosition, {
    body: {
      epic: "CS.D.EURUSD.CFD.IP",
      expiry: "-",
      direction: "BUY",
      size: 1,
      orderType: "MARKET",
      currencyCode: "USD",
      forceOpen: true,
      guaranteedStop: false,
      dealReference
    }
  })

type Change = (client: HttpClient.HttpClient) => HttpClient.HttpClient

/** What users put around their client. */
const clients: ReadonlyArray<readonly [name: string, change: Change]> = [
  ["as it is", identity],
  ["with retryTransient", HttpClient.retryTransient({ times: 3 })],
  ["with retry", HttpClient.retry({ times: 3 })],
  ["with retry of any status but 2xx", (client) => HttpClient.retry(HttpClient.filterStatusOk(client), { times: 3 })],
  ["with tracing of its own, and logging of requests", (client) => logging(tracing(client))]
]

type Login = Effect.Effect<unknown, IgError, Session.Ig | Credentials>

const expiries: ReadonlyArray<readonly [name: string, login: Login, kinds: ReadonlyArray<TokenKind>]> = [
  ["a dead bearer", Session.login, ["access"]],
  ["a dead refresh token", Session.login, ["access", "refresh"]],
  ["a dead CST", Session.loginV2, ["cst"]]
]

const targets: ReadonlyArray<readonly [name: string, target: Target]> = [
  ["the order", { method: "POST", path: "/positions/otc" }],
  ["the refresh", { method: "POST", path: "/session/refresh-token" }],
  ["the login", { method: "POST", path: "/session" }],
  ["every request", {}]
]

const unavailable: Fault = { kind: "answer", status: 503, errorCode: "system.error" }

const faults: ReadonlyArray<readonly [name: string, fault: Fault]> = [
  ["503", unavailable],
  ["503 after the work", { ...unavailable, workDone: true }],
  ["a cut connection", { kind: "cutHeaders" }]
]

interface Trouble {
  readonly name: string
  readonly fault: Fault | undefined
}

const troubles: ReadonlyArray<Trouble> = [
  { name: "nothing else", fault: undefined },
  ...targets.flatMap(([at, target]) =>
    faults.flatMap(([what, fault]) =>
      ([1, 1_000] as const).map((times) => ({
        name: `${what} at ${at}, ${times} times`,
        fault: { ...fault, ...target, times }
      }))
    )
  )
]

interface Lived {
  readonly record: ReadonlyArray<RecordedRequest>
  /** Where in the record the login that the user asked for begins. */
  readonly asked: number
  /** Of each method and path, how many requests this library means to have sent. */
  readonly meant: ReadonlyMap<string, number>
}

const sends = ({ seen }: Spans): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const { attributes, name } of seen) {
    if (name !== "Ig.send") continue
    const call = `${String(attributes.get("http.request.method"))} ${String(attributes.get("url.template"))}`
    counts.set(call, (counts.get(call) ?? 0) + 1)
  }
  return counts
}

/** Through an expiry and a trouble: orders at once and after one another, a switch, a refresh, and a login. */
const life = (login: Login, kinds: ReadonlyArray<TokenKind>, fault: Fault | undefined, spans: Spans) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    yield* login
    // One that IG never took would be taken for dead from its birth.
    yield* Session.read()
    yield* sandbox.expire(...kinds)
    if (fault !== undefined) yield* sandbox.inject(fault)
    yield* Effect.all([Effect.exit(order("one")), Effect.exit(order("two"))], { concurrency: "unbounded" })
    yield* Effect.exit(order("three"))
    yield* Effect.exit(Session.refresh)
    yield* Effect.exit(order("four"))
    yield* Effect.exit(Session.switchAccount("SBX02"))
    const asked = (yield* sandbox.record).length
    yield* Effect.exit(login)
    return { record: yield* sandbox.record, asked, meant: sends(spans) } satisfies Lived
  })

/** Each in a world and a time of its own. */
const live = (change: Change, login: Login, kinds: ReadonlyArray<TokenKind>, fault: Fault | undefined) => {
  const spans = makeSpans()
  const stack = changed(change).pipe(Layer.provideMerge(keptInMemory()), Layer.provideMerge(spans.layer))
  return Effect.flatMap(Simulation.run(Effect.provide(life(login, kinds, fault, spans), stack)), (outcome) =>
    outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`)
  )
}

const of = (record: ReadonlyArray<RecordedRequest>, method: string, path: string) =>
  record.filter((request) => request.method === method && request.path === path)

const field = ({ body }: RecordedRequest, name: string): unknown =>
  typeof body === "object" && body !== null && !Array.isArray(body) ? Reflect.get(body, name) : undefined

const isOfTokens = ({ errorCode }: RecordedRequest): boolean => /-token-(invalid|missing)$/.test(errorCode ?? "")

const mutations = [
  ["POST", "/positions/otc"],
  ["PUT", "/session"],
  ["POST", "/session"],
  ["POST", "/session/refresh-token"]
] as const

const repeatedIn = (values: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  values.filter((value, index) => values.indexOf(value) !== index)

/** What went out, or was done, more often than it may; nothing, if all is well. */
const faultsOf = ({ asked, meant, record }: Lived): ReadonlyArray<string> => {
  const found: Array<string> = []
  const entered = record.flatMap((request) => request.entered)
  found.push(...entered.filter((entry) => entry.includes("rejected")))
  for (const [method, path] of mutations) {
    const sent = of(record, method, path).length
    const wanted = meant.get(`${method} ${path}`) ?? 0
    if (sent > wanted) found.push(`${method} ${path} left ${sent} times in ${wanted} attempts`)
  }
  const orders = of(record, "POST", "/positions/otc")
  for (const reference of ["one", "two", "three", "four"]) {
    const sent = orders.filter((request) => field(request, "dealReference") === reference)
    if (sent.length > 2) found.push(`order ${reference} left ${sent.length} times`)
    if (!sent.slice(0, -1).every(isOfTokens)) found.push(`order ${reference} left again after an answer to it`)
  }
  const refreshes = of(record, "POST", "/session/refresh-token")
  found.push(
    ...repeatedIn(refreshes.map((request) => field(request, "refresh_token"))).map((one) => `${String(one)} left twice`)
  )
  const passwords = record.filter((request) => field(request, "password") !== undefined)
  const byUser = passwords.filter(({ seq }) => seq >= (record[asked]?.seq ?? Infinity))
  if (byUser.length > 1) found.push(`the login that was asked for left ${byUser.length} times`)
  const byRenewal = passwords.slice(1, passwords.length - byUser.length)
  for (const [index, { receivedAt }] of byRenewal.entries()) {
    const before = byRenewal[index - 1]
    if (before === undefined || (before.status === 200 && before.isDelivered)) continue
    const pause = receivedAt - before.receivedAt
    if (pause < 60_000) found.push(`a login ${pause} ms after one that failed`)
  }
  return found
}

beforeAll(() => {
  shown.isOn = false
})

describe("through an expiry and a trouble, what changes something leaves once for each attempt", () => {
  for (const [client, change] of clients) {
    for (const [expiry, login, kinds] of expiries) {
      it.live(`${expiry}, by a client ${client}`, () =>
        Effect.gen(function* () {
          for (const { fault, name } of troubles) {
            expect([name, ...faultsOf(yield* live(change, login, kinds, fault))]).toEqual([name])
          }
        })
      )
    }
  }
})

const passwordsOf = (record: ReadonlyArray<RecordedRequest>) =>
  record
    .filter((request) => field(request, "password") !== undefined)
    .map(({ receivedAt, status }) => `${(receivedAt - (record[0]?.receivedAt ?? 0)) / 1_000} s: ${status}`)

describe("how often, exactly", () => {
  const retrying: Change = (client) => HttpClient.retry(client, { times: 3 })
  const atLogin = { method: "POST", path: "/session", times: 1_000 }

  for (const [name, login, kinds] of expiries.slice(1)) {
    it.live(`${name}, and IG fails each login: three in one renewal, a minute apart, then the user's own`, () =>
      Effect.gen(function* () {
        const { record } = yield* live(retrying, login, kinds, { ...unavailable, ...atLogin })
        expect(passwordsOf(record)).toEqual(["0 s: 200", "0 s: 503", "60 s: 503", "120 s: 503", "120 s: 503"])
      })
    )
  }

  it.live("quick logins are refused: three, 5 seconds apart", () =>
    Effect.gen(function* () {
      const { record } = yield* live(retrying, Session.loginV2, ["cst"], { kind: "failedLogin", ...atLogin })
      expect(passwordsOf(record)).toEqual(["0 s: 200", "0 s: 401", "5 s: 401", "10 s: 401", "10 s: 401"])
    })
  )

  it.live("the password is wrong: one, and none until it changes, but for the user's own", () =>
    Effect.gen(function* () {
      const wrong: Fault = { kind: "answer", status: 401, errorCode: "error.security.invalid-details", ...atLogin }
      const { record } = yield* live(retrying, Session.loginV2, ["cst"], wrong)
      expect(passwordsOf(record)).toEqual(["0 s: 200", "0 s: 401", "0 s: 401"])
    })
  )

  it.live("a refresh whose answer is lost is followed by one login, and every order enters once", () =>
    Effect.gen(function* () {
      const lost: Fault = { kind: "cutHeaders", method: "POST", path: "/session/refresh-token" }
      const { record } = yield* live(retrying, Session.login, ["access"], lost)
      expect(passwordsOf(record)).toEqual(["0 s: 200", "0 s: 200", "0 s: 200"])
      expect(record.flatMap(({ entered }) => entered).filter((entry) => entry.endsWith("OPENED"))).toHaveLength(4)
    })
  )
})

describe("the check itself turns red", () => {
  /** Below the place where a second try of the user's client is seen. */
  const doubling: Change = (client) =>
    HttpClient.transform(client, (effect) => Effect.zipRight(Effect.exit(effect), effect))

  it.live("for a client that sends everything twice, unseen", () =>
    Effect.gen(function* () {
      const found = faultsOf(yield* live(doubling, Session.login, ["access"], undefined))
      for (const sort of [
        "order one rejected: DUPLICATE_ORDER_ERROR",
        "POST /positions/otc left 12 times in 6 attempts",
        "POST /session/refresh-token left 4 times in 2 attempts",
        "order one left 4 times",
        "order one left again after an answer to it",
        "the login that was asked for left 2 times"
      ]) {
        expect(found).toContain(sort)
      }
      expect(found.filter((one) => /^refresh-\d+ left twice$/.test(one))).toHaveLength(2)
    })
  )

  it("for logins that follow each other too fast", () => {
    const login = (seq: number, receivedAt: number, status: number) =>
      ({
        seq,
        receivedAt,
        method: "POST",
        wireMethod: "POST",
        path: "/session",
        query: {},
        version: 3,
        headers: {},
        body: { password: "password:correct" },
        status,
        errorCode: undefined,
        issued: [],
        entered: [],
        isWorked: true,
        fault: undefined,
        isDelivered: true
      }) satisfies RecordedRequest
    const record = [login(1, 0, 200), login(2, 0, 503), login(3, 59_999, 503), login(4, 60_000, 200)]
    expect(faultsOf({ record, asked: 3, meant: new Map([["POST /session", 4]]) })).toEqual([
      "a login 59999 ms after one that failed"
    ])
  })
})
