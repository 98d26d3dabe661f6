import { execFile } from "node:child_process"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bundledVariants } from "../scripts/bundled.ts"
import { invariants } from "./invariants.ts"
import { variants, within } from "./variants.ts"

const limit = 500

/** Which of so many random programs notices; -1 for none. */
const firstToNotice = (program: string, invariant: string, known: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const args = ["--stack-trace-limit=0", program, invariant, String(limit), String(known)]
    execFile(process.execPath, args, { timeout: 120_000 }, (error, out) =>
      error === null ? resolve(Number(out)) : reject(error)
    )
  })

const programs = await bundledVariants(join(import.meta.dirname, "until.ts"), variants.length, within)

const broken = variants.map((variant, index) => ({ ...variant, program: programs[index] ?? "" }))

describe(`within ${limit} random programs it is noticed that`, () => {
  for (const { breaks, name, noticedBy, program } of broken) {
    it(
      name,
      async () => {
        const noticing = await firstToNotice(program, breaks, noticedBy)
        if (noticing !== noticedBy) process.stdout.write(`${name}: noticed by program ${noticing}, not ${noticedBy}\n`)
        expect(noticing).toBeGreaterThanOrEqual(0)
      },
      120_000
    )
  }

  it("and every invariant has such a variant", () => {
    const all = new Set(variants.map(({ breaks }) => breaks))
    expect(Object.keys(invariants).filter((name) => !all.has(name))).toEqual([])
  })
})
