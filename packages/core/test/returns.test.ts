/** Moments by themselves, as an allowance keeps them: the soonest first, until they are over. */
import { expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { makeReturns } from "../src/internal/returns.ts"

it("of more than there may be the soonest are let go, and not those that were let go before once more", () => {
  const returns = makeReturns()
  for (let at = 0; at < 10; at += 1) returns.add(at)
  returns.forgetUntil(2)
  returns.forgetAllBut(5)
  expect([returns.size(), returns.at(0), returns.at(4), returns.at(5)]).toEqual([5, 5, 9, undefined])
  returns.forgetAllBut(5)
  returns.forgetAllBut(1_000)
  expect([returns.size(), returns.at(0)]).toEqual([5, 5])
})

it("what is left is what a plain list would hold, however many come and go", () => {
  const number = FastCheck.integer({ min: 0, max: 300 })
  const kind = FastCheck.constantFrom("add" as const, "forgetUntil" as const, "forgetAllBut" as const)
  FastCheck.assert(
    FastCheck.property(FastCheck.array(FastCheck.tuple(kind, number), { maxLength: 30 }), (steps) => {
      const returns = makeReturns()
      let list: ReadonlyArray<number> = []
      let last = 0
      for (const [step, value] of steps) {
        if (step === "add") {
          const added = Array.from({ length: value }, (_, index) => last + index)
          last += value
          for (const at of added) returns.add(at)
          list = [...list, ...added]
        } else if (step === "forgetUntil") {
          const now = (list[0] ?? 0) + value
          returns.forgetUntil(now)
          list = list.filter((at) => at > now)
        } else {
          returns.forgetAllBut(value)
          list = list.slice(Math.max(0, list.length - value))
        }
        expect(Array.from({ length: returns.size() + 1 }, (_, index) => returns.at(index))).toEqual([
          ...list,
          undefined
        ])
      }
    }),
    { numRuns: 100 }
  )
})

/** In bytes, of what is in use. */
const heap = (): number => {
  setFlagsFromString("--expose-gc")
  const collect: unknown = runInNewContext("gc")
  if (typeof collect === "function") collect()
  return process.memoryUsage().heapUsed
}

it("what was let go of takes no memory, though it came and went a thousand at a time", () => {
  const returns = makeReturns()
  const before = heap()
  let now = 0
  for (let round = 0; round < 2_000; round += 1) {
    for (let index = 0; index < 1_000; index += 1) returns.add((now += 1))
    returns.forgetUntil(now)
  }
  // To keep two million numbers would take four times as much.
  expect(heap() - before).toBeLessThan(4_000_000)
  expect(returns.size()).toBe(0)
})
