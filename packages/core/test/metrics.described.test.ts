/** What each metric says of itself, to whoever exports it. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricKeyType from "effect/MetricKeyType"
import * as Option from "effect/Option"
import * as Telemetry from "../src/internal/telemetry.ts"
import { read, virtually } from "./utils/throttled.ts"

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

/** By allowance; what was counted before is of others. */
const refusals = Effect.map(Metric.snapshot, (pairs) =>
  pairs
    .filter(({ metricKey: { name } }) => name === "ig_allowance_refusals_total")
    .map(({ metricKey: { tags }, metricState }) => ({ tags, metricState }))
)

it.live("a refusal for something else is counted for no allowance", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* (yield* Sandbox).inject({ kind: "answer", status: 404, path: "/positions" })
      const before = yield* refusals
      yield* Effect.flip(read)
      expect(yield* refusals).toEqual(before)
    }),
    { throttle: Throttle.layer("live") }
  )
)
