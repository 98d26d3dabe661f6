/** What must hold of the mutants of all packages. */
import { percent, type Score, sum } from "./score.ts"
import { mutated } from "./shards.ts"
import { type Explained, inWords, missing } from "./survivors.ts"

/** In percent. */
const least = 85
const mostIgnored = 2

const ofPackage = (all: ReadonlyArray<Score>, of: string) =>
  all.filter(({ file }) => file.startsWith(`packages/${of}/`))

/** Which demands are not met, in words. */
export const broken = (all: ReadonlyArray<Score>, explained: ReadonlyArray<Explained>): ReadonlyArray<string> => {
  const survivors = all.flatMap((score) => score.survivors)
  const total = sum(all)
  const ignored = (100 * total.ignored) / Math.max(1, total.all)
  return [
    ...mutated.flatMap((of) => {
      const own = ofPackage(all, of)
      if (own.length === 0) return [`${of}: no mutant was looked at`]
      const score = percent(sum(own))
      return score < least ? [`${of}: ${score.toFixed(2)} % are noticed, and must be ${least} %`] : []
    }),
    ...(ignored > mostIgnored ? [`${ignored.toFixed(2)} % are ignored, and may be ${mostIgnored} %`] : []),
    ...all.flatMap(({ unreasoned }) => unreasoned.map((one) => `ignored without a reason: ${inWords(one)}`)),
    ...missing(survivors, explained).map((one) => `not explained: ${inWords(one)}`),
    ...missing(explained, survivors).map((one) => `explained, and none that survives: ${inWords(one)}`)
  ]
}
