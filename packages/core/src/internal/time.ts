/** Time as limits are counted: in whole ms of a clock that nobody sets. */
import type * as Clock from "effect/Clock"

export interface Time {
  readonly now: () => number
  /** When an answer that came now counts as seen: at the end of its ms. */
  readonly seen: () => number
  /** In ms since the epoch: what users and bearers go by. */
  readonly wall: () => number
}

const million = 1_000_000n

export const makeTime = (clock: Clock.Clock): Time => ({
  now: () => Number(clock.unsafeCurrentTimeNanos() / million),
  seen: () => Number((clock.unsafeCurrentTimeNanos() + million - 1n) / million),
  wall: () => clock.unsafeCurrentTimeMillis()
})
