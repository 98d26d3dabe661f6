/** The governor and its crowd by themselves: what is told, what is forgotten, and who may still go. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constTrue, identity } from "effect/Function"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { makeCrowd } from "../src/internal/throttleCrowd.ts"
import { type Departure, makeGovernor } from "../src/internal/throttleGovernor.ts"
import type { Exchange, Sender } from "../src/internal/waiting.ts"
import { demo, lasting, minute, queued, read, refusedFor, trade, virtually, waiting, want } from "./utils/throttled.ts"

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

const alone = { throttle: Throttle.off } as const

const leaves = ({ leave }: Departure) => leave

describe("the crowd", () => {
  it("forgets sessions that have closed each time that they have doubled, and none that is open", () => {
    const crowd = makeCrowd(() => [])
    let asked = 0
    const session = (isClosed: boolean): Sender => ({
      bearerEnds: () => 1,
      isClosed: () => {
        asked += 1
        return isClosed
      }
    })
    const askedNow = () => {
      asked = 0
      crowd.bearersEnd()
      return asked
    }
    crowd.meet(undefined)
    for (const _ of numbers(14)) crowd.meet(session(true))
    expect(askedNow()).toBe(14)
    // Nobody is looked for among so few.
    asked = 0
    crowd.meet(session(false))
    expect(asked).toBe(0)
    crowd.meet(session(true))
    // The sixteenth that was known made the others be looked at.
    expect(askedNow()).toBe(2)
    for (const _ of numbers(100)) crowd.meet(session(false))
    expect(askedNow()).toBeGreaterThanOrEqual(101)
    asked = 0
    for (const _ of numbers(10)) crowd.meet(session(false))
    expect(asked).toBe(0)
  })

  it("keeps a queue as long as somebody waits in it, and no longer", () => {
    const crowd = makeCrowd(() => [])
    const of = { rank: 2, accountId: "A1" } as const
    const queue = crowd.queueOf(of, undefined)
    const waiter = (number: number) => ({
      order: number,
      number,
      queue,
      since: 0,
      readiness: { isReady: constTrue, sender: undefined },
      isPrepared: false,
      signal: undefined,
      wake: undefined
    })
    const [first, second] = [waiter(0), waiter(1)]
    crowd.add(first)
    crowd.add(second)
    crowd.remove(first)
    expect(crowd.queueOf(of, undefined)).toBe(queue)
    crowd.remove(second)
    expect(crowd.queueOf(of, undefined)).not.toBe(queue)
  })
})

describe("once the governor has closed", () => {
  const exchange: Exchange = { sender: undefined, closing: Effect.never, aside: identity }

  it.live("who waits is told so, and who comes; what an exchange needs to end still waits and goes", () =>
    virtually(
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { run } = yield* Scope.extend(makeGovernor({ key: 1, account: 30, trading: 100 }), scope)
        yield* run(want("A1"), leaves)
        const waits = yield* Effect.fork(Effect.flip(run(want("A1"), leaves)))
        yield* Effect.sleep(1)
        const ending = yield* Effect.fork(lasting(run(want("A1", { exchange }), leaves)))
        yield* Effect.sleep(1)
        yield* Effect.fork(Scope.close(scope, Exit.void))
        const closing = { _tag: "NotSentError", reason: "not-permitted", detail: "The session's layer is closing." }
        expect(yield* Fiber.join(waits)).toMatchObject(closing)
        expect(yield* Effect.flip(run(want("A1"), leaves))).toMatchObject(closing)
        const late = yield* Effect.fork(run(want("A1", { exchange }), leaves))
        expect(yield* Fiber.join(ending)).toBe(minute - 1)
        yield* Fiber.join(late)
      }),
      alone
    )
  )
})

it.live("who comes after others is told at once when it would have to wait for them, too", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* read
      yield* queued(2)
      expect(yield* waiting).toBe(2)
      const limited = Effect.flip(Throttle.waitAtMost("90 seconds")(read))
      expect(yield* limited).toMatchObject({
        reason: "would-wait",
        detail: "It would have waited for IG's allowances longer than its caller wants."
      })
      expect(yield* lasting(Effect.exit(limited))).toBe(0)
    }),
    { throttle: Throttle.layer({ key: 2, account: 30, trading: 100 }) }
  )
)

it.live("a trade that goes at once has not waited, though reads do", () =>
  virtually(
    Effect.gen(function* () {
      const waits = Effect.map(Metric.snapshot, (pairs) =>
        pairs.reduce(
          (sum, { metricKey, metricState }) =>
            metricKey.name === "ig_throttle_wait_ms" && MetricState.isHistogramState(metricState)
              ? sum + metricState.count
              : sum,
          0
        )
      )
      yield* Session.loginV2
      yield* Effect.replicateEffect(read, 7)
      yield* queued(3)
      const before = yield* waits
      yield* trade
      expect(yield* waits).toBe(before)
    }),
    demo
  )
)

describe("price points that IG refuses", () => {
  const prices = Endpoint.make({
    name: "prices.get",
    method: "GET",
    path: "/prices/{epic}",
    version: 3,
    allowance: "history",
    query: Schema.Struct({ max: Schema.Number }),
    answer: Schema.Unknown
  })
  const ask = (max: number) => Endpoint.call(prices, { path: { epic: "CS.D.EURUSD.CFD.IP" }, query: { max } })
  const told = Effect.gen(function* () {
    const events: Array<Throttle.Event> = []
    yield* Effect.fork(Stream.runForEach(Throttle.events, (event) => Effect.sync(() => void events.push(event))))
    yield* Effect.yieldNow()
    return events
  })
  const options = {
    throttle: Throttle.layer("live"),
    sandbox: { preset: "live", switches: { historicalPointsPerWeek: 10 } }
  } as const

  it.live("are told of as closed until they come back, where nothing was known of them", () =>
    virtually(
      Effect.gen(function* () {
        const events = yield* told
        yield* Session.loginV2
        yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "account-historical-data" })
        yield* Effect.sleep("10 seconds")
        const hour = 3_600_000
        expect(yield* Effect.flip(ask(1))).toMatchObject({ _tag: "ApiError", retryAfter: hour })
        expect(yield* Effect.flip(ask(1))).toMatchObject({
          reason: "budget-exceeded",
          detail: "No price points of this account are left for the week, beside those of requests under way."
        })
        yield* Effect.yieldNow()
        expect(events).toEqual([
          Throttle.Event.Closed({
            at: 10_000,
            allowance: "account-historical-data",
            accountId: Option.some("SBX01"),
            until: 10_000 + hour
          })
        ])
      }),
      options
    )
  )

  it.live("are not, where there were fewer than the request wanted, and some", () =>
    virtually(
      Effect.gen(function* () {
        const events = yield* told
        yield* Session.loginV2
        yield* ask(4)
        expect(yield* Effect.flip(ask(9))).toMatchObject({ _tag: "ApiError", status: 403 })
        yield* Effect.yieldNow()
        expect(events).toEqual([])
        yield* ask(6)
      }),
      options
    )
  )
})

it.live("a failure that is no refusal for an allowance is counted as none", () =>
  virtually(
    Effect.gen(function* () {
      const refusals = Effect.map(
        Metric.snapshot,
        (pairs) => pairs.filter(({ metricKey }) => metricKey.name === "ig_allowance_refusals_total").length
      )
      yield* Session.loginV2
      const before = yield* refusals
      yield* (yield* Sandbox).inject({ kind: "answer", status: 404, errorCode: "error.none", path: "/positions" })
      yield* Effect.flip(read)
      expect(yield* refusals).toBe(before)
      yield* refusedFor("account-trading", "/positions")
      yield* read
      expect(yield* refusals).toBeGreaterThan(0)
    }),
    { throttle: Throttle.layer("live") }
  )
)
