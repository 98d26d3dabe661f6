/** What can be seen of the throttle at a time. */
import type * as Option from "effect/Option"

/**
 * An allowance now.
 *
 * @since 0.1.0
 * @category models
 */
export interface LaneStatus {
  /** Requests a minute; `Infinity` where there is no limit. */
  readonly limit: number
  /** How many could be sent now. */
  readonly left: number
  /** How many wait for it. */
  readonly waiting: number
  /** Is it closed, since IG has refused a request for it? */
  readonly isClosed: boolean
}

/**
 * An account that has spent of its allowances lately.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountStatus {
  readonly accountId: string
  readonly reads: LaneStatus
  readonly trades: LaneStatus
  /** Price points of the week, where IG has told them; in ms until they come back. */
  readonly points: Option.Option<{ readonly left: number; readonly resetsAfter: number }>
}

/**
 * Who waits, and what is left.
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  /** How many requests wait. */
  readonly waiting: number
  /** How long the one has waited that waits the longest, in ms. */
  readonly longestWait: number
  readonly key: LaneStatus
  readonly accounts: ReadonlyArray<AccountStatus>
}
