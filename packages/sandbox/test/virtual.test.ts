import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { bearer, inMemory, refresh, verdict } from "./utils/raw.ts"

const ended = <A>(outcome: Simulation.Outcome<A, never>): A => {
  if (outcome._tag === "Stuck") throw new Error(`stuck at ${outcome.now}`)
  return Exit.getOrElse(outcome.exit, (cause) => {
    throw new Error(String(cause))
  })
}

class Born extends Context.Tag("test/Born")<Born, { readonly at: number; readonly age: Effect.Effect<number> }>() {}

/** Knows when it was built, by the clock of that time. */
const born = Layer.scoped(
  Born,
  Effect.gen(function* () {
    const clock = yield* Clock.clockWith(Effect.succeed)
    const at = yield* clock.currentTimeMillis
    return { at, age: Effect.map(clock.currentTimeMillis, (now) => now - at) }
  })
)

describe("in a simulation, a layer", () => {
  it.live("that is built inside sees the virtual clock", () =>
    Effect.gen(function* () {
      const life = Effect.gen(function* () {
        const { age, at } = yield* Born
        yield* Effect.sleep("3 days")
        return [at, yield* age]
      })
      const outcome = yield* Simulation.run(Effect.provide(life, born), { start: 500 })
      expect(ended(outcome)).toEqual([500, 3 * 86_400_000])
    })
  )

  it.live("that was built outside keeps the clock of outside", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(born)
      const life = Effect.gen(function* () {
        const { age } = yield* Born
        yield* Effect.sleep("3 days")
        return yield* age
      })
      expect(ended(yield* Simulation.run(Effect.provide(life, context)))).toBeLessThan(86_400_000)
    }).pipe(Effect.scoped)
  )

  it.live("works in the background until its scope closes", () =>
    Effect.gen(function* () {
      const ticks = yield* Ref.make(0)
      const ticking = Layer.scopedDiscard(
        Effect.forkScoped(
          Effect.repeat(
            Ref.update(ticks, (n) => n + 1),
            Schedule.spaced("1 minute")
          )
        )
      )
      const outcome = yield* Simulation.run(Effect.provide(Effect.sleep("59.5 minutes"), ticking))
      expect(outcome).toMatchObject({ _tag: "Done", now: 59.5 * 60_000 })
      expect(yield* Ref.get(ticks)).toBe(60)
    })
  )
})

describe("in a simulation, a daemon", () => {
  it.live("works beside the rest, and is not waited for", () =>
    Effect.gen(function* () {
      const seen = yield* Ref.make<ReadonlyArray<number>>([])
      const log = Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(seen, (all) => [...all, now]))
      const daemon = Effect.repeat(Effect.zipRight(Effect.sleep("10 seconds"), log), Schedule.forever)
      const outcome = yield* Simulation.run(Effect.zipRight(Effect.forkDaemon(daemon), Effect.sleep("25 seconds")))
      expect(outcome).toMatchObject({ _tag: "Done", now: 25_000, wakes: 3 })
      expect(yield* Ref.get(seen)).toEqual([10_000, 20_000])
    })
  )

  it.live("outlives the fiber that started it, and its failure is its own", () =>
    Effect.gen(function* () {
      const life = Effect.gen(function* () {
        const started = yield* Effect.fork(
          Effect.all([
            Effect.forkDaemon(Effect.as(Effect.sleep("1 hour"), "late")),
            Effect.forkDaemon(Effect.delay(Effect.die("alone"), "1 minute"))
          ])
        )
        const [late, failing] = yield* Fiber.join(started)
        const failure = yield* Fiber.await(failing)
        return [yield* Fiber.join(late), Exit.isFailure(failure), yield* Clock.currentTimeMillis]
      })
      expect(ended(yield* Simulation.run(life))).toEqual(["late", true, 3_600_000])
    })
  )

  it.live("that waits for ever does not keep a run from being stuck", () =>
    Effect.gen(function* () {
      const outcome = yield* Simulation.run(Effect.zipRight(Effect.forkDaemon(Effect.never), Effect.never))
      expect(outcome).toEqual({ _tag: "Stuck", now: 0, wakes: 0 })
    })
  )
})

/** Workers that draw how long they sleep, and tell through one queue. */
const race = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<string>()
  const worker = (name: number) =>
    Effect.gen(function* () {
      for (let round = 0; round < 20; round++) {
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 50))
        yield* Queue.offer(queue, `${name}@${yield* Clock.currentTimeMillis}`)
      }
    })
  yield* Effect.forEach(
    Array.from({ length: 20 }, (_, name) => name),
    worker,
    {
      concurrency: "unbounded",
      discard: true
    }
  )
  return Chunk.toReadonlyArray(yield* Queue.takeAll(queue)).join(" ")
})

describe("a simulation", () => {
  it.live("interleaves fibers in the same way for the same seed, and in another for another", () =>
    Effect.gen(function* () {
      const first = yield* Simulation.run(race, { seed: "a" })
      expect(ended(first).split(" ")).toHaveLength(400)
      expect(yield* Simulation.run(race, { seed: "a" })).toEqual(first)
      const [one, two] = yield* Effect.all([Simulation.run(race, { seed: "a" }), Simulation.run(race, { seed: "b" })], {
        concurrency: "unbounded"
      })
      expect(one).toEqual(first)
      expect(ended(two)).not.toBe(ended(first))
    })
  )

  it.live("forgets 30,000 sleeps that were interrupted, whatever their order", () =>
    Effect.gen(function* () {
      const life = Effect.gen(function* () {
        const fibers = yield* Effect.forEach(Array.from({ length: 30_000 }), (_, i) =>
          Effect.fork(Effect.sleep(1 + ((i * 7919) % 30_000)))
        )
        yield* Effect.yieldNow()
        yield* Fiber.interruptAll(fibers.filter((_, i) => i % 3 !== 0))
        const left = fibers.filter((_, i) => i % 3 === 0)
        yield* Effect.forEach(left, Fiber.join, { discard: true })
        return left.length
      })
      const outcome = yield* Simulation.run(life)
      expect(ended(outcome)).toBe(10_000)
      expect(outcome.wakes).toBe(10_000)
      expect(outcome.now).toBeLessThanOrEqual(30_000)
    })
  )

  it.live("lets go of a race's loser without living through its time", () =>
    Effect.gen(function* () {
      const one = yield* Simulation.run(Effect.race(Effect.sleep("1 second"), Effect.sleep("52 weeks")))
      expect(one).toMatchObject({ _tag: "Done", now: 1000, wakes: 1 })
      const late = yield* Simulation.run(
        Effect.timeoutTo(Effect.sleep("52 weeks"), {
          duration: "1 minute",
          onSuccess: () => "late",
          onTimeout: () => "cut"
        })
      )
      expect(ended(late)).toBe("cut")
      expect(late).toMatchObject({ now: 60_000, wakes: 1 })
    })
  )

  it.live("runs what was interrupted from within as an interruption", () =>
    Effect.gen(function* () {
      const outcome = yield* Simulation.run(Effect.zipRight(Effect.sleep(5), Effect.interrupt))
      expect(outcome).toMatchObject({ _tag: "Done", now: 5 })
      expect(outcome._tag === "Done" && Exit.isInterrupted(outcome.exit)).toBe(true)
    })
  )

  it.live("keeps time for schedules, streams and dates", () =>
    Effect.gen(function* () {
      const failing = Effect.gen(function* () {
        const times = yield* Ref.make<ReadonlyArray<number>>([])
        const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.update(times, (all) => [...all, now]))
        yield* Effect.zipRight(attempt, Effect.fail("no")).pipe(
          Effect.retry(Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(4))),
          Effect.ignore
        )
        return yield* Ref.get(times)
      })
      expect(ended(yield* Simulation.run(failing))).toEqual([0, 1000, 3000, 7000, 15_000])
      const ticks = Stream.runCount(Stream.take(Stream.tick("1 hour"), 25))
      expect(yield* Simulation.run(ticks)).toMatchObject({ _tag: "Done", now: 24 * 3_600_000 })
      const date = Effect.map(Effect.zipRight(Effect.sleep("1 day"), DateTime.now), DateTime.formatIso)
      const start = Date.UTC(2026, 10, 24)
      expect(ended(yield* Simulation.run(date, { start }))).toBe("2026-11-25T00:00:00.000Z")
    })
  )

  it.live("goes through a day of a sandbox: a refresh a minute, and one session", () =>
    Effect.gen(function* () {
      const day = Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const { refreshToken } = yield* bearer()
        const last = yield* Effect.iterate(refreshToken, {
          while: () => true,
          body: (token) =>
            Effect.gen(function* () {
              yield* Effect.sleep("1 minute")
              const answer = yield* refresh(token)
              expect(verdict(answer)).toBe("200")
              return String(answer.json.get("refresh_token"))
            })
        }).pipe(Effect.timeoutOption("1 day"))
        const record = yield* sandbox.record
        return [last._tag, record.length, record.at(-1)?.issued, yield* sandbox.liveSessions]
      })
      const outcome = yield* Simulation.run(Effect.provide(Effect.orDie(day), inMemory()), { seed: "day" })
      const [tag, requests, issued, live] = ended(outcome)
      expect([tag, live]).toEqual(["None", 1])
      expect(requests).toBe(1440)
      expect(issued).toEqual([`access-${String(requests)}`, `refresh-${String(requests)}`])
      expect(outcome.now).toBe(86_400_000)
    })
  )
})
