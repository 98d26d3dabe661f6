/** How long work may take: one timer for all that is under way on a clock, where `Effect.timeout` has a fiber for each. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Iterable from "effect/Iterable"
import * as Runtime from "effect/Runtime"
import type * as Scheduler from "effect/Scheduler"
import { makeAlarm } from "./alarm.ts"
import { makeTime } from "./time.ts"

interface Deadline {
  readonly millis: number
  readonly at: number
  readonly miss: () => void
}

interface Deadlines {
  /** Misses it after so many ms, unless it is met before that, by what this answers with. */
  readonly add: (millis: number, miss: () => void) => () => void
}

const makeDeadlines = (clock: Clock.Clock, scheduler: Scheduler.Scheduler): Deadlines => {
  const time = makeTime(clock)
  /** By how long they are: those that are as long as each other come in the order in which they were added. */
  const ahead = new Map<number, Set<Deadline>>()

  /** Whoever has missed it may end when others are there. */
  const remove = (deadline: Deadline): void => {
    const deadlines = ahead.get(deadline.millis)
    deadlines?.delete(deadline)
    if (deadlines?.size === 0) ahead.delete(deadline.millis)
  }

  const firsts = (): ReadonlyArray<Deadline> =>
    [...ahead.values()].flatMap((deadlines) => [...Iterable.take(deadlines, 1)])

  const ring = (): void => {
    const now = time.now()
    for (const deadlines of ahead.values()) {
      for (const deadline of deadlines) {
        if (deadline.at > now) break
        remove(deadline)
        deadline.miss()
      }
    }
    if (ahead.size > 0) alarm.set(Math.min(...firsts().map(({ at }) => at)), now)
  }

  const runtime = Runtime.defaultRuntime.pipe(
    Runtime.setFiberRef(DefaultServices.currentServices, Context.add(DefaultServices.liveServices, Clock.Clock, clock)),
    Runtime.setFiberRef(FiberRef.currentScheduler, scheduler)
  )
  const alarm = makeAlarm(runtime, ring)

  return {
    add: (millis, miss) => {
      const now = time.now()
      const deadlines = ahead.get(millis) ?? new Set()
      const mine: Deadline = { millis, at: now + millis, miss }
      ahead.set(millis, deadlines.add(mine))
      alarm.set(mine.at, now)
      return () => {
        remove(mine)
        if (ahead.size === 0) alarm.clear()
      }
    }
  }
}

/** Timers belong to a clock, and what they do to a scheduler: tests have others than everybody else. */
const known = new WeakMap<Scheduler.Scheduler, WeakMap<Clock.Clock, Deadlines>>()

const deadlinesOf = (refs: FiberRefs.FiberRefs): Deadlines => {
  const scheduler = FiberRefs.getOrDefault(refs, FiberRef.currentScheduler)
  const clock = Context.get(FiberRefs.getOrDefault(refs, DefaultServices.currentServices), Clock.Clock)
  const clocks = known.get(scheduler) ?? new WeakMap<Clock.Clock, Deadlines>()
  known.set(scheduler, clocks)
  const deadlines = clocks.get(clock) ?? makeDeadlines(clock, scheduler)
  clocks.set(clock, deadlines)
  return deadlines
}

export interface Limit<E> {
  readonly duration: Duration.Duration
  readonly onTimeout: () => E
  /** What is set for the work, and for nothing after it. */
  readonly settings: (refs: FiberRefs.FiberRefs) => FiberRefs.FiberRefs
}

/**
 * Runs the work in a fiber of its own, which is interrupted when the time is over; whoever leaves waits until it has
 * ended, as does the failure. Where nothing can be interrupted, an answer that comes too late is not thrown away.
 */
export const within =
  <E2>({ duration, onTimeout, settings }: Limit<E2>) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.flatMap(Effect.runtime<R>(), (runtime) =>
      Effect.async<A, E | E2>((resume) => {
        let isLate = false
        let met: (() => void) | undefined
        const fiber = Runtime.runFork(Runtime.updateFiberRefs(runtime, settings))(self)
        fiber.addObserver((exit) => {
          met?.()
          resume(isLate && Exit.isFailure(exit) ? Effect.failSync(onTimeout) : exit)
        })
        if (fiber.unsafePoll() === null) {
          met = deadlinesOf(runtime.fiberRefs).add(Duration.toMillis(duration), () => {
            isLate = true
            fiber.unsafeInterruptAsFork(FiberId.none)
          })
        }
        return Fiber.interrupt(fiber)
      })
    )
