/**
 * What it costs to wait, by how many wait: `npx tsx packages/core/test/bench/throttle.ts`. A hundredth of them is let
 * through at a time.
 */
import { makeGovernor, makeTicket } from "../../src/internal/throttleGovernor.ts"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Effect from "effect/Effect"
import { constTrue, constUndefined } from "effect/Function"

const waiting = (count: number) =>
  Effect.gen(function* () {
    const limit = count / 100
    const { run } = yield* makeGovernor({ key: limit, account: limit, trading: limit })
    const one = Effect.suspend(() =>
      run(
        {
          operation: "bench",
          allowance: "non-trading",
          accountId: "ABC12",
          ticket: makeTicket(),
          limit: undefined,
          exchange: undefined,
          isReady: constTrue,
          prepare: Effect.void,
          bearerEnds: constUndefined
        },
        ({ leave }) => leave
      )
    )
    yield* Effect.replicateEffect(one, count, { concurrency: "unbounded", discard: true })
  }).pipe(Effect.scoped)

const time = async (count: number): Promise<number> => {
  const begun = performance.now()
  const outcome = await Effect.runPromise(Simulation.run(waiting(count)))
  if (outcome._tag !== "Done" || outcome.exit._tag !== "Success") throw new Error("it did not come to its end")
  return performance.now() - begun
}

await time(10_000)
const few = await time(10_000)
const many = await time(100_000)
process.stdout.write(`10,000: ${few.toFixed(0)} ms, 100,000: ${many.toFixed(0)} ms, ratio ${(many / few).toFixed(1)}\n`)
