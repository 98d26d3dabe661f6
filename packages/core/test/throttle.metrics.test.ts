import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Schema from "effect/Schema"
import { describe } from "vitest"
import { live, minute, read, refusedFor, virtually, waiting } from "./utils/throttled.ts"

/** Of this name, and with this label if one is given. */
const seen = (name: string, label?: string) =>
  Effect.map(Metric.snapshot, (pairs) => {
    let count = 0
    let sum = 0
    for (const { metricKey, metricState } of pairs) {
      if (metricKey.name !== name) continue
      if (label !== undefined && !metricKey.tags.some(({ value }) => value === label)) continue
      if (MetricState.isCounterState(metricState)) count += Number(metricState.count)
      if (MetricState.isHistogramState(metricState)) {
        count += metricState.count
        sum += metricState.sum
      }
    }
    return { count, sum }
  })

/** How much more there is of it than when this was made: metrics are the process's. */
const since = (name: string, label?: string) =>
  Effect.map(seen(name, label), (before) =>
    Effect.map(seen(name, label), ({ count, sum }) => ({ count: count - before.count, sum: sum - before.sum }))
  )

const prices = Endpoint.call(
  Endpoint.make({
    name: "prices.get",
    method: "GET",
    path: "/prices/{epic}",
    version: 3,
    query: Schema.Struct({ max: Schema.Number }),
    allowance: "history",
    answer: Schema.Unknown
  }),
  { path: { epic: "CS.D.EURUSD.CFD.IP" }, query: { max: 10 } }
)

describe("metrics", () => {
  it.live("tell how many wait, as the status does, and how long each has waited that had to", () =>
    virtually(
      Effect.gen(function* () {
        const nowWaiting = yield* since("ig_throttle_waiting")
        const waited = yield* since("ig_throttle_wait_ms")
        const expectWaiting = (count: number) =>
          Effect.gen(function* () {
            expect((yield* nowWaiting).count).toBe(count)
            expect(yield* waiting).toBe(count)
          })
        yield* Session.loginV2
        yield* read
        yield* expectWaiting(0)
        expect(yield* waited).toEqual({ count: 0, sum: 0 })
        yield* refusedFor("account", "/positions")
        const first = yield* Effect.fork(read)
        yield* Effect.sleep(10_000)
        const second = yield* Effect.fork(read)
        const third = yield* Effect.fork(read)
        yield* Effect.sleep(10_000)
        yield* expectWaiting(3)
        // It has waited in vain, but it has waited.
        yield* Fiber.interrupt(third)
        yield* expectWaiting(2)
        expect(yield* waited).toEqual({ count: 1, sum: 10_000 })
        yield* Fiber.joinAll([first, second])
        yield* expectWaiting(0)
        expect(yield* waited).toEqual({ count: 3, sum: 10_000 + minute + 50_000 })
      }),
      { throttle: Throttle.layer("unlimited") }
    )
  )

  it.live("count what was not sent, for it could not wait or had no price points", () =>
    virtually(
      Effect.gen(function* () {
        const impatient = yield* since("ig_throttle_not_sent_total", "would-wait")
        const pointless = yield* since("ig_throttle_not_sent_total", "budget-exceeded")
        yield* Session.loginV2
        yield* Throttle.waitAtMost("1 second")(prices)
        expect([(yield* impatient).count, (yield* pointless).count]).toEqual([0, 0])
        yield* Effect.flip(prices)
        expect([(yield* impatient).count, (yield* pointless).count]).toEqual([0, 1])
        yield* refusedFor("account", "/positions")
        yield* Effect.flip(Throttle.waitAtMost("1 second")(read))
        expect([(yield* impatient).count, (yield* pointless).count]).toEqual([1, 1])
      }),
      { ...live, sandbox: { preset: "live", switches: { historicalPointsPerWeek: 10 } } }
    )
  )
})
