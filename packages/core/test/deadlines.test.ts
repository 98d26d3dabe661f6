import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { identity } from "effect/Function"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { within } from "../src/internal/deadlines.ts"

const limited = (
  duration: Duration.DurationInput,
  settings: (refs: FiberRefs.FiberRefs) => FiberRefs.FiberRefs = identity
) => within({ duration: Duration.decode(duration), onTimeout: () => "too late", settings })

const isOver = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => fiber.unsafePoll() !== null

/** Fibers that belong to nobody: the work, and what keeps its time. */
const roots = Effect.map(Fiber.roots, (fibers) => new Set(fibers))

const since = (before: ReadonlySet<unknown>) =>
  Effect.map(roots, (now) => [...now].filter((fiber) => !before.has(fiber)).length)

describe("work with a deadline", () => {
  it.effect("has its answer or its failure, and no timer is left", () =>
    Effect.gen(function* () {
      const before = yield* roots
      expect(yield* limited("1 second")(Effect.succeed(1))).toBe(1)
      expect(yield* Effect.flip(limited("1 second")(Effect.fail("no")))).toBe("no")
      const slow = yield* Effect.fork(limited("1 second")(Effect.delay(Effect.succeed(2), 999)))
      yield* TestClock.adjust(999)
      expect(yield* Fiber.join(slow)).toBe(2)
      yield* Effect.yieldNow()
      expect(yield* since(before)).toBe(0)
    })
  )

  it.effect("fails when it is over, each at its own, however many are under way and however long they are", () =>
    Effect.gen(function* () {
      const before = yield* roots
      const ended: Array<string> = []
      const begin = (name: string, duration: number, work: Effect.Effect<string>) =>
        limited(duration)(work).pipe(
          Effect.either,
          Effect.tap((either) => {
            ended.push(`${name} ${Either.merge(either)}`)
          }),
          Effect.fork
        )
      yield* begin("a", 1_000, Effect.never)
      yield* begin("b", 300, Effect.never)
      yield* begin("c", 1_000, Effect.delay(Effect.succeed("done"), 450))
      yield* TestClock.adjust(200)
      yield* begin("d", 1_000, Effect.never)
      yield* begin("e", 300, Effect.never)
      yield* Effect.yieldNow()
      expect(yield* since(before)).toBe(5 + 1)
      const seen: Array<readonly [number, ReadonlyArray<string>]> = []
      for (const at of [299, 300, 449, 450, 499, 500, 999, 1_000, 1_199, 1_200]) {
        yield* TestClock.setTime(at)
        seen.push([at, ended.splice(0)])
      }
      expect(seen).toEqual([
        [299, []],
        [300, ["b too late"]],
        [449, []],
        [450, ["c done"]],
        [499, []],
        [500, ["e too late"]],
        [999, []],
        [1_000, ["a too late"]],
        [1_199, []],
        [1_200, ["d too late"]]
      ])
      yield* Effect.yieldNow()
      expect(yield* since(before)).toBe(0)
    })
  )

  it.effect("is waited for until it has ended, by the failure and by whoever leaves", () =>
    Effect.gen(function* () {
      const before = yield* roots
      const gate = yield* Deferred.make<void>()
      const stubborn = Effect.onInterrupt(Effect.never, () => Deferred.await(gate))
      const late = yield* Effect.fork(limited(1_000)(stubborn))
      const left = yield* Effect.fork(limited("1 minute")(stubborn))
      yield* TestClock.adjust(1_000)
      yield* Fiber.interruptFork(left)
      yield* TestClock.adjust(1_000)
      expect([isOver(late), isOver(left)]).toEqual([false, false])
      yield* Deferred.succeed(gate, undefined)
      expect(yield* Effect.flip(Fiber.join(late))).toBe("too late")
      expect(Exit.isInterrupted(yield* Fiber.await(left))).toBe(true)
      yield* Effect.yieldNow()
      expect(yield* since(before)).toBe(0)
    })
  )

  it.effect("that ends long after it was over takes nobody else's time away", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      yield* Effect.fork(limited(1_000)(Effect.onInterrupt(Effect.never, () => Deferred.await(gate))))
      yield* TestClock.adjust(500)
      yield* Effect.fork(limited(1_000)(Effect.sleep(700)))
      yield* TestClock.adjust(800)
      const other = yield* Effect.fork(limited(1_000)(Effect.never))
      yield* TestClock.adjust(100)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust(899)
      expect(isOver(other)).toBe(false)
      yield* TestClock.adjust(1)
      expect(isOver(other)).toBe(true)
    })
  )

  it.effect("keeps an answer that came all the same, where nothing can be interrupted", () =>
    Effect.gen(function* () {
      const deaf = Effect.uninterruptible(limited(1_000)(Effect.delay(Effect.succeed("tokens"), 1_500)))
      const fiber = yield* Effect.fork(deaf)
      yield* TestClock.adjust(1_500)
      expect(yield* Fiber.join(fiber)).toBe("tokens")
    })
  )

  it.effect("fails as it fails by itself in time, interrupts of its own included", () =>
    Effect.gen(function* () {
      expect(Exit.isInterrupted(yield* Effect.exit(limited(1_000)(Effect.interrupt)))).toBe(true)
      const boom = new Error("a bug")
      expect(yield* Effect.exit(limited(1_000)(Effect.die(boom)))).toEqual(Exit.die(boom))
    })
  )

  it.effect("has its settings and those of its caller, who gets none of its own", () =>
    Effect.gen(function* () {
      const ours = FiberRef.unsafeMake("nothing")
      const theirs = FiberRef.unsafeMake("nothing")
      const settings = (refs: FiberRefs.FiberRefs) =>
        FiberRefs.updateAs(refs, { fiberId: FiberId.none, fiberRef: ours, value: "ours" })
      const look = Effect.all([FiberRef.get(ours), FiberRef.get(theirs)])
      const seen = limited(1_000, settings)(Effect.zipLeft(look, FiberRef.set(theirs, "its own")))
      expect(yield* Effect.locally(seen, theirs, "theirs")).toEqual(["ours", "theirs"])
      yield* FiberRef.set(theirs, "before")
      yield* seen
      expect(yield* look).toEqual(["nothing", "before"])
    })
  )
})
