/** How many of the mutants are noticed. */
import type { Mutant, Report } from "./report.ts"
import { type Survivor, survivor } from "./survivors.ts"

export interface Score {
  readonly file: string
  readonly noticed: number
  readonly ignored: number
  readonly all: number
  readonly survivors: ReadonlyArray<Survivor>
  /** Ignored without a word why. */
  readonly unreasoned: ReadonlyArray<Survivor>
}

export const isNoticed = ({ status }: Mutant): boolean => status === "Killed" || status === "Timeout"

/** Whatever is neither noticed nor ignored has survived: not covered, or ended in a way that tells nothing. */
export const scores = ({ files }: Report): ReadonlyArray<Score> =>
  Object.entries(files).map(([file, { mutants, source }]) => {
    const ignored = mutants.filter(({ status }) => status === "Ignored")
    return {
      file,
      all: mutants.length,
      noticed: mutants.filter(isNoticed).length,
      ignored: ignored.length,
      survivors: mutants
        .filter((mutant) => !isNoticed(mutant) && mutant.status !== "Ignored")
        .map((mutant) => survivor(file, source, mutant)),
      unreasoned: ignored
        .filter(({ statusReason }) => (statusReason ?? "").trim() === "")
        .map((mutant) => survivor(file, source, mutant))
    }
  })

type Counts = Pick<Score, "all" | "ignored" | "noticed">

export const sum = (all: ReadonlyArray<Counts>): Counts => ({
  all: all.reduce((total, one) => total + one.all, 0),
  ignored: all.reduce((total, one) => total + one.ignored, 0),
  noticed: all.reduce((total, one) => total + one.noticed, 0)
})

/** In percent of those that are not ignored. */
export const percent = ({ all, ignored, noticed }: Counts): number =>
  all === ignored ? 100 : (100 * noticed) / (all - ignored)

export const row = (name: string, counts: Counts): string =>
  `${percent(counts).toFixed(1).padStart(6)} %  ${String(counts.noticed).padStart(4)} of ${String(counts.all - counts.ignored).padStart(4)}  ${name}`
