import { execFile } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bundled } from "../scripts/bundled.ts"
import { invariants } from "./invariants.ts"
import { variants, within } from "./variants.ts"

const limit = 500

/** Which of so many random programs is the first to notice; -1 for none. */
const firstToNotice = (program: string, invariant: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = ["--max-semi-space-size=64", "--stack-trace-limit=0", program, invariant, String(limit)]
    execFile(process.execPath, args, { timeout: 120_000 }, (error, out) =>
      error === null ? resolve(Number(out)) : reject(error)
    )
  })

const until = join(import.meta.dirname, "until.ts")

const broken = await Promise.all(
  variants.map(async (variant) => ({ ...variant, program: await bundled(until, within(variant)) }))
)

describe(`within ${limit} random programs it is noticed that`, () => {
  for (const { breaks, name, program } of broken) {
    it(name, async () => expect(await firstToNotice(program, breaks)).toBeGreaterThanOrEqual(0))
  }

  it("and every invariant has such a variant", () => {
    const all = new Set(variants.map(({ breaks }) => breaks))
    expect(Object.keys(invariants).filter((name) => !all.has(name))).toEqual([])
  })
})
