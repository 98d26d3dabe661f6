/** When there are more tests, what had survived is looked at again, and nothing else. */
import type { Mutant, Report } from "./report.ts"
import { isNoticed } from "./score.ts"

/**
 * Where they are, as Stryker takes it: its columns count from 0 there, and from 1 in its reports. Those that are explained
 * are among them: an explanation of what a test has come to notice is not true any more.
 */
export const ranges = ({ files }: Report): ReadonlyArray<string> =>
  Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants
      .filter((mutant) => !isNoticed(mutant) && mutant.status !== "Ignored")
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
