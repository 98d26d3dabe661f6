/** One allowance by itself: what it remembers, how it is tried after a refusal, and when others would have room. */
import { expect, it } from "@effect/vitest"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { type Claim, type Lane, makeLane, window } from "../src/internal/throttleLane.ts"

const laneOf = (limit: number) => makeLane("account", Option.some("A1"), limit)

const read: Claim = { of: "reads", ends: constant([]) }

const first: Claim = { of: "first" }

const spend = (lane: Lane, seen: number, count = 1): void => {
  for (let sent = 0; sent < count; sent += 1) lane.settle(lane.take(), "served", seen)
}

const takeMany = (lane: Lane, count: number): void => {
  for (let taken = 0; taken < count; taken += 1) lane.take()
}

/** After a refusal that was seen at 0, so long are its numbers doubted. */
const doubted = 11 * window

describe("what was spent", () => {
  it("is all remembered where there is a limit, however high", () => {
    const lane = laneOf(2_000)
    spend(lane, 0, 1_500)
    expect(lane.left(1)).toBe(500)
  })

  it("is remembered of the last thousand where there is none, for the limit that it may get", () => {
    const lane = laneOf(Number.POSITIVE_INFINITY)
    spend(lane, 0, 1_500)
    expect(lane.left(1)).toBe(Number.POSITIVE_INFINITY)
    lane.setLimit(2_000)
    expect(lane.left(1)).toBe(1_000)
    expect(lane.left(window)).toBe(2_000)
  })

  it("is given back once, though its end is told of twice", () => {
    const lane = laneOf(8)
    const place = lane.take()
    lane.settle(place, "served", 0)
    lane.settle(place, "served", 1)
    expect(lane.left(1)).toBe(7)
    expect(lane.left(window)).toBe(8)
    // Nor is it a refusal any more.
    lane.settle(place, "refused", window)
    expect(lane.closedUntil()).toBeUndefined()
  })
})

describe("after a refusal", () => {
  const closed = (limit = 8): Lane => {
    const lane = laneOf(limit)
    lane.settle(lane.take(), "refused", 0)
    return lane
  }

  it("one goes alone to see, and nobody beside it, not even what goes first", () => {
    const lane = closed()
    expect(lane.hasRoom(window - 1, first)).toBe(false)
    expect(lane.hasRoom(window, first)).toBe(true)
    const probe = lane.take()
    expect(lane.hasRoom(window, first)).toBe(false)
    expect(lane.left(window)).toBe(0)
    lane.settle(probe, "served", window)
    expect(lane.closedUntil()).toBeUndefined()
    expect(lane.hasRoom(window, first)).toBe(true)
  })

  it("one that never left or of which nobody knows has not opened it, and another goes alone", () => {
    for (const verdict of ["unsent", "unknown"] as const) {
      const lane = closed()
      lane.settle(lane.take(), verdict, window)
      expect(lane.closedUntil()).toBe(window)
      expect(lane.hasRoom(window, first)).toBe(true)
      lane.take()
      expect(lane.hasRoom(window, first)).toBe(false)
    }
  })

  it("reads go one by one for ten minutes more, and no longer", () => {
    const lane = closed()
    spend(lane, window)
    lane.take()
    expect(lane.hasRoom(doubted - 1, read)).toBe(false)
    expect(lane.hasRoom(doubted, read)).toBe(true)
  })
})

describe("the moment at which there may be room without an answer", () => {
  it("is when the soonest place comes back, though others wait for their answers", () => {
    const lane = laneOf(2)
    spend(lane, 5)
    lane.take()
    expect(lane.nextAt(10)).toBe(5 + window)
  })

  it("is when it opens for a try while it is closed, and from then on when a place comes back", () => {
    const lane = laneOf(1)
    const place = lane.take()
    lane.close(0)
    lane.settle(place, "served", 30_000)
    expect(lane.nextAt(window - 1)).toBe(window)
    // It may be tried, and has no place for that.
    expect(lane.hasRoom(window, first)).toBe(false)
    expect(lane.nextAt(window)).toBe(30_000 + window)
    expect(lane.nextAt(window + 1)).toBe(30_000 + window)
  })

  it("is none while it is tried: only the answer says more", () => {
    const lane = laneOf(8)
    const place = lane.take()
    lane.close(0)
    lane.settle(place, "served", 30_000)
    lane.take()
    expect(lane.nextAt(window)).toBeUndefined()
  })
})

describe("after so many others there would be room", () => {
  it("one window from now where nothing is known but that all places are in use", () => {
    const lane = laneOf(1)
    lane.take()
    expect(lane.roomAt(5, first, 0)).toBe(5 + window)
  })

  it("one window later for each time that they need all that reads may have, or all of it before the reads", () => {
    const lane = laneOf(40)
    const windows = (claim: Claim, ahead: number) => lane.roomAt(0, claim, ahead) / window
    // Two places of forty are kept.
    expect([37, 38, 75, 76, 113, 114].map((ahead) => windows(read, ahead))).toEqual([0, 1, 1, 2, 2, 3])
    expect([39, 40, 79, 80, 119, 120].map((ahead) => windows(first, ahead))).toEqual([0, 1, 1, 2, 2, 3])
  })

  it("at once where there is no limit, however many they are", () => {
    const lane = laneOf(Number.POSITIVE_INFINITY)
    expect(lane.roomAt(5, read, 1_000_000)).toBe(5)
    expect(lane.roomAt(5, first, 1_000_000)).toBe(5)
  })

  it("when a place comes back that they do not need", () => {
    const lane = laneOf(8)
    for (const seen of [1, 2, 3, 4, 5]) spend(lane, seen)
    const room = (ahead: number) => lane.roomAt(10, first, ahead)
    expect([2, 3, 4, 7].map(room)).toEqual([10, 1 + window, 2 + window, 5 + window])
  })

  it("not yet when the last place comes back, if that is one that reads leave", () => {
    const lane = laneOf(40)
    spend(lane, 0)
    takeMany(lane, 38)
    expect(lane.roomAt(10_000, first, 1)).toBe(window)
    expect(lane.hasRoom(window, read)).toBe(false)
    expect(lane.roomAt(10_000, read, 0)).toBe(10_000 + window)
  })
})

describe("it may be forgotten", () => {
  it("when nobody waits for it, and nothing of it is in use or comes back yet", () => {
    expect(laneOf(8).isIdle(0)).toBe(true)
    const waited = laneOf(8)
    waited.waiting.first = 1
    waited.waiting.reads = 1
    expect(waited.isIdle(0)).toBe(false)
    const wanted = laneOf(8)
    wanted.take()
    wanted.waiting.first = 1
    expect(wanted.isIdle(0)).toBe(false)
    const used = laneOf(8)
    spend(used, 0)
    const place = used.take()
    expect(used.isIdle(0)).toBe(false)
    used.settle(place, "unsent", 0)
    expect(used.isIdle(window - 1)).toBe(false)
    expect(used.isIdle(window)).toBe(true)
  })

  it("not as long as its numbers are doubted after a refusal", () => {
    const lane = laneOf(8)
    lane.close(0)
    spend(lane, window)
    expect(lane.closedUntil()).toBeUndefined()
    expect(lane.isIdle(doubted - 1)).toBe(false)
    expect(lane.isIdle(doubted)).toBe(true)
  })
})
