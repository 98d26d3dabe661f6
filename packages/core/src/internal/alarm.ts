/** One timer for all who wait. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"

export interface Alarm {
  /** Rings then, or earlier. */
  readonly set: (at: number, now: number) => void
  readonly clear: () => void
  /** Ends when nothing is left of it, unless it was set meanwhile. */
  readonly over: Effect.Effect<void>
}

interface Setting {
  readonly at: number
  fiber: Fiber.RuntimeFiber<void> | undefined
}

export const makeAlarm = (runtime: Runtime.Runtime<never>, ring: () => void): Alarm => {
  let current: Setting | undefined
  let last: Fiber.RuntimeFiber<void> | undefined

  const clear = (): void => {
    current?.fiber?.unsafeInterruptAsFork(FiberId.none)
    current = undefined
  }

  return {
    clear,
    set: (at, now) => {
      if (current !== undefined && current.at <= at) return
      clear()
      const mine: Setting = { at, fiber: undefined }
      current = mine
      const rings = Effect.sync(() => {
        if (current === mine) current = undefined
        ring()
      })
      mine.fiber = Runtime.runFork(runtime)(Effect.zipRight(Effect.sleep(at - now), rings))
      last = mine.fiber
    },
    over: Effect.suspend(() =>
      current !== undefined || last === undefined ? Effect.void : Effect.asVoid(Fiber.await(last))
    )
  }
}
