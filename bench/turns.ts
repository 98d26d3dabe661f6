/** Sides that take turns: only one works at any time, and who begins is another one in each round. */
import type { Cost, Samples } from "./samples.ts"

export interface Turn {
  readonly name: string
  readonly once: (round: number) => Promise<Cost>
}

export const rotated = <A>(values: ReadonlyArray<A>, by: number): ReadonlyArray<A> => {
  const at = by % Math.max(1, values.length)
  return [...values.slice(at), ...values.slice(0, at)]
}

export const inTurns = async (turns: ReadonlyArray<Turn>, rounds: number): Promise<Samples> => {
  const sides = turns.map((turn) => ({ ...turn, costs: new Array<Cost>() }))
  for (let round = 0; round < rounds; round++) {
    for (const { costs, once } of rotated(sides, round)) costs.push(await once(round))
  }
  return Object.fromEntries(sides.map(({ costs, name }) => [name, costs]))
}
