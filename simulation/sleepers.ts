/** Who sleeps: a timer that outlives the client is as much of a leak as a fiber. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export interface Sleepers {
  /** The same clock, by which nobody sleeps unseen. */
  readonly counting: Clock.Clock
  readonly sleeping: () => number
}

export const makeSleepers = (clock: Clock.Clock): Sleepers => {
  let count = 0
  const sleep: Clock.Clock["sleep"] = (duration) =>
    Effect.suspend(() => {
      count += 1
      return Effect.ensuring(
        clock.sleep(duration),
        Effect.sync(() => {
          count -= 1
        })
      )
    })
  return { counting: { ...clock, sleep }, sleeping: () => count }
}
