/** All hours: `npx tsx packages/core/test/bench/throttle.hours.ts`. Fails when one of them is not as it should be. */
import { agreeing, complaints, differing, run } from "../utils/hours.ts"
import * as Effect from "effect/Effect"

const line = (cells: ReadonlyArray<string | number>): boolean => process.stdout.write(`| ${cells.join(" | ")} |\n`)

let wrong = 0
line(["hour", "served", "possible", "refused", "complaints"])
line(["---", "---", "---", "---", "---"])
for (const hour of [...agreeing, ...differing]) {
  const figures = await Effect.runPromise(run(hour))
  const found = complaints(hour, figures)
  wrong += found.length
  line([hour.name, figures.served, figures.possible, figures.refused.length, found.join("; ")])
}
if (wrong > 0) process.exitCode = 1
