import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { constFalse } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { makeGovernor } from "../src/internal/throttleGovernor.ts"
import { keptInMemory } from "./utils/ig.ts"
import {
  demo,
  lasting,
  live,
  minute,
  queued,
  read,
  received,
  receivedAt,
  refusedFor,
  trade,
  virtually,
  waiting,
  want
} from "./utils/throttled.ts"

/** A read that says who it is, by a query that the gateway does not look at. */
const numbered = Endpoint.make({
  name: "positions.numbered",
  method: "GET",
  path: "/markets",
  version: 1,
  query: Schema.Struct({ searchTerm: Schema.String }),
  answer: Schema.Unknown
})

const ask = (number: number) => Endpoint.call(numbered, { query: { searchTerm: String(number) } })

describe("reads", () => {
  it.live("are sent in the order in which they came, whatever happens to those before them", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const fibers = yield* Effect.forEach(
          Array.from({ length: 60 }, (_, index) => index),
          (index) => Effect.fork(ask(index))
        )
        yield* Effect.sleep("30 seconds")
        // One is refused for the allowance; and each minute the bearer has to be renewed first.
        yield* refusedFor("api-key", "/markets")
        yield* Fiber.joinAll(fibers)
        expect((yield* receivedAt("POST", "/session/refresh-token")).length).toBeGreaterThan(5)
        const sent = (yield* received).flatMap(({ query, status }) =>
          query["searchTerm"] === undefined ? [] : [`${query["searchTerm"]} ${status}`]
        )
        expect(sent.filter((one) => one.endsWith(" 200"))).toHaveLength(60)
        const others = sent.filter((one) => !one.endsWith(" 200")).map((one) => one.split(" ")[0])
        expect(others).toHaveLength(1)
        const once = sent.filter((one) => !others.includes(one.split(" ")[0]))
        expect(once.map((one) => Number.parseInt(one))).toEqual(
          once.map((one) => Number.parseInt(one)).sort((a, b) => a - b)
        )
        for (const other of others) {
          const [first = 0, again = 0] = sent.flatMap((one, index) => (one.split(" ")[0] === other ? [index] : []))
          // Those that were on their way already, and nobody else.
          expect(again - first).toBeLessThan(8)
        }
      }),
      demo
    )
  )

  it.live("that leave give their place in the queue to those behind them, at once", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        const fibers = yield* queued(107)
        const waiters = fibers.slice(7)
        expect(yield* waiting).toBe(100)
        const stays = waiters.filter((_, index) => index % 30 === 1)
        yield* Fiber.interruptAll(waiters.filter((_, index) => index % 30 !== 1))
        expect(yield* waiting).toBe(stays.length)
        expect(yield* lasting(Fiber.joinAll(stays))).toBe(minute - 1)
        expect((yield* received).length).toBe(8 + stays.length)
      }),
      demo
    )
  )

  it.live("that is interrupted on the way is spent all the same", () =>
    virtually(
      Effect.gen(function* () {
        const { hold } = yield* Sandbox
        yield* Session.loginV2
        const { reached } = yield* hold("before", { path: "/positions" })
        const reading = yield* Effect.fork(read)
        yield* reached
        yield* Fiber.interrupt(reading)
        const { key } = Option.getOrThrow(yield* Throttle.status)
        expect(key).toEqual({ limit: 8, left: 6, waiting: 0, isClosed: false })
        yield* Effect.sleep(minute)
        expect(Option.getOrThrow(yield* Throttle.status).key.left).toBe(8)
      }),
      demo
    )
  )

  it.live("have a minute after the answer, not after the request, before the next may be sent", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 3)
        // The place of the login, which was answered after 3 seconds, and then that of the first read.
        expect(yield* receivedAt("GET", "/positions")).toEqual([3_000, 63_000, 66_000])
      }),
      { throttle: Throttle.layer({ key: 2, account: 30, trading: 100 }), sandbox: { switches: { latency: 3_000 } } }
    )
  )

  it.live("are sent one by one in the second half of the allowance", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* (yield* Sandbox).setSwitches({ latency: 1_000 })
        yield* Effect.replicateEffect(read, 7, { concurrency: "unbounded" })
        // The login is one of the first half.
        expect(yield* receivedAt("GET", "/positions")).toEqual([0, 0, 0, 1_000, 2_000, 3_000, 4_000])
      }),
      demo
    )
  )

  it.live("of one account do not wait for those of another, except for the key", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const reads = yield* queued(100)
        expect(yield* lasting(withAccount("SBX02")(read))).toBe(0)
        expect(Option.getOrThrow(yield* Throttle.status).accounts).toMatchObject([
          { accountId: "SBX01", reads: { left: 1, waiting: 71 } },
          { accountId: "SBX02", reads: { left: 29, waiting: 0 } }
        ])
        yield* Fiber.interruptAll(reads)
      }),
      live
    )
  )

  it.live("do not come before what the session needs", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        const reads = yield* queued(100)
        const switching = yield* Effect.fork(lasting(Session.switchAccount("SBX02")))
        yield* Effect.sleep(minute)
        const times = yield* receivedAt("PUT", "/session")
        expect(times).toEqual([minute])
        yield* Fiber.join(switching)
        yield* Fiber.interruptAll(reads)
      }),
      demo
    )
  )

  it.live("that a user's own client sends again wait for a place for that, too", () =>
    virtually(
      Effect.gen(function* () {
        const { inject } = yield* Sandbox
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 6, { discard: true })
        yield* Effect.sleep("45 seconds")
        yield* inject({ kind: "answer", status: 503, path: "/positions" })
        const repeating = Layer.effect(
          HttpClient.HttpClient,
          Effect.map(HttpClient.HttpClient, HttpClient.retryTransient({ times: 3 }))
        )
        yield* Effect.provide(read, repeating)
        expect((yield* receivedAt("GET", "/positions")).slice(6)).toEqual([45_000, minute])
        expect(Option.getOrThrow(yield* Throttle.status).key.left).toBe(6)
      }),
      demo
    )
  )
})

describe("after a refusal", () => {
  for (const [name, login, call, what] of [
    ["a read", Session.login, read, "GET /positions"],
    ["a mutation", Session.loginV2, trade, "POST /positions/otc"]
  ] as const) {
    const allowance = name === "a read" ? "account" : "account-trading"
    it.live(`${name} waits for a whole minute, goes first and alone, and then the others`, () =>
      virtually(
        Effect.gen(function* () {
          const { hold } = yield* Sandbox
          yield* login
          yield* refusedFor(allowance)
          const path = what.split(" ")[1] ?? ""
          const calls = yield* Effect.fork(Effect.replicateEffect(call, 3, { concurrency: "unbounded" }))
          yield* Effect.sleep(minute - 1)
          const before = (yield* received).filter((request) => `${request.method} ${request.path}` === what)
          const { reached, release } = yield* hold("before", { path })
          yield* reached
          yield* Effect.sleep("1 second")
          expect((yield* received).filter((request) => `${request.method} ${request.path}` === what)).toHaveLength(
            before.length + 1
          )
          yield* release
          yield* Fiber.join(calls)
          const all = (yield* received).filter((request) => `${request.method} ${request.path}` === what)
          expect(all.filter(({ status }) => status === 200)).toHaveLength(3)
          expect(all.filter(({ status }) => status === 403)).toHaveLength(1)
        }),
        live
      )
    )
  }

  it.live("a refused try closes for another minute, and one without an answer is followed by another at once", () =>
    virtually(
      Effect.gen(function* () {
        const { inject } = yield* Sandbox
        yield* Session.loginV2
        yield* inject({ kind: "allowance", allowance: "api-key", path: "/positions", times: 2 })
        yield* inject({ kind: "cutHeaders", path: "/positions" })
        const calls = yield* Effect.fork(Effect.replicateEffect(Effect.exit(read), 2, { concurrency: 1 }))
        yield* Fiber.join(calls)
        const at = yield* receivedAt("GET", "/positions")
        expect(at[1]).toBe(minute)
        expect(at[2]).toBe(2 * minute)
        expect(at[3]).toBeLessThan(2 * minute + 1_000)
      }),
      live
    )
  )

  it.live("a login and a refresh go again, and the refresh token is not spent by that", () =>
    virtually(
      Effect.gen(function* () {
        yield* refusedFor("api-key", "/session")
        expect(yield* lasting(Session.login)).toBe(minute)
        yield* refusedFor("api-key", "/session/refresh-token")
        yield* (yield* Sandbox).expire("access")
        expect(yield* lasting(read)).toBe(minute)
        expect((yield* received).map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
          "POST /session 403",
          "POST /session 200",
          "GET /positions 401",
          "POST /session/refresh-token 403",
          "POST /session/refresh-token 200",
          "GET /positions 200"
        ])
      }),
      { throttle: Throttle.layer("unlimited") }
    )
  )

  it.live("for an allowance that is none of its own, a request waits all the same", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("api-key", "/positions/otc")
        expect(yield* lasting(trade)).toBe(minute)
        yield* refusedFor("account", "/session/encryptionKey")
        expect(yield* lasting(Session.encryptionKey)).toBe(minute)
      }),
      { throttle: Throttle.layer("unlimited") }
    )
  )

  it.live("is told as an event, and counted without an account", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        const following = yield* Throttle.events.pipe(Stream.take(2), Stream.runCollect, Effect.fork)
        yield* Effect.yieldNow()
        yield* refusedFor("account", "/positions")
        yield* read
        expect(Chunk.toReadonlyArray(yield* Fiber.join(following))).toEqual([
          Throttle.Event.Closed({ at: 0, allowance: "account", accountId: Option.some("SBX01"), until: minute }),
          Throttle.Event.Opened({ at: minute, allowance: "account", accountId: Option.some("SBX01") })
        ])
        const snapshot = (yield* Metric.snapshot).filter(({ metricKey }) =>
          /^ig_(throttle|allowance)/.test(metricKey.name)
        )
        expect(snapshot.map(({ metricKey }) => metricKey.name)).toEqual(
          expect.arrayContaining(["ig_throttle_waiting", "ig_throttle_wait_ms", "ig_allowance_refusals_total"])
        )
        expect(JSON.stringify(snapshot)).not.toMatch(/SBX/)
      }),
      { throttle: Throttle.layer("unlimited") }
    )
  )
})

describe("a caller who cannot wait", () => {
  it.live("is told at once, and how long it would have been", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        const reads = yield* queued(7)
        yield* Effect.sleep(9_999)
        const impatient = Throttle.waitAtMost("20 seconds")(read)
        expect(yield* lasting(Effect.flip(impatient))).toBe(0)
        const error = yield* Effect.flip(impatient)
        expect(error).toMatchObject({
          _tag: "NotSentError",
          operation: "positions.list",
          reason: "would-wait",
          retryAfter: 50_000
        })
        expect(yield* waiting).toBe(0)
        expect(yield* lasting(Throttle.waitAtMost("50 seconds")(read))).toBe(50_000)
        yield* Fiber.interruptAll(reads)
      }),
      demo
    )
  )

  it.live("is told so when the last place is left to the bearer's end, too", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        yield* Effect.replicateEffect(read, 6)
        const impatient = Throttle.waitAtMost("2 seconds")(read)
        expect(yield* lasting(Effect.flip(impatient))).toBe(0)
        const error = yield* Effect.flip(impatient)
        // From the seventh answer to a minute after that of the login.
        expect(error).toMatchObject({ reason: "would-wait", retryAfter: 59_400 })
        // The bearer is dead by then, and renewed.
        expect(yield* lasting(read)).toBe(59_400 + 2 * 100)
      }),
      { throttle: Throttle.layer("demo"), sandbox: { preset: "demo", switches: { latency: 100 } } }
    )
  )

  it.live("is not told to ask again at once where an answer to another request decides", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 5)
        yield* (yield* Sandbox).setSwitches({ latency: 500 })
        yield* Effect.fork(read)
        yield* Effect.sleep(1)
        const error = yield* Effect.flip(Throttle.waitAtMost(0)(read))
        expect(error).toMatchObject({ reason: "would-wait", retryAfter: 1_000 })
        expect(yield* lasting(Throttle.waitAtMost("1 second")(read))).toBe(499 + 500)
      }),
      demo
    )
  )

  it.live("is told so when it has waited so long all the same, and of a renewal that would have to wait", () =>
    virtually(
      Effect.gen(function* () {
        const { expire, setSwitches } = yield* Sandbox
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 6)
        yield* setSwitches({ latency: 29_000 })
        yield* refusedFor("api-key", "/session/encryptionKey")
        yield* Effect.fork(Session.encryptionKey)
        yield* Effect.sleep("1 second")
        // A place comes back at 60 s; but at 29 s the key's lane closes until 89 s.
        expect(yield* lasting(Effect.flip(Throttle.waitAtMost("60 seconds")(read)))).toBe(minute)
        const error = yield* Effect.flip(Throttle.waitAtMost("1 second")(read))
        expect(error).toMatchObject({ reason: "would-wait", retryAfter: 28_000 })
        yield* setSwitches({ latency: 0 })
        yield* expire("all")
        expect(yield* Effect.flip(Throttle.waitAtMost("1 second")(trade))).toMatchObject({
          _tag: "NotSentError",
          operation: "session.renewal",
          reason: "would-wait"
        })
      }),
      demo
    )
  )

  it.live("waits no longer than that when it is refused and has to wait again", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key", path: "/positions", times: 3 })
        const impatient = Throttle.waitAtMost("90 seconds")(read)
        expect(yield* lasting(Effect.flip(impatient))).toBe(minute)
        expect(yield* receivedAt("GET", "/positions")).toEqual([0, minute])
      }),
      live
    )
  )

  it.live("is not told of those whom it would go before, since it came before them", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("account", "/positions")
        const first = yield* Effect.fork(Throttle.waitAtMost("60 seconds")(read))
        const others = yield* queued(100)
        expect(yield* lasting(Fiber.join(first))).toBe(minute - 1)
        yield* Fiber.interruptAll(others)
      }),
      live
    )
  )

  it.live("asks for an exchange in the same way, and a renewal that others wait for knows no such limit", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        yield* Effect.replicateEffect(read, 6)
        const full = Option.getOrThrow(yield* Throttle.status).key.left
        expect(full).toBe(1)
        yield* Session.encryptionKey
        expect(yield* Effect.flip(Throttle.waitAtMost("1 second")(Session.loginV2))).toMatchObject({
          reason: "would-wait"
        })
        expect(yield* lasting(Session.loginV2)).toBe(minute)
      }),
      demo
    )
  )
})

describe("numbers that are learnt", () => {
  it.live("replace those before, and what was spent stays spent", () =>
    virtually(
      Effect.gen(function* () {
        const { setSwitches } = yield* Sandbox
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 9, { concurrency: "unbounded" })
        yield* setSwitches({ perKeyNonTrading: 20, perAccountNonTrading: 15, perAccountTrading: 33 })
        expect(yield* Throttle.learn).toEqual({ key: 20, account: 15, trading: 33 })
        const { accounts, key } = Option.getOrThrow(yield* Throttle.status)
        expect(key).toMatchObject({ limit: 20, left: 9 })
        expect(accounts).toMatchObject([{ reads: { limit: 15, left: 5 }, trades: { limit: 33, left: 33 } }])
        expect(Option.getOrThrow(yield* Throttle.status).accounts).toHaveLength(1)
      }),
      { throttle: Throttle.layer("unlimited") }
    )
  )

  it.live("that are lower than those the queue was admitted under are not overrun", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        const reads = yield* queued(100)
        yield* Effect.sleep("59 seconds")
        const text = JSON.stringify([
          { allowanceApplicationOverall: 20, allowanceAccountOverall: 10, allowanceAccountTrading: "33" }
        ])
        yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text, path: "/operations/application" })
        const learning = yield* Effect.fork(withAccount("SBX02")(Throttle.learn))
        yield* Fiber.joinAll(reads)
        expect(yield* Fiber.join(learning)).toEqual({ key: 20, account: 10, trading: 33 })
        const times = yield* receivedAt("GET", "/positions")
        // 29 before the numbers came; in any minute that ends after that no more than 10, of which one is kept back.
        expect(times.filter((time) => time < minute)).toHaveLength(29)
        const later = times.filter((time) => time >= minute)
        expect(later).toHaveLength(71)
        expect(later.every((time, index) => (later[index + 10] ?? Number.POSITIVE_INFINITY) - time >= minute)).toBe(
          true
        )
        expect(later.at(-1)).toBe(8 * minute)
      }),
      live
    )
  )

  it.live("are those of the key in use, and none when only others are told", () =>
    virtually(
      Effect.gen(function* () {
        const { apiKey, inject } = yield* Sandbox
        yield* Session.loginV2
        const told = (...applications: ReadonlyArray<object>) =>
          inject({ kind: "answer", status: 200, text: JSON.stringify(applications), path: "/operations/application" })
        const of = (key: number, apiKey?: string) => ({
          apiKey: apiKey ?? null,
          allowanceApplicationOverall: key,
          allowanceAccountOverall: 30,
          allowanceAccountTrading: 100
        })
        yield* told(of(20, "another key"), of(40, apiKey))
        expect(yield* Throttle.learn).toMatchObject({ key: 40 })
        yield* told(of(20, "another key"), of(30))
        expect(yield* Throttle.learn).toMatchObject({ key: 30 })
        yield* told(of(20, "another key"))
        expect(yield* Effect.flip(Throttle.learn)).toMatchObject({ _tag: "DecodeError", paths: ["[].apiKey"] })
        expect(Option.getOrThrow(yield* Throttle.status).key.limit).toBe(30)
      }),
      live
    )
  )

  for (const [what, numbers, call, at] of [
    ["the key", [20, 30, 100], read, "/positions"],
    ["trades", [60, 30, 10], trade, "/positions/otc"]
  ] as const) {
    it.live(`that are lower for ${what} bind those that wait, and count what is under way`, () =>
      virtually(
        Effect.gen(function* () {
          const { hold, inject } = yield* Sandbox
          yield* Session.loginV2
          const { reached, release } = yield* hold("before", { path: at })
          const underWay = yield* Effect.fork(call)
          yield* reached
          const [key, account, trading] = numbers
          const text = JSON.stringify([
            { allowanceApplicationOverall: key, allowanceAccountOverall: account, allowanceAccountTrading: trading }
          ])
          yield* inject({ kind: "answer", status: 200, text, path: "/operations/application" })
          yield* Throttle.learn
          const others = yield* Effect.fork(Effect.replicateEffect(call, 40, { concurrency: "unbounded" }))
          yield* Effect.sleep("20 seconds")
          yield* release
          yield* Fiber.join(underWay)
          const answered = yield* Clock.currentTimeMillis
          yield* Fiber.join(others)
          const spent = (yield* received).filter(({ path }) => (what === "trades") === (path === "/positions/otc"))
          // The one that was under way counts from its answer.
          const held = spent.findIndex(({ path }) => path === at)
          const times = spent
            .map(({ receivedAt }, index) => (index === held ? answered : receivedAt))
            .sort((a, b) => a - b)
          const most = what === "trades" ? trading : key
          expect(times.length).toBeGreaterThan(40)
          expect(times.filter((time, index) => (times[index + most] ?? Infinity) - time < minute)).toEqual([])
        }),
        live
      )
    )
  }

  it.live("that no allowance can be leave those before", () =>
    virtually(
      Effect.gen(function* () {
        const { setSwitches } = yield* Sandbox
        yield* Session.loginV2
        yield* setSwitches({ perAccountTrading: 0 })
        expect(yield* Throttle.learn).toEqual({ key: 60, account: 30, trading: 100 })
      }),
      live
    )
  )
})

describe("the layer", () => {
  it.effect("says which number is none", () =>
    Effect.gen(function* () {
      for (const key of [0, -1, 1.5, Number.NaN]) {
        const error = yield* Effect.flip(
          Layer.build(Throttle.layer({ key, account: 30, trading: 100 })).pipe(Effect.scoped)
        )
        expect(String(error)).toMatch(/key.*whole number above zero/)
      }
    })
  )

  it.live("is off by default, and can be turned off", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        expect(yield* Effect.provide(Throttle.status, Throttle.off)).toEqual(Option.none())
        yield* refusedFor("api-key")
        expect(yield* Effect.flip(Effect.provide(read, Throttle.off))).toMatchObject({ _tag: "ApiError", status: 403 })
      }),
      demo
    )
  )

  it.effect("is by environment in IgClient: nothing is counted for a gateway of one's own", () =>
    Effect.gen(function* () {
      expect(Option.getOrThrow(yield* Throttle.status).key.limit).toBe(Number.POSITIVE_INFINITY)
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("accounts", () => {
  it.effect("are let go when nothing is known of them any more, and not before", () =>
    Effect.gen(function* () {
      const { run, status } = yield* makeGovernor({ key: 1_000, account: 30, trading: 100 })
      const spend = (accountId: string) => run(want(accountId), ({ leave }) => leave)
      const names = (from: number) => Array.from({ length: 20 }, (_, index) => `A${from + index}`)
      const known = Effect.map(status, ({ accounts }) => accounts.map(({ accountId }) => accountId))
      yield* Effect.forEach(names(0), spend)
      expect(yield* known).toEqual(names(0))
      yield* TestClock.adjust(minute)
      yield* spend("A3")
      yield* Effect.forEach(names(20), spend)
      expect(yield* known).toEqual(["A3", ...names(20)])
    }).pipe(Effect.scoped)
  )
})

describe("one that prepares itself", () => {
  it.effect("lets those behind it go when it leaves", () =>
    Effect.gen(function* () {
      const { run } = yield* makeGovernor({ key: 10, account: 10, trading: 10 })
      const preparing = want("A1", { isReady: constFalse, prepare: Effect.never })
      const first = yield* Effect.fork(run(preparing, ({ leave }) => leave))
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(run(want("A1"), ({ leave }) => leave))
      yield* Effect.yieldNow()
      expect(Option.isNone(yield* Fiber.poll(second))).toBe(true)
      yield* Fiber.interrupt(first)
      yield* Fiber.join(second)
    }).pipe(Effect.scoped)
  )
})

describe("a call that need not wait", () => {
  /** What the runtime asks a scheduler before each of its steps. */
  const counting = () => {
    const steps = { count: 0 }
    const scheduler: Scheduler.Scheduler = {
      shouldYield: (fiber) => {
        steps.count += 1
        return Scheduler.defaultScheduler.shouldYield(fiber)
      },
      scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority)
    }
    return { scheduler, steps }
  }

  const stepsOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const { scheduler, steps } = counting()
      return Effect.as(Effect.withScheduler(self, scheduler), steps)
    })

  it.effect("costs next to nothing more than without the throttle", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      const { count: without } = yield* stepsOf(Effect.provide(read, Throttle.off))
      const { count: within } = yield* stepsOf(read)
      expect(without).toBeGreaterThan(100)
      // The steps of `provide` are among those without.
      expect(within - without).toBeLessThan(20)
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("closing", () => {
  it.live("does not wait for an exchange that waits for a place", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* queued(7)
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Layer.fresh(SessionState.layer), scope)
        const login = yield* Effect.fork(Effect.provide(Effect.exit(Session.loginV2), context))
        yield* Effect.sleep("1 second")
        expect(yield* lasting(Scope.close(scope, Exit.void))).toBe(0)
        const exit = yield* Fiber.join(login)
        expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toMatch(/closing/)
      }),
      demo
    )
  )

  it.live("lets nobody wait on, and leaves no timer", () => {
    const isOfLayer = FiberRef.unsafeMake(false)
    return virtually(
      Effect.gen(function* () {
        yield* Session.login
        const scope = yield* Scope.make()
        const layer = Layer.locally(Layer.fresh(Throttle.layer("demo")), isOfLayer, true)
        const context = yield* Layer.buildWithScope(layer, scope)
        const calls = yield* Effect.forEach([...Array.from({ length: 9 }, () => read), trade], (call) =>
          Effect.fork(Effect.provide(Effect.exit(call), context))
        )
        yield* Effect.sleep(1)
        expect(yield* lasting(Scope.close(scope, Exit.void))).toBe(0)
        const ends: Array<Exit.Exit<unknown, unknown>> = []
        const took = yield* lasting(
          Effect.forEach(calls, (call) => Effect.map(Fiber.join(call), (end) => ends.push(end)))
        )
        expect(took).toBe(0)
        expect(ends.filter(Exit.isSuccess).length).toBe(8)
        const late = yield* Effect.flip(Effect.provide(read, context))
        expect(late).toMatchObject({ _tag: "NotSentError", reason: "not-permitted" })
        const roots = yield* Fiber.roots
        expect([...roots].filter((fiber) => fiber.getFiberRef(isOfLayer))).toEqual([])
      }),
      demo
    )
  })
})
