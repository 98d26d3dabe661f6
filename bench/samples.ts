/** What was measured of sides in turns, and what is kept of it. */
import { type Estimate, estimate, median } from "./statistics.ts"

/** In ms: of one thing, or of many that were counted. */
export interface Cost {
  readonly wall: number
  readonly cpu: number
}

/** Of each round, in order, by the side's name. */
export type Samples = Readonly<Record<string, ReadonlyArray<Cost>>>

/** By how much more one side costs than another. */
export interface Ratio {
  readonly of: string
  readonly to: string
  readonly wall: Estimate
  readonly cpu: Estimate
}

export interface Contest {
  readonly title: string
  /** Of what the costs are: "a call". */
  readonly each: string
  readonly rounds: number
  /** The typical cost of each side, in ms. */
  readonly sides: Readonly<Record<string, Cost>>
  readonly ratios: ReadonlyArray<Ratio>
}

const typical = (costs: ReadonlyArray<Cost>): Cost => ({
  wall: median(costs.map(({ wall }) => wall)),
  cpu: median(costs.map(({ cpu }) => cpu))
})

/** Of what the two took in the same round, when the machine was as busy for the one as for the other. */
const ratio = (samples: Samples, of: string, to: string): Ratio => {
  const inRounds = (what: keyof Cost): Estimate => {
    const theirs = samples[to] ?? []
    return estimate((samples[of] ?? []).map((cost, round) => cost[what] / (theirs[round]?.[what] ?? Number.NaN)))
  }
  return { of, to, wall: inRounds("wall"), cpu: inRounds("cpu") }
}

export interface Question {
  readonly title: string
  readonly each: string
  /** Which to compare with which. */
  readonly pairs: ReadonlyArray<readonly [of: string, to: string]>
}

export const contest = ({ each, pairs, title }: Question, samples: Samples): Contest => ({
  title,
  each,
  rounds: Math.max(...Object.values(samples).map(({ length }) => length)),
  sides: Object.fromEntries(Object.entries(samples).map(([name, costs]) => [name, typical(costs)])),
  ratios: pairs.map(([of, to]) => ratio(samples, of, to))
})
