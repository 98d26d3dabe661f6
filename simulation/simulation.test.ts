import { execFile } from "node:child_process"
import * as Effect from "effect/Effect"
import fc from "fast-check"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bundled } from "../scripts/bundled.ts"
import { add, emptyTally, shortcomings } from "./distribution.ts"
import { program, type Program } from "./program.ts"
import { run } from "./run.ts"
import { violationsOf } from "./search.ts"

const main = await bundled(join(import.meta.dirname, "main.ts"))

const simulate = (...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, [main, "--fresh", ...args], (_, out) => resolve(out))
  })

describe("a session that cannot get stuck", () => {
  it("keeps all invariants in 2,000 random programs, which meet all that can go wrong", async () => {
    expect(await simulate("--runs", "2000", "--seed", "1")).toContain("All invariants hold.")
  }, 240_000)

  it("keeps them with a client of the user's that repeats whatever fails three times, in 1,000 more", async () => {
    expect(await simulate("--runs", "1000", "--seed", "2", "--retries", "--small")).toContain("All invariants hold.")
  }, 240_000)

  const folder = join(import.meta.dirname, "regressions")
  for (const file of readdirSync(folder)) {
    it(`keeps them in the program ${file}, which once broke one`, async () => {
      const kept: Program = JSON.parse(readFileSync(join(folder, file), "utf8"))
      expect(await violationsOf(kept)).toEqual([])
    })
  }

  it("is the same twice, byte for byte, for the same seed", async () => {
    const record = async (one: Program) => {
      const result = await Effect.runPromise(run(one))
      return result._tag === "Ended" ? JSON.stringify(result.report.record) : result._tag
    }
    const programs = fc.sample(program(fc.boolean()), { numRuns: 25, seed: 3 })
    for (const one of programs) expect(await record(one)).toBe(await record(one))
    expect(fc.sample(program(fc.boolean()), { numRuns: 25, seed: 3 })).toEqual(programs)
  })
})

describe("a search that is too narrow", () => {
  it("fails, and says what was met too seldom", () => {
    const tally = emptyTally()
    add(tally, { programs: 1_000, requests: 10, concurrency: 50, hits: { "fault slow": 19, "rung login": 20 } })
    expect(shortcomings(tally)).toEqual([
      `"fault slow" was met by 19 of 1000 programs only`,
      "mean concurrency is 5.0 only"
    ])
  })
})
