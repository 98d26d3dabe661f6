/** What is counted, by which labels, and of what time. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricKeyType from "effect/MetricKeyType"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Telemetry from "../src/internal/telemetry.ts"
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

it.live("another refusal is counted for no allowance", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* (yield* Sandbox).inject({ kind: "answer", status: 404, path: "/positions" })
      expect(yield* added(Effect.flip(read))).toEqual({})
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

/** Each that there is, used once. */
const useAll = Effect.gen(function* () {
  yield* Telemetry.countLogin("session.login")(Effect.void)
  yield* Telemetry.countRefresh(Effect.void)
  yield* Telemetry.countRefusal("error.security.client-token-invalid")
  yield* Telemetry.countResend("renewed")
  yield* Telemetry.countStore("load", Exit.void)
  yield* Telemetry.countResume("resumed")
  yield* Telemetry.timeWait(Effect.void)
  yield* Telemetry.countAllowanceRefusal("account")
  Telemetry.unsafeBeginWait()
  Telemetry.unsafeEndWait(0)
  Telemetry.unsafeHoldBack({ operation: "test", reason: "would-wait", detail: "", retryAfter: 1 })
})

it.effect("each says what it counts, and whether it only grows", () =>
  Effect.gen(function* () {
    yield* useAll
    const known = (yield* Metric.snapshot)
      .filter(({ metricKey: { name } }) => name.startsWith("ig_"))
      .map(({ metricKey: { description, keyType, name } }) => {
        const kind = !MetricKeyType.isCounterKey(keyType) ? "histogram" : keyType.incremental ? "grows" : "up and down"
        return `${name}, ${kind}: ${Option.getOrThrow(description)}`
      })
    expect([...new Set(known)].toSorted()).toEqual([
      "ig_allowance_refusals_total, grows: Requests that IG refused for an allowance, by which",
      "ig_logins_total, grows: Logins that were sent, by operation and outcome",
      "ig_refreshes_total, grows: Refreshes that were sent, by outcome",
      "ig_renewal_wait_ms, histogram: How long calls waited for a renewal, in ms",
      "ig_resends_total, grows: Calls that were sent again, by reason",
      "ig_resumes_total, grows: Sessions that were to be resumed, by outcome",
      "ig_store_operations_total, grows: Reads and writes of the session store, by operation and outcome",
      "ig_throttle_not_sent_total, grows: Requests that could not wait or had no price points, by reason",
      "ig_throttle_wait_ms, histogram: How long requests waited for an allowance that had to, in ms",
      "ig_throttle_waiting, up and down: Requests that wait for an allowance",
      "ig_token_refusals_total, grows: Calls whose tokens IG refused, by code"
    ])
  })
)
