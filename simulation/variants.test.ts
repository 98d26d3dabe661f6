import { execFile } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { invariants } from "./invariants.ts"
import { variants, withVariant } from "./variants.ts"

const limit = 500

/** Which of so many random programs is the first to notice; -1 for none. */
const firstToNotice = (copy: string, invariant: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = [
      "--max-semi-space-size=64",
      "--import",
      "tsx",
      join(copy, "simulation/until.ts"),
      invariant,
      String(limit)
    ]
    execFile(process.execPath, args, { cwd: join(import.meta.dirname, ".."), timeout: 120_000 }, (error, out) =>
      error === null ? resolve(Number(out)) : reject(error)
    )
  })

describe(`within ${limit} random programs it is noticed that`, () => {
  for (const variant of variants) {
    it(variant.name, async () => {
      const first = await withVariant(variant, (copy) => firstToNotice(copy, variant.breaks))
      expect(first).toBeGreaterThanOrEqual(0)
    })
  }

  it("and every invariant has such a variant", () => {
    const broken = new Set(variants.map(({ breaks }) => breaks))
    expect(Object.keys(invariants).filter((name) => !broken.has(name))).toEqual([])
  })
})
