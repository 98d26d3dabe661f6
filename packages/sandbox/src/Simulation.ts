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
import * as FiberId from "effect/FiberId"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { makeTimers } from "./internal/timers.ts"

/**
 * `Done`: the effect has ended, at `now` ms of virtual time, after `wakes` timers. `Stuck`: it has not, no fiber is
 * runnable, and no timer is left before the limit.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome<A, E> =
  | { readonly _tag: "Done"; readonly exit: Exit.Exit<A, E>; readonly now: number; readonly wakes: number }
  | { readonly _tag: "Stuck"; readonly now: number; readonly wakes: number }

/**
 * How a run starts, and how far it may go.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Of `Random` within the effect: the same seed gives the same run. */
  readonly seed?: string | number | undefined
  /** Where the clock starts, in ms since the epoch; 0. */
  readonly start?: number | undefined
  /** How many ms of virtual time it may take; no limit. */
  readonly limit?: number | undefined
}

/** Real time is given to others after so many rounds and wakes. */
const breath = 2_000

const makeScheduler = () => {
  const queue = new Scheduler.PriorityBuckets<() => void>()
  const scheduler: Scheduler.Scheduler = {
    shouldYield: (fiber) => (fiber.currentOpCount > 2048 ? 0 : false),
    scheduleTask: (task, priority) => queue.scheduleTask(task, priority)
  }
  /** Runs what is runnable now, not what that makes runnable; `false` when there is nothing. */
  const round = (): boolean => {
    const { buckets } = queue
    queue.buckets = []
    for (const [, tasks] of buckets) for (const task of tasks) task()
    return buckets.length > 0
  }
  return { scheduler, round }
}

const million = 1_000_000

const toNanos = (millis: number): bigint =>
  BigInt(Math.floor(millis)) * BigInt(million) + BigInt(Math.round((millis % 1) * million))

const makeClock = (start: number) => {
  const timers = makeTimers()
  let now = start
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => toNanos(now),
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => toNanos(now)),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const at = now + Duration.toMillis(duration)
        return at === Number.POSITIVE_INFINITY ? Effect.void : Effect.sync(timers.add(at, () => resume(Effect.void)))
      })
  }
  /** Jumps to the next timer; `false` when there is none in time. */
  const advance = (until: number): boolean => {
    const next = timers.next()
    if (next === undefined || next.at > until) return false
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
    const { round, scheduler } = makeScheduler()
    const start = options.start ?? 0
    const until = start + (options.limit ?? Number.POSITIVE_INFINITY)
    const { advance, clock, now } = makeClock(start)
    let wakes = 0
    let ended: Exit.Exit<A, E> | undefined
    let isLeft = false
    const simulated = effect.pipe(Effect.withRandom(Random.make(options.seed ?? 0)), Effect.withClock(clock))
    const fiber = Effect.runFork(simulated, { scheduler })
    fiber.addObserver((exit) => {
      ended = exit
    })

    /** What waits for ever may hold on to something; it is let go in the same instant, and not awaited. */
    const leave = () => {
      isLeft = true
      fiber.unsafeInterruptAsFork(FiberId.none)
      for (let left = breath; left > 0 && round(); left--);
    }
    const turn = () => {
      for (let left = breath; left > 0; left--) {
        if (isLeft) return
        if (round()) continue
        if (ended !== undefined) return resume(Effect.succeed({ _tag: "Done", exit: ended, now: now(), wakes }))
        if (!advance(until)) {
          const stuck: Outcome<A, E> = { _tag: "Stuck", now: now(), wakes }
          leave()
          return resume(Effect.succeed(stuck))
        }
        wakes += 1
      }
      setImmediate(turn)
    }
    turn()
    return Effect.sync(leave)
  })
