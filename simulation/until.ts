/**
 * Runs random programs until one breaks the invariant that is named, and says which it was: for broken variants. One that
 * is known to break it is looked at first; should it not any more, the others are, in their order.
 */
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { judge } from "./invariants.ts"
import { program, type Program } from "./program.ts"
import { run } from "./run.ts"

const [invariant = "", runs = "500", known = "0"] = process.argv.slice(2)

/** Most variants are found by the first few. */
const portionSize = 10

const portions = new Map<number, ReadonlyArray<Program>>()

const programAt = (index: number): Program | undefined => {
  const portion = Math.floor(index / portionSize)
  const programs =
    portions.get(portion) ??
    fc.sample(program(fc.constant(false)), { numRuns: portionSize, seed: 20_260 + portion * portionSize })
  portions.set(portion, programs)
  return programs[index % portionSize]
}

const isBroken = async (index: number): Promise<boolean> => {
  const one = programAt(index)
  const violations = one === undefined ? [] : judge(one, await Effect.runPromise(run(one)))
  return violations.some((violation) => violation.startsWith(`${invariant}:`))
}

const first = async (): Promise<number> => {
  for (const index of [Number(known), ...Array(Number(runs)).keys()]) if (await isBroken(index)) return index
  return -1
}

process.stdout.write(String(await first()))
