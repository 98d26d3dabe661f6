import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Supervisor from "effect/Supervisor"
import * as TestClock from "effect/TestClock"
import { makeAlarm } from "../src/internal/alarm.ts"

/** Of a layer that is built where nothing can be interrupted, or of any other. */
const begunIn = (region: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor.track
    const rung: Array<string> = []
    const runtime = yield* region(Effect.supervised(Effect.runtime<never>(), supervisor))
    return { alarm: makeAlarm(runtime, () => void rung.push("rung")), alive: supervisor.value, rung }
  })

const begun = begunIn(Effect.interruptible)

it.effect("an alarm rings once, at the earliest time that it was set to", () =>
  Effect.gen(function* () {
    const { alarm, rung } = yield* begun
    alarm.set(1_000, 0)
    alarm.set(2_000, 0)
    alarm.set(500, 0)
    yield* TestClock.adjust(499)
    expect(rung).toEqual([])
    yield* TestClock.adjust(10_000)
    expect(rung).toEqual(["rung"])
  })
)

it.effect("an alarm that was cleared never rings, and is over when its timer has ended", () =>
  Effect.gen(function* () {
    const { alarm, alive, rung } = yield* begun
    yield* alarm.over
    alarm.set(1_000, 0)
    expect(yield* alive).toHaveLength(1)
    alarm.clear()
    yield* alarm.over
    expect(yield* alive).toEqual([])
    yield* TestClock.adjust(1_000)
    expect(rung).toEqual([])
  })
)

it.effect("nobody who waits for an alarm to be over waits for one that is set again", () =>
  Effect.gen(function* () {
    const { alarm, alive } = yield* begun
    alarm.set(1_000, 0)
    yield* alarm.over
    expect(yield* alive).toHaveLength(1)
    alarm.clear()
  })
)

it.effect("a timer that cannot be ended disturbs none that comes after it", () =>
  Effect.gen(function* () {
    const { alarm, alive, rung } = yield* begunIn(Effect.uninterruptible)
    alarm.set(1_000, 0)
    alarm.clear()
    alarm.set(2_000, 0)
    expect(yield* alive).toHaveLength(2)
    yield* TestClock.adjust(1_000)
    alarm.set(3_000, 1_000)
    expect(yield* alive).toHaveLength(1)
    yield* TestClock.adjust(1_000)
    expect([yield* alive, rung.length]).toEqual([[], 2])
  })
)
