/**
 * Reads that fail for a passing reason are repeated: no connection, a lost answer, a 5xx, one of IG's transient codes.
 * Mutations never are.
 *
 * `IgClient` turns it on; without a layer it is off.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { IgError } from "./IgError.ts"

/**
 * Sees each error, and says whether and when the read is sent again.
 *
 * @since 0.1.0
 * @category models
 */
export type Policy = Schedule.Schedule<unknown, IgError>

/**
 * When a failed read is repeated; never, without a layer.
 *
 * @since 0.1.0
 * @category references
 */
export class ReadRetry extends Context.Reference<ReadRetry>()("@effect-ig/core/ReadRetry", {
  defaultValue: (): Option.Option<Policy> => Option.none()
}) {}

/**
 * Up to four more, after 200 ms, 400 ms, 800 ms and 1.6 s, each give or take a fifth; and no pause begins more than 30
 * seconds after the first has failed.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPolicy: Policy = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(4)),
  Schedule.upTo("30 seconds")
)

/**
 * Turns it on, by the default policy or one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (policy: Policy = defaultPolicy): Layer.Layer<ReadRetry> =>
  Layer.succeed(ReadRetry, Option.some(policy))

/**
 * Turns it off, below an `IgClient` that turns it on.
 *
 * @since 0.1.0
 * @category layers
 */
export const off: Layer.Layer<ReadRetry> = Layer.succeed(ReadRetry, Option.none())
