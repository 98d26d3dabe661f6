/** One allowance by itself: who may have a place in it, and when. */
import { expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { type Claim, type Lane, makeLane, window } from "../src/internal/throttleLane.ts"

const laneOf = (limit: number) => makeLane("api-key", Option.none(), limit)

const reads = (...ends: ReadonlyArray<number>): Claim => ({ of: "reads", ends: constant(ends) })

const first: Claim = { of: "first" }

const spend = (lane: Lane, seen: number): void => lane.settle(lane.take(), "served", seen)

/** How many requests of such a claim may leave now, one after the other. */
const many = (lane: Lane, claim: Claim, now: number): number => {
  let count = 0
  while (lane.hasRoom(now, claim)) {
    spend(lane, now)
    count += 1
  }
  return count
}

describe("of an allowance that is too small to keep places", () => {
  it("reads have all but one for each bearer that ends before another place comes back", () => {
    expect(many(laneOf(8), reads(), 0)).toBe(8)
    expect(many(laneOf(8), reads(10_000), 0)).toBe(7)
    expect(many(laneOf(8), reads(10_000, 10_000, 10_000), 0)).toBe(5)
    expect(many(laneOf(8), reads(10_000, 10_000, window), 0)).toBe(6)
    expect(many(laneOf(8), reads(window), 0)).toBe(8)
  })

  it("a read has one when nothing of it is in use, however many bearers end", () => {
    expect(many(laneOf(1), reads(10_000), 0)).toBe(1)
    expect(many(laneOf(2), reads(10_000, 10_000), 0)).toBe(1)
  })

  it("what goes first has the last one", () => {
    const lane = laneOf(8)
    expect(many(lane, reads(10_000), 0)).toBe(7)
    expect(many(lane, first, 0)).toBe(1)
  })
})

it("of a larger one reads leave a twentieth, three at most", () => {
  expect([20, 39, 40, 60, 200].map((limit) => limit - many(laneOf(limit), reads(), 0))).toEqual([1, 1, 2, 3, 3])
})

it("the time at which there would be room is the first at which there is", () => {
  const times = FastCheck.array(FastCheck.integer({ min: 0, max: window }), { maxLength: 30 })
  const ends = FastCheck.array(FastCheck.integer({ min: 0, max: 2 * window }), { maxLength: 4 })
  FastCheck.assert(
    FastCheck.property(
      FastCheck.integer({ min: 1, max: 25 }),
      times,
      ends,
      FastCheck.boolean(),
      (limit, spent, ends, isFirst) => {
        const lane = laneOf(limit)
        const answers = spent.slice(0, limit).sort((a, b) => a - b)
        for (const at of answers) spend(lane, at)
        const claim = isFirst ? first : reads(...ends.sort((a, b) => a - b))
        const room = lane.roomAt(window, claim, 0)
        expect(room).toBeLessThanOrEqual(2 * window)
        const moments = [window, ...answers.map((at) => at + window)].filter((at) => at >= window)
        const found = moments.find((at) => lane.hasRoom(at, claim))
        expect(room).toBe(found)
      }
    ),
    { numRuns: 1_000 }
  )
})
