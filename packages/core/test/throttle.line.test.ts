/** The line and its queues by themselves: whose turn it is, who is looked after, and how long one would wait. */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { constFalse, constTrue, constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { makeLane, window } from "../src/internal/throttleLane.ts"
import { makeLanes } from "../src/internal/throttleLanes.ts"
import { makeLine } from "../src/internal/throttleLine.ts"
import { makeQueue, type Waiter } from "../src/internal/throttleQueue.ts"
import type { Sender } from "../src/internal/waiting.ts"

const made = (given: { readonly key: number; readonly account: number }, runtime = Runtime.defaultRuntime) => {
  let now = 0
  const time = { now: () => now, seen: () => now, wall: () => now }
  const lanes = makeLanes({ ...given, trading: 100 }, time, constVoid)
  return { lanes, line: makeLine(lanes, time, runtime), goTo: (at: number) => void (now = at) }
}

const reads = { rank: 2, accountId: "A" } as const

const ready = { isReady: constTrue, sender: undefined }

describe("a queue", () => {
  const lane = makeLane("api-key", Option.none(), 1)
  const queue = makeQueue(reads, [lane])
  const waiter = (order: number, number: number): Waiter => ({
    order,
    number,
    queue,
    since: 0,
    readiness: ready,
    isPrepared: false,
    signal: undefined,
    wake: undefined
  })

  it("is in the order of calls, and of the requests of one call, however they come; and counts them as what they are", () => {
    const [first, second, third, fourth] = [waiter(1, 9), waiter(2, 3), waiter(2, 5), waiter(4, 0)]
    for (const one of [third, fourth, first, second]) queue.add(one)
    expect(queue.all()).toEqual([first, second, third, fourth])
    expect(lane.waiting).toEqual({ first: 0, reads: 4 })
    queue.remove(third)
    queue.remove(first)
    expect(queue.all()).toEqual([second, fourth])
    expect(queue.head()).toBe(second)
    expect(lane.waiting).toEqual({ first: 0, reads: 2 })
  })
})

describe("in the line", () => {
  it("requests of one call go as they came", () => {
    const { goTo, lanes, line } = made({ key: 1, account: 30 })
    lanes.settle(lanes.take([lanes.key]), { verdict: "served", refused: undefined })
    const [one, other] = [line.join(reads, 5, ready), line.join(reads, 5, ready)]
    goTo(window)
    line.pump()
    expect([typeof one.signal, typeof other.signal]).toEqual(["object", "undefined"])
  })

  it("one that has prepared itself in vain prepares itself again when there is a place", () => {
    const { goTo, lanes, line } = made({ key: 1, account: 30 })
    const waiter = line.join(reads, 0, { isReady: constFalse, sender: undefined })
    expect(waiter.signal).toBe("prepare")
    const place = lanes.take([lanes.key])
    line.prepared(waiter)
    expect(waiter.signal).toBeUndefined()
    lanes.settle(place, { verdict: "served", refused: undefined })
    goTo(window)
    line.pump()
    expect(waiter.signal).toBe("prepare")
    line.prepared(waiter)
    expect(typeof waiter.signal).toBe("object")
  })

  it("who leaves from behind one that prepares itself does not disturb it", () => {
    const { line } = made({ key: 8, account: 30 })
    let told = 0
    const first = line.join(reads, 0, { isReady: constFalse, sender: undefined })
    first.wake = () => void (told += 1)
    const second = line.join(reads, 1, ready)
    expect(second.signal).toBeUndefined()
    line.leave(second)
    line.pump()
    expect(told).toBe(0)
    const third = line.join(reads, 2, ready)
    line.leave(first)
    expect(typeof third.signal).toBe("object")
  })

  it.effect("one that prepares itself is waited for without a timer", () =>
    Effect.gen(function* () {
      const { line } = made({ key: 8, account: 30 }, yield* Effect.runtime<never>())
      line.join(reads, 0, { isReady: constFalse, sender: undefined })
      yield* Effect.yieldNow()
      expect([...(yield* TestClock.sleeps())]).toEqual([])
    })
  )

  it.effect("who waits when it closes is told so once and for all, and is gone", () =>
    Effect.gen(function* () {
      const { line } = made({ key: 8, account: 30 }, yield* Effect.runtime<never>())
      const waiter = line.join(reads, 0, { isReady: constFalse, sender: undefined })
      yield* line.close
      expect(waiter.signal).toBe("closed")
      line.prepared(waiter)
      expect(waiter.signal).toBe("closed")
      expect(line.leave(waiter)).toBeUndefined()
      expect(line.size()).toBe(0)
    })
  )
})

describe("the last places of a small allowance", () => {
  const session = (end: number | undefined): Sender => ({ bearerEnds: () => end, isClosed: constFalse })

  it("are those of the key, for bearers in the order of their ends, whoever came first", () => {
    const { lanes, line } = made({ key: 4, account: 30 })
    for (const seen of [-10_000, 5_000]) lanes.key.settle(lanes.key.take(), "served", seen)
    const late = session(60_000)
    for (const sender of [late, session(10)]) line.pass(reads, { isReady: constFalse, sender })
    expect(line.pass(reads, { isReady: constTrue, sender: late })).toBeDefined()
  })

  it("are none of an account", () => {
    const { lanes, line } = made({ key: 60, account: 4 })
    const own = lanes.account("A").reads
    for (const seen of [0, 0, 0]) own.settle(own.take(), "served", seen)
    expect(line.pass(reads, { isReady: constTrue, sender: session(10) })).toBeDefined()
  })
})

describe("how long one would wait", () => {
  it("counts those before it: reads for reads alone, and nobody at the front", () => {
    const { lanes, line } = made({ key: 1, account: 30 })
    const { key } = lanes
    lanes.settle(lanes.take([key]), { verdict: "served", refused: undefined })
    Object.assign(key.waiting, { first: 1, reads: 2 })
    const exchange = { rank: 1, accountId: undefined } as const
    const alone = { rank: 2, accountId: undefined } as const
    expect(line.waitOf(exchange)).toBe(2 * window)
    expect(line.waitOf(alone)).toBe(4 * window)
    expect(line.waitOf(alone, "front")).toBe(window)
  })

  it("leaves out the places that reads do not have", () => {
    const { lanes, line } = made({ key: 20, account: 20 })
    for (const lane of [lanes.key, lanes.account("A").reads]) {
      lane.waiting.reads = 38
      expect(line.waitOf(lane === lanes.key ? { rank: 2, accountId: undefined } : reads)).toBe(2 * window)
      lane.waiting.reads = 0
    }
  })
})
