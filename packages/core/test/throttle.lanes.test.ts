/** The lanes of a key and its accounts, and the points of an account, by themselves. */
import { ApiError } from "@effect-ig/core/IgError"
import { Event } from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { makeLanes, outcomeOf, unknown } from "../src/internal/throttleLanes.ts"
import { window } from "../src/internal/throttleLane.ts"
import { makeLedger } from "../src/internal/throttleLedger.ts"

const given = { key: 60, account: 30, trading: 100 }

/** At a time that is told, with what has been told. */
const made = () => {
  let now = 0
  const events: Array<Event> = []
  const time = { now: () => now, seen: () => now, wall: () => now }
  const lanes = makeLanes(given, time, (event) => void events.push(event(now)))
  return { lanes, events, goTo: (at: number) => void (now = at) }
}

const names = (count: number, name = "A") => Array.from({ length: count }, (_, index) => `${name}${index}`)

describe("accounts", () => {
  it("of which nothing is known any more are forgotten when there are as many again, and no sooner", () => {
    const { lanes } = made()
    for (const name of names(16)) lanes.account(name)
    expect(lanes.accounts()).toHaveLength(16)
    lanes.account("B")
    expect(lanes.accounts().map(({ accountId }) => accountId)).toEqual(["B"])
  })

  it("that are in use stay, and the next look is when there are twice as many", () => {
    const { lanes } = made()
    for (const name of names(16)) lanes.take([lanes.account(name).reads])
    lanes.account("idle")
    for (const name of names(14, "C")) lanes.take([lanes.account(name).reads])
    expect(lanes.accounts()).toHaveLength(31)
    lanes.account("D")
    expect(lanes.accounts().some(({ accountId }) => accountId === "idle")).toBe(true)
    lanes.account("E")
    expect(lanes.accounts().some(({ accountId }) => accountId === "idle")).toBe(false)
    expect(lanes.accounts()).toHaveLength(31)
  })
})

describe("a lane that was closed", () => {
  it("is told of as open when IG has served the try, and not while nobody knows what became of it", () => {
    const { events, goTo, lanes } = made()
    const { key } = lanes
    lanes.settle(lanes.take([key]), { verdict: "served", refused: "api-key" })
    expect(events).toEqual([Event.Closed({ at: 0, allowance: "api-key", accountId: Option.none(), until: window })])
    goTo(window)
    lanes.settle(lanes.take([key]), unknown)
    expect(events).toHaveLength(1)
    lanes.settle(lanes.take([key]), { verdict: "served", refused: undefined })
    expect(events.slice(1)).toEqual([Event.Opened({ at: window, allowance: "api-key", accountId: Option.none() })])
  })

  it("is the key's, too, where a trade was refused for that", () => {
    const { events, lanes } = made()
    lanes.settle(lanes.take([lanes.account("A").trades]), { verdict: "served", refused: "api-key" })
    expect(lanes.key.closedUntil()).toBe(window)
    expect(events.map((event) => "allowance" in event && event.allowance)).toEqual(["account-trading", "api-key"])
  })
})

it("an answer of IG's that is no refusal for an allowance was served", () => {
  const error = new ApiError({ operation: "test", status: 404, action: "fix" })
  expect(outcomeOf(Cause.fail(error))).toEqual({ verdict: "served", refused: undefined })
})

describe("points", () => {
  const figures = (remainingAllowance: number, seconds: number) => ({ remainingAllowance, allowanceExpiry: seconds })
  const told = (...answers: ReadonlyArray<unknown>) => {
    const ledger = makeLedger()
    for (const answer of answers) ledger.read(answer, 0)
    return ledger
  }

  it("are where each version of the answer has them", () => {
    for (const answer of [
      { metadata: { allowance: figures(5, 100) }, prices: [] },
      { allowance: figures(5, 100), prices: [] }
    ]) {
      expect(told(answer).points(0)).toEqual({ left: 5, resetsAt: 100_000 })
    }
    for (const answer of [{}, { metadata: {} }, { metadata: { allowance: {} } }, "none", undefined]) {
      expect(told(answer).points(0)).toBeUndefined()
    }
  })

  it("do not become more before they are reset, which is the same one within a minute", () => {
    const after = (seconds: number) =>
      told({ allowance: figures(5, 1_000) }, { allowance: figures(8, seconds) }).points(0)?.left
    expect([940, 940.001, 1_059.999, 1_060].map(after)).toEqual([8, 5, 5, 8])
  })

  it("are known, or taken for spent by a request under way, or else there is nothing to remember", () => {
    const ledger = makeLedger()
    expect(ledger.isIdle(0)).toBe(true)
    ledger.reserve()
    expect(ledger.isIdle(0)).toBe(false)
    ledger.read({ allowance: figures(5, 100) }, 0)
    ledger.release()
    expect(ledger.isIdle(0)).toBe(false)
    ledger.reserve()
    expect(ledger.isIdle(100_000)).toBe(false)
    ledger.release()
    expect(ledger.isIdle(100_000)).toBe(true)
  })
})
