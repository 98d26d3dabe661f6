import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import { asked, bearer, inMemory, refresh, verdict } from "./utils/raw.ts"

const done = <A, E>(outcome: Simulation.Outcome<A, E>): A => {
  if (outcome._tag === "Stuck") throw new Error(`stuck at ${outcome.now}`)
  return Exit.getOrElse(outcome.exit, (cause) => {
    throw new Error(String(cause))
  })
}

describe("a simulation", () => {
  it.live("sleeps 30,000 times one after the other, and 30,000 at once", () =>
    Effect.gen(function* () {
      const one = yield* Simulation.run(Effect.repeatN(Effect.sleep("1 minute"), 29_999))
      expect(one).toMatchObject({ _tag: "Done", now: 30_000 * 60_000, wakes: 30_000 })
      // Not timed: to fork so many fibers takes as long without any clock.
      const all = yield* Simulation.run(
        Effect.forEach(Array.from({ length: 30_000 }), (_, i) => Effect.sleep(i + 1), { concurrency: "unbounded" })
      )
      expect(all).toMatchObject({ _tag: "Done", now: 30_000, wakes: 30_000 })
    })
  )

  it.live("wakes in the order of time, and of asking where that is the same", () =>
    Effect.gen(function* () {
      const woken: Array<string> = []
      const sleeper = (name: string, millis: number) =>
        Effect.zipRight(
          Effect.sleep(millis),
          Effect.sync(() => void woken.push(name))
        )
      const all = Effect.all([sleeper("c", 30), sleeper("a", 10), sleeper("b", 10), sleeper("d", 31)], {
        concurrency: "unbounded"
      })
      expect((yield* Simulation.run(all))._tag).toBe("Done")
      expect(woken).toEqual(["a", "b", "c", "d"])
    })
  )

  it.live("forgets sleeps that were interrupted", () =>
    Effect.gen(function* () {
      const short = yield* Simulation.run(Effect.timeout(Effect.sleep("1 second"), "1 hour"))
      expect(short).toMatchObject({ _tag: "Done", now: 1000, wakes: 1 })
      const left = Effect.gen(function* () {
        yield* Fiber.interrupt(yield* Effect.fork(Effect.sleep("1 hour")))
        return yield* Effect.never
      })
      expect(yield* Simulation.run(left)).toMatchObject({ _tag: "Stuck", now: 0, wakes: 0 })
    })
  )

  it.live("says stuck when nothing can move, and lets go of what was held", () =>
    Effect.gen(function* () {
      let released = 0
      const waits = Effect.flatMap(Deferred.make<void>(), Deferred.await).pipe(
        Effect.ensuring(Effect.sync(() => void released++)),
        Effect.delay("2 seconds")
      )
      expect(yield* Simulation.run(waits)).toMatchObject({ _tag: "Stuck", now: 2000 })
      expect(released).toBe(1)
      expect(yield* Simulation.run(Effect.sleep(Infinity))).toMatchObject({ _tag: "Stuck", now: 0 })
    })
  )

  it.live("ends at its limit", () =>
    Effect.gen(function* () {
      const forever = Effect.forever(Effect.sleep("1 second"))
      expect(yield* Simulation.run(forever, { start: 500, limit: 10_000 })).toMatchObject({
        _tag: "Stuck",
        now: 10_500
      })
      const intime = yield* Simulation.run(Effect.sleep("10 seconds"), { limit: 10_000 })
      expect(intime).toMatchObject({ _tag: "Done", now: 10_000 })
    })
  )

  it.live("is left when its caller is interrupted, and leaves room for others meanwhile", () =>
    Effect.gen(function* () {
      let wakes = 0
      const forever = Effect.forever(
        Effect.zipRight(
          Effect.sleep(1),
          Effect.sync(() => void wakes++)
        )
      )
      const fiber = yield* Effect.fork(Simulation.run(forever))
      yield* Effect.sleep("30 millis")
      yield* Fiber.interrupt(fiber)
      const then = wakes
      yield* Effect.sleep("10 millis")
      expect(wakes).toBe(then)
      expect(wakes).toBeGreaterThan(0)
    })
  )

  it.live("is the same for the same seed, and starts when it is told to", () =>
    Effect.gen(function* () {
      const draw = Effect.all([Random.next, Random.next, Clock.currentTimeMillis, Clock.currentTimeNanos])
      const start = 1_795_521_979_363
      const first = done(yield* Simulation.run(draw, { seed: "a", start }))
      expect(done(yield* Simulation.run(draw, { seed: "a", start }))).toEqual(first)
      expect(done(yield* Simulation.run(draw, { seed: "b", start }))).not.toEqual(first)
      expect(first.slice(2)).toEqual([start, BigInt(start) * 1_000_000n])
    })
  )

  it.live("keeps failures, defects and daemons as they are", () =>
    Effect.gen(function* () {
      const failed = yield* Simulation.run(Effect.fail("no"))
      expect(failed._tag === "Done" && failed.exit).toEqual(Exit.fail("no"))
      const died = yield* Simulation.run(Effect.delay(Effect.die("oh"), 5))
      expect(died).toMatchObject({ _tag: "Done", now: 5, exit: Exit.die("oh") })
      const awaited = Effect.flatMap(Effect.forkDaemon(Effect.delay(Effect.succeed(7), "1 day")), Fiber.join)
      expect(done(yield* Simulation.run(awaited))).toBe(7)
    })
  )

  it.live("runs the sandbox in memory, whose tokens expire in virtual time", () =>
    Effect.gen(function* () {
      const life = Effect.gen(function* () {
        const { headers, refreshToken } = yield* bearer()
        yield* Effect.sleep("59 seconds")
        const young = yield* asked({ headers })
        yield* Effect.sleep("1 second")
        return [young, yield* asked({ headers }), verdict(yield* refresh(refreshToken))]
      })
      const expected = ["200", "401 error.security.oauth-token-invalid", "200"]
      expect(done(yield* Simulation.run(Effect.provide(Effect.orDie(life), inMemory())))).toEqual(expected)
    })
  )
})
