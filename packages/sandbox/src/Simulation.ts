/**
 * A virtual clock and scheduler for tests. Time jumps to the next timer as soon as nothing is runnable; when nothing can
 * move any more that is an answer, not a hang.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { makeTimers } from "./internal/timers.ts"

/**
 * `Done`: the effect has ended, at `now` ms of virtual time, after `wakes` timers. `Stuck`: it has not, and no fiber is
 * runnable and no timer is left.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<A, E> =
  | { readonly _tag: "Done"; readonly exit: Exit.Exit<A, E>; readonly now: number; readonly wakes: number }
  | { readonly _tag: "Stuck"; readonly now: number; readonly wakes: number }

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Of `Random` within the effect: the same seed gives the same run. */
  readonly seed?: string | number | undefined
  /** Where the clock starts, in ms since the epoch; 0. */
  readonly start?: number | undefined
}

/** Real time is given to others after so many wakes. */
const breath = 2_000

const makeScheduler = () => {
  const queue = new Scheduler.PriorityBuckets<() => void>()
  const scheduler: Scheduler.Scheduler = {
    shouldYield: (fiber) => (fiber.currentOpCount > 2048 ? 0 : false),
    scheduleTask: (task, priority) => queue.scheduleTask(task, priority)
  }
  const flush = () => {
    while (queue.buckets.length > 0) {
      const buckets = queue.buckets
      queue.buckets = []
      for (const [, tasks] of buckets) for (const task of tasks) task()
    }
  }
  return { scheduler, flush }
}

const makeClock = (start: number) => {
  const timers = makeTimers()
  let now = start
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now * 1e6)),
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now * 1e6))),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const cancel = timers.add(now + Duration.toMillis(duration), () => resume(Effect.void))
        return Effect.sync(cancel)
      })
  }
  /** Jumps to the next timer; `false` when there is none. */
  const advance = (): boolean => {
    const next = timers.next()
    if (next === undefined) return false
    now = Math.max(now, next.at)
    next.wake()
    return true
  }
  return { advance, clock, now: () => now }
}

/**
 * Runs the effect to its end in virtual time. Layers that are built inside it see the virtual clock too. It cannot wait
 * for promises or for anything else that the outside world does.
 *
 * @since 0.1.0
 * @category running
 */
export const run = <A, E>(effect: Effect.Effect<A, E>, options: Options = {}): Effect.Effect<Outcome<A, E>> =>
  Effect.async((resume) => {
    const { flush, scheduler } = makeScheduler()
    const { advance, clock, now } = makeClock(options.start ?? 0)
    let wakes = 0
    let ended: Exit.Exit<A, E> | undefined
    const simulated = effect.pipe(Effect.withRandom(Random.make(options.seed ?? 0)), Effect.withClock(clock))
    const fiber = Effect.runFork(simulated, { scheduler })
    fiber.addObserver((exit) => {
      ended = exit
    })
    const turn = () => {
      for (let left = breath; left > 0; left--) {
        flush()
        if (ended !== undefined) {
          return resume(Effect.succeed({ _tag: "Done", exit: ended, now: now(), wakes }))
        }
        if (!advance()) return resume(Effect.succeed({ _tag: "Stuck", now: now(), wakes }))
        wakes += 1
      }
      setImmediate(turn)
    }
    turn()
  })
