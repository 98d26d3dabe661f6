/** Price points are IG's to count: what it says of them is noted, and nothing is asked for when there are none. */
import * as Effect from "effect/Effect"
import { ApiError, type NotSentError } from "../IgError.ts"
import { refusedFor } from "./allowances.ts"
import { json } from "./classify.ts"
import type { Answer } from "./send.ts"
import { unsafeHoldBack } from "./telemetry.ts"

/** The price points of an account. */
export interface Budget {
  /** How long there are none, in ms; `undefined` if there are some, or nothing is known. */
  readonly wait: () => number | undefined
  /** For a request that leaves; until it is released. */
  readonly reserve: () => void
  readonly release: () => void
  /** What IG's answer says of them. */
  readonly read: (body: unknown) => void
  /** IG has refused a request for want of them; answers with how long that will be so, in ms. */
  readonly refused: () => number
}

const outOfPoints = (operation: string, retryAfter: number) =>
  unsafeHoldBack({
    operation,
    reason: "budget-exceeded",
    detail: "No price points of this account are left for the week, beside those of requests under way.",
    retryAfter
  })

const withReset =
  ({ refused }: Budget) =>
  <E>(error: E): E | ApiError =>
    error instanceof ApiError && refusedFor(error) === "account-historical-data"
      ? new ApiError({ ...error, retryAfter: refused() })
      : error

/** Of a request that costs points: how it waits for its place, and what it does when it has one. */
export const withinBudget = <E, R>(
  budget: Budget,
  operation: string,
  waiting: (
    within: <E, R>(sent: Effect.Effect<Answer, E, R>) => Effect.Effect<Answer, E | NotSentError | ApiError, R>
  ) => Effect.Effect<Answer, E, R>
): Effect.Effect<Answer, E | NotSentError, R> => {
  const check = Effect.suspend(() => {
    const wait = budget.wait()
    return wait === undefined ? Effect.void : Effect.fail(outOfPoints(operation, wait))
  })
  const reserve = Effect.zipRight(check, Effect.sync(budget.reserve))
  // Nobody waits for a place in vain, and while one waited others may have spent what there was.
  return Effect.zipRight(
    check,
    waiting((sent) =>
      Effect.acquireUseRelease(
        reserve,
        () =>
          sent.pipe(
            Effect.tap((answer) => Effect.sync(() => budget.read(json(answer.body)))),
            Effect.mapError(withReset(budget))
          ),
        () => Effect.sync(budget.release)
      )
    )
  )
}
