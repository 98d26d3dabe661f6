/** What the command was asked for. */
import { parseArgs } from "node:util"

export class UsageError extends Error {}

export interface Options {
  readonly only: ReadonlyArray<string>
  readonly rounds: number
  readonly millis: number
  readonly isWritten: boolean
}

/** Of which a median says something. */
export const fewest = 15

/** Rounds that are short are more like each other. */
const usualRounds = 30

const numberOf = (name: string, given: string, least: number): number => {
  const number = given.trim() === "" ? Number.NaN : Number(given)
  if (Number.isInteger(number) && number >= least) return number
  throw new UsageError(`--${name}: expected a whole number, ${least} or more, and got "${given}"`)
}

/** Few rounds are for a look, and are not written. */
export const options = (
  args: ReadonlyArray<string>,
  known: ReadonlyArray<string>,
  usual: ReadonlyArray<string>
): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: usual.join(",") },
      rounds: { type: "string", default: String(usualRounds) },
      millis: { type: "string", default: "150" },
      render: { type: "boolean", default: false }
    }
  })
  const only = values.render ? [] : values.only.split(",")
  const stranger = only.find((name) => !known.includes(name))
  if (stranger !== undefined) throw new UsageError(`--only: there is ${known.join(", ")}, and no "${stranger}"`)
  const rounds = numberOf("rounds", values.rounds, 1)
  return { only, rounds, millis: numberOf("millis", values.millis, 1), isWritten: rounds >= fewest }
}
