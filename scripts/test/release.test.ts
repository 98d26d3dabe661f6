import { describe, expect, it } from "vitest"
import { inWords, readAudit } from "../release/audit.ts"
import { type Bill, incompatible, summary, table } from "../release/licences.ts"

describe("an audit", () => {
  const report = (vulnerabilities: object, total = 36) =>
    JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { dependencies: { total } } })

  it("has found nothing only where packages were looked at", () => {
    expect(inWords(readAudit(report({})))).toBe("no known vulnerability in 36 packages")
    expect(readAudit(report({}, 0)).verdict).toBe("unavailable")
  })

  it("names what is vulnerable", () => {
    const found = readAudit(report({ ws: { severity: "high" }, undici: { severity: "low" } }))
    expect(inWords(found)).toBe("vulnerable: ws (high), undici (low)")
  })

  it.each([
    ["a registry that has none", JSON.stringify({ message: "405 Method Not Allowed - POST /bulk", statusCode: 405 })],
    ["an error of npm's", JSON.stringify({ error: { code: "ENOLOCK", summary: "needs a lockfile" } })],
    ["vulnerabilities without a count of packages", JSON.stringify({ vulnerabilities: {} })],
    ["a report of another kind", JSON.stringify({ advisories: {}, metadata: { dependencies: { total: 3 } } })],
    ["a page", "<html>bad gateway</html>"],
    ["nothing", ""],
    ["no object", "[]"]
  ])("is unavailable, and never clean, after %s", (_, output) => {
    const found = readAudit(output)
    expect(found.verdict).toBe("unavailable")
    expect(inWords(found)).toMatch(/^unavailable: ./)
  })
})

describe("the licences", () => {
  const of = (...licences: ReadonlyArray<string | undefined>): Bill => ({
    components: licences.map((expression, index) => ({
      name: `p${index}`,
      version: "1.0.0",
      ...(expression === undefined ? undefined : { licenses: [{ expression }] })
    }))
  })

  it("are compatible where MIT code may use them, by one alternative if there are several", () => {
    expect(incompatible(of("MIT", "Apache-2.0", "(BSD-3-Clause OR GPL-2.0)", "MIT AND ISC"))).toEqual([])
  })

  it("are not where there is none, an unknown one, or one that asks for more", () => {
    expect(incompatible(of("GPL-3.0-only", undefined, "MIT AND GPL-2.0", "(GPL-2.0 OR AGPL-3.0)", "Custom"))).toEqual([
      "p0: GPL-3.0-only",
      "p1: none",
      "p2: MIT AND GPL-2.0",
      "p3: (GPL-2.0 OR AGPL-3.0)",
      "p4: Custom"
    ])
    const named: Bill = { components: [{ group: "@a", name: "b", licenses: [{ license: { name: "See FILE" } }, {}] }] }
    expect(incompatible(named)).toEqual(["@a/b: See FILE AND unknown"])
  })

  it("are counted and listed", () => {
    const bill: Bill = {
      components: [
        { group: "@a", name: "b", version: "1.2.3", licenses: [{ license: { id: "MIT" } }] },
        { name: "c", version: "2.0.0", licenses: [{ license: { id: "MIT" } }] },
        { name: "d", version: "3.0.0", licenses: [{ expression: "(MIT OR ISC)" }] }
      ]
    }
    expect(summary(bill)).toBe("2 MIT, 1 (MIT OR ISC)")
    expect(table(bill)).toContain("| @a/b | 1.2.3 | MIT |\n| c | 2.0.0 | MIT |\n| d | 3.0.0 | (MIT OR ISC) |\n")
  })
})
