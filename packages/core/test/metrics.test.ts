/** What is counted, by which labels, and of what time. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as TestClock from "effect/TestClock"
import { keptInMemory } from "./utils/ig.ts"
import { minute, read, refusedFor, virtually } from "./utils/throttled.ts"

/** By name and labels: a count, or of a histogram its sum. */
const totals = Effect.map(
  Metric.snapshot,
  (pairs) =>
    new Map(
      pairs.flatMap(({ metricKey: { name, tags }, metricState }) => {
        const labels = tags.map(({ key, value }) => `${key}=${value}`).toSorted()
        const total = MetricState.isCounterState(metricState)
          ? Number(metricState.count)
          : MetricState.isHistogramState(metricState)
            ? metricState.sum
            : undefined
        return total === undefined ? [] : [[[name, ...labels].join(" "), total] as const]
      })
    )
)

/** What has been added meanwhile; what was counted before is of others. */
const added = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* totals
    yield* self
    const after = [...(yield* totals)].map(([name, total]) => [name, total - (before.get(name) ?? 0)] as const)
    return Object.fromEntries(after.filter(([name, total]) => name.startsWith("ig_") && total !== 0))
  })

it.effect("a renewal is counted, and how long a call has waited for it", () =>
  Effect.gen(function* () {
    const { expire, hold } = yield* Sandbox
    yield* TestClock.adjust("1 hour")
    yield* Session.login
    yield* expire("access")
    const { reached, release } = yield* hold("after", { path: "/session/refresh-token" })
    const counted = added(
      Effect.gen(function* () {
        const reading = yield* Effect.fork(Session.read())
        yield* reached
        yield* TestClock.adjust("3 seconds")
        yield* release
        yield* Fiber.join(reading)
      })
    )
    expect(yield* counted).toEqual({
      "ig_refreshes_total outcome=success": 1,
      "ig_token_refusals_total code=error.security.oauth-token-invalid": 1,
      "ig_resends_total reason=renewed": 1,
      ig_renewal_wait_ms: 3_000
    })
  }).pipe(Effect.provide(Throttle.off), Effect.provide(keptInMemory()))
)

it.live("a refusal for an allowance is counted by which, and how long the request then waits", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* refusedFor("account", "/positions")
      expect(yield* added(read)).toEqual({
        "ig_allowance_refusals_total allowance=account": 1,
        ig_throttle_wait_ms: minute
      })
    }),
    { throttle: Throttle.layer("live") }
  )
)

it.live("what is not sent is counted by why, and who waits as long as he waits", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* Effect.replicateEffect(read, 7)
      expect(yield* added(Effect.flip(Throttle.waitAtMost("1 second")(read)))).toEqual({
        "ig_throttle_not_sent_total reason=would-wait": 1
      })
      const waiting = added(Effect.zipRight(Effect.fork(read), Effect.sleep("1 second")))
      expect(yield* waiting).toEqual({ ig_throttle_waiting: 1 })
    }),
    { throttle: Throttle.layer("demo") }
  )
)
