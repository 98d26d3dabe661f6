/** When there are more tests, what had survived is looked at again, and nothing else. */
import type { Mutant, Report } from "./report.ts"
import { isNoticed } from "./score.ts"
import { type Explained, missing, survivor } from "./survivors.ts"

/** Where they are, as Stryker takes it: its columns count from 0 there, and from 1 in its reports. */
export const ranges = ({ files }: Report, known: ReadonlyArray<Explained>): ReadonlyArray<string> =>
  Object.entries(files).flatMap(([file, { mutants, source }]) =>
    mutants
      .filter((mutant) => !isNoticed(mutant) && mutant.status !== "Ignored")
      .filter((mutant) => missing([survivor(file, source, mutant)], known).length > 0)
      .map(({ location: { end, start } }) => `${file}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`)
  )

const key = ({ location: { end, start }, mutatorName, replacement }: Mutant): string =>
  JSON.stringify([start.line, start.column, end.line, end.column, mutatorName, replacement])

/** What was noticed before stays so. */
export const merged = (before: Report, again: Report): Report => ({
  testFiles: again.testFiles,
  files: Object.fromEntries(
    Object.entries(before.files).map(([file, { mutants, source }]) => {
      const later = new Map(again.files[file]?.mutants.map((mutant) => [key(mutant), mutant]))
      const now = (mutant: Mutant): Mutant => (isNoticed(mutant) ? mutant : (later.get(key(mutant)) ?? mutant))
      return [file, { source, mutants: mutants.map(now) }]
    })
  )
})
