import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"

const root = resolve(import.meta.dirname, "../..")

const rows = [
  ...readFileSync(join(root, "docs/defects.md"), "utf8").matchAll(/^\| ([^|]+?) +\| `([^`|]+)` +\| `([^`|]+)` +\|$/gm)
].map(([, defect = "", file = "", test = ""]) => ({ defect, file, test }))

describe("the table of docs/defects.md", () => {
  it("names tests that there are", () => {
    expect(rows.length).toBeGreaterThanOrEqual(30)
    const missing = rows.filter(({ file, test }) => !readFileSync(join(root, "packages", file), "utf8").includes(test))
    expect(missing).toEqual([])
  })
})
