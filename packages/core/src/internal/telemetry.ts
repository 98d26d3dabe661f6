/** What can be counted. Account ids are in no label, nor is anything of a token. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { NotSentError } from "../IgError.ts"
import type { StoreOperation } from "../SessionEvent.ts"

const counter = (name: string, description: string): Metric.Metric.Counter<number> =>
  Metric.counter(name, { description, incremental: true })

const outcome = (exit: Exit.Exit<unknown, unknown>): string => (Exit.isSuccess(exit) ? "success" : "failure")

const logins = counter("ig_logins_total", "Logins that were sent, by operation and outcome")

const refreshes = counter("ig_refreshes_total", "Refreshes that were sent, by outcome")

const refusals = counter("ig_token_refusals_total", "Calls whose tokens IG refused, by code")

const resends = counter("ig_resends_total", "Calls that were sent again, by reason")

const stores = counter("ig_store_operations_total", "Reads and writes of the session store, by operation and outcome")

const resumes = counter("ig_resumes_total", "Sessions that were to be resumed, by outcome")

const waits = Metric.histogram(
  "ig_renewal_wait_ms",
  MetricBoundaries.exponential({ start: 1, factor: 4, count: 9 }),
  "How long calls waited for a renewal, in ms"
)

const waiting = Metric.counter("ig_throttle_waiting", { description: "Requests that wait for an allowance" })

const throttleWaits = Metric.histogram(
  "ig_throttle_wait_ms",
  MetricBoundaries.exponential({ start: 1, factor: 4, count: 12 }),
  "How long requests waited for an allowance that had to, in ms"
)

const allowanceRefusals = counter("ig_allowance_refusals_total", "Requests that IG refused for an allowance, by which")

const heldBack = counter("ig_throttle_not_sent_total", "Requests that could not wait or had no price points, by reason")

/** Once for each request that was sent, by what came of it. */
export const countLogin =
  (operation: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.onExit(self, (exit) =>
      Metric.update(Metric.tagged(Metric.tagged(logins, "operation", operation), "outcome", outcome(exit)), 1)
    )

export const countRefresh = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onExit(self, (exit) => Metric.update(Metric.tagged(refreshes, "outcome", outcome(exit)), 1))

/** The codes that mean it are few. */
export const countRefusal = (errorCode: string | undefined): Effect.Effect<void> =>
  Metric.update(Metric.tagged(refusals, "code", errorCode ?? "none"), 1)

export const countResend = (reason: "renewed" | "retried"): Effect.Effect<void> =>
  Metric.update(Metric.tagged(resends, "reason", reason), 1)

export const countStore = (operation: StoreOperation, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> =>
  Metric.update(Metric.tagged(Metric.tagged(stores, "operation", operation), "outcome", outcome(exit)), 1)

export const countResume = (outcome: "resumed" | "nothing" | "ignored" | "dead" | "failure"): Effect.Effect<void> =>
  Metric.update(Metric.tagged(resumes, "outcome", outcome), 1)

/** Whoever leaves before the end has waited for nothing. */
export const timeWait = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    const begun = clock.unsafeCurrentTimeMillis()
    return Effect.flatMap(Effect.exit(self), (exit) => {
      waits.unsafeUpdate(clock.unsafeCurrentTimeMillis() - begun, [])
      return exit
    })
  })

export const countAllowanceRefusal = (allowance: string): Effect.Effect<void> =>
  Metric.update(Metric.tagged(allowanceRefusals, "allowance", allowance), 1)

/** A request begins to wait for an allowance. In one step with that, since whoever waits may leave at any time. */
export const unsafeBeginWait = (): void => waiting.unsafeUpdate(1, [])

/** It has waited so many ms, whatever came of it. */
export const unsafeEndWait = (waited: number): void => {
  waiting.unsafeUpdate(-1, [])
  throttleWaits.unsafeUpdate(waited, [])
}

/** A request that is not sent, for it could not wait for an allowance, or there are no points for it. */
export const unsafeHoldBack = (why: {
  readonly operation: string
  readonly reason: "would-wait" | "budget-exceeded"
  readonly detail: string
  readonly retryAfter: number
}): NotSentError => {
  Metric.tagged(heldBack, "reason", why.reason).unsafeUpdate(1, [])
  return new NotSentError(why)
}
