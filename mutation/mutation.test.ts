import { expect, it } from "@effect/vitest"
import { resolve } from "node:path"
import { describe } from "vitest"
import { merged, ranges } from "./again.ts"
import { holds, inputs, isOld } from "./kept.ts"
import { options, UsageError } from "./options.ts"
import { decode, original, testsOf } from "./report.ts"
import { percent, scores, sum } from "./score.ts"
import { shards } from "./shards.ts"
import { missing } from "./survivors.ts"
import { broken } from "./verdict.ts"

const source = "const isDead = (age: number): boolean => age > 60\nconst table = [\n  1\n]\n"

const mutant = (status: string, more: object = {}) => ({
  id: "1",
  mutatorName: "EqualityOperator",
  replacement: "age >= 60",
  status,
  location: { start: { line: 1, column: 42 }, end: { line: 1, column: 50 } },
  ...more
})

const report = (statuses: ReadonlyArray<string>, file = "packages/core/src/a.ts", more: object = {}) =>
  decode(
    JSON.stringify({
      schemaVersion: "1.0",
      files: { [file]: { language: "typescript", source, mutants: statuses.map((status) => mutant(status, more)) } },
      testFiles: { "a.test.ts": { tests: [{ id: "0" }, { id: "1" }] }, "b.test.ts": { tests: [{ id: "2" }] } }
    })
  )

const many = (count: number, status: string): ReadonlyArray<string> => Array.from({ length: count }, () => status)

const judged = (core: ReadonlyArray<string>, explained: ReadonlyArray<typeof known> = [], more: object = {}) =>
  broken(
    [
      ...scores(report(core, "packages/core/src/a.ts", more)),
      ...scores(report(["Killed"], "packages/encryption/src/a.ts"))
    ],
    explained
  )

const known = {
  file: "packages/core/src/a.ts",
  line: "const isDead = (age: number): boolean => age > 60",
  mutator: "EqualityOperator",
  original: "age > 60",
  replacement: "age >= 60",
  reason: "nobody is that old to the millisecond"
}

describe("a report", () => {
  it("tells how many tests the first run had, and what stood where a mutant is", () => {
    const read = report(["Killed"])
    expect(testsOf(read)).toBe(3)
    const [one] = read.files["packages/core/src/a.ts"]?.mutants ?? []
    expect(one === undefined ? undefined : original(source, one)).toBe("age > 60")
    expect(
      one === undefined
        ? undefined
        : original(source, { ...one, location: { start: { line: 2, column: 15 }, end: { line: 4, column: 2 } } })
    ).toBe("[\n  1\n]")
  })

  it("counts what no test reached, and what ended without a verdict, as survived", () => {
    const [score] = scores(report(["Killed", "Timeout", "Survived", "NoCoverage", "RuntimeError", "Ignored"]))
    expect(score).toMatchObject({ all: 6, noticed: 2, ignored: 1 })
    expect(score?.survivors).toHaveLength(3)
    expect(score === undefined ? undefined : percent(sum([score, score]))).toBe(40)
  })
})

describe("the verdict", () => {
  it("is good from 85 % on, when each survivor is explained", () => {
    expect(judged([...many(17, "Killed"), ...many(3, "Survived")], [known])).toEqual([])
  })

  it("is bad below, in one package or the other", () => {
    expect(judged([...many(16, "Killed"), ...many(4, "Survived")], [known])).toEqual([
      "core: 80.00 % are noticed, and must be 85 %"
    ])
    expect(broken(scores(report(["Killed"])), [])).toEqual(["encryption: no mutant was looked at"])
  })

  it("is bad when a survivor is not explained, or what is explained does not survive", () => {
    const survivors = [...many(9, "Killed"), "Survived"]
    expect(judged(survivors)).toEqual([
      "not explained: packages/core/src/a.ts: const isDead = (age: number): boolean => age > 60\n    EqualityOperator: age > 60 → age >= 60"
    ])
    expect(judged(["Killed"], [known])).toHaveLength(1)
    expect(judged(survivors, [{ ...known, replacement: "age < 60" }])).toHaveLength(2)
  })

  it("is bad when more than 2 % are ignored, or one without a reason", () => {
    const reason = { statusReason: "for the reader only" }
    expect(judged([...many(98, "Killed"), "Ignored"], [], reason)).toEqual([])
    expect(judged([...many(97, "Killed"), ...many(3, "Ignored")], [], reason)).toEqual([
      "2.97 % are ignored, and may be 2 %"
    ])
    expect(judged([...many(98, "Killed"), "Ignored"])).toHaveLength(1)
  })
})

describe("a report that was kept", () => {
  const then = { "packages/core/src/a.ts": "1", "packages/core/test/a.test.ts": "1" }

  it("holds as long as nothing has changed but that there are more test files", () => {
    expect([holds(then, then), isOld(then, then)]).toEqual([true, false])
    const more = { ...then, "packages/core/test/b.test.ts": "1" }
    expect([holds(then, more), isOld(then, more)]).toEqual([true, true])
    expect(holds(more, then)).toBe(false)
    expect(holds(then, { ...then, "packages/core/test/a.test.ts": "2" })).toBe(false)
    expect(holds(then, { ...then, "packages/core/src/b.ts": "1" })).toBe(false)
    expect(holds(then, { ...then, "packages/core/test/utils/b.ts": "1" })).toBe(false)
  })

  it("is of all that is mutated, tested and installed", () => {
    const names = Object.keys(inputs(resolve(import.meta.dirname, "..")))
    expect(names).toEqual(
      expect.arrayContaining([
        "packages/core/src/Session.ts",
        "packages/core/src/internal/send.ts",
        "packages/sandbox/src/Sandbox.ts",
        "packages/core/test/send.test.ts",
        "packages/core/test/utils/slots.ts",
        "mutation/kept.ts",
        "mutation/setup/worker.ts",
        "docs/encryption.md",
        "pnpm-lock.yaml"
      ])
    )
  })

  it("has what survived looked at again", () => {
    const place = "packages/core/src/a.ts:1:41-1:49"
    expect(ranges(report(["Killed", "Survived", "NoCoverage", "Ignored"]))).toEqual([place, place])
  })

  it("takes what came of that, and keeps what was noticed before", () => {
    const other = { location: { start: { line: 1, column: 1 }, end: { line: 1, column: 6 } } }
    const [before, again] = [report(["Killed", "Survived"]), report(["Survived"], undefined, other)]
    const statuses = (one: typeof before) =>
      Object.values(one.files).flatMap(({ mutants }) => mutants.map((m) => m.status))
    expect(statuses(merged(before, report(["Killed"])))).toEqual(["Killed", "Killed"])
    expect(statuses(merged(before, report(["Survived"])))).toEqual(["Killed", "Survived"])
    expect(statuses(merged(before, again))).toEqual(["Killed", "Survived"])
  })
})

it("an explanation holds wherever its line moves, and for no other line", () => {
  expect(missing([known], [known])).toEqual([])
  expect(missing([known], [{ ...known, line: "another" }])).toEqual([known])
})

it("shards hold each source once, neighbours together, and about as much as another", () => {
  const sizes = [390, 5, 100, 500, 399, 1, 1]
  const all = sizes.map((lines, index) => ({ file: `${index}.ts`, lines }))
  expect(shards("core", all).map(({ files, name }) => [name, files.join()])).toEqual([
    ["core-01", "0.ts,1.ts"],
    ["core-02", "2.ts"],
    ["core-03", "3.ts"],
    ["core-04", "4.ts,5.ts"],
    ["core-05", "6.ts"]
  ])
})

it("the command takes files, and nothing that it does not know", () => {
  expect(options([])).toEqual({ only: [], fresh: false, judge: false })
  expect(options(["--", "--only", "a.ts, b.ts,", "--fresh"])).toEqual({
    only: ["a.ts", "b.ts"],
    fresh: true,
    judge: false
  })
  expect(() => options(["--all"])).toThrow(UsageError)
})
