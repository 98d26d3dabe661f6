/** Searches a batch of random programs for one that breaks an invariant, and shrinks what it finds. */
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { count, emptyTally, type Tally } from "./distribution.ts"
import { judge } from "./invariants.ts"
import { program, type Program } from "./program.ts"
import { run } from "./run.ts"

export interface Batch {
  readonly seed: number
  readonly runs: number
  /** Only programs whose `HttpClient` repeats whatever fails; else that is every other one. */
  readonly retries: boolean
  /** Only programs of few callers, which take a fraction of the time. */
  readonly small: boolean
  readonly shrink: boolean
}

export interface Finding {
  readonly violations: ReadonlyArray<string>
  readonly program: Program
}

export interface Searched {
  readonly batch: Batch
  readonly tally: Tally
  readonly finding: Finding | undefined
}

const retrying = (batch: Batch) => (batch.retries ? fc.constant(true) : fc.boolean())

export const violationsOf = async (program: Program): Promise<ReadonlyArray<string>> =>
  judge(program, await Effect.runPromise(run(program)))

export const search = async (batch: Batch): Promise<Searched> => {
  const tally = emptyTally()
  let hasFailed = false
  const property = fc.asyncProperty(program(retrying(batch), batch.small ? "small" : undefined), async (program) => {
    const result = await Effect.runPromise(run(program))
    const violations = judge(program, result)
    // What is run to shrink a finding says nothing about the programs.
    if (!hasFailed && result._tag === "Ended") count(tally, program, result.report)
    hasFailed ||= violations.length > 0
    return violations.length === 0
  })
  const details = await fc.check(property, { seed: batch.seed, numRuns: batch.runs, endOnFailure: !batch.shrink })
  const found = details.counterexample?.[0]
  return {
    batch,
    tally,
    finding: found === undefined ? undefined : { program: found, violations: await violationsOf(found) }
  }
}
