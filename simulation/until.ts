/** Runs random programs until one breaks the invariant that is named, and says which it was: for broken variants. */
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { judge } from "./invariants.ts"
import { program } from "./program.ts"
import { run } from "./run.ts"

const [invariant = "", runs = "500"] = process.argv.slice(2)

/** Most variants are found by the first few. */
const portion = 10

const first = async (): Promise<number> => {
  for (let done = 0; done < Number(runs); done += portion) {
    const programs = fc.sample(program(fc.constant(false)), { numRuns: portion, seed: 20_260 + done })
    for (const [index, program] of programs.entries()) {
      const violations = judge(program, await Effect.runPromise(run(program)))
      if (violations.some((violation) => violation.startsWith(`${invariant}:`))) return done + index
    }
  }
  return -1
}

process.stdout.write(String(await first()))
