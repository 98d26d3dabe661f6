/**
 * Some of the hours of `utils/hours.ts`: each way of counting, each preset, each world. All of them are a command of its
 * own, `bench/throttle.hours.ts`.
 */
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { agreeing, complaints, differing, type Hour, run } from "./utils/hours.ts"

const trial = (hour: Hour) =>
  it.effect(hour.name, () => Effect.map(run(hour), (figures) => expect(complaints(hour, figures)).toEqual([])))

const named = (hours: ReadonlyArray<Hour>, names: ReadonlyArray<string>): ReadonlyArray<Hour> =>
  names.map((name) => {
    const [found, ...others] = hours.filter((hour) => hour.name === name)
    if (found === undefined || others.length > 0) throw new Error(`There is not one hour called ${name}`)
    return found
  })

describe("an hour of reads with the allowances that IG has: nothing is refused, and 95 % of them are used", () => {
  for (const hour of named(agreeing, ["live, OAuth, fixed", "demo, CST, sliding", "demo, OAuth, bucket"])) trial(hour)
})

describe("an hour of reads with others: no call is lost, and one is refused a minute at most", () => {
  const third = "20 of the key and 10 of each of two accounts, OAuth"
  const names = [
    "demo, OAuth, sliding, all of these",
    "demo, OAuth, fixed, a clock that is 30 s ahead",
    "demo, OAuth, bucket, answers that take up to 3 s",
    "demo, OAuth, bucket, another client with a third of the key",
    `${third}, fixed, all of these`
  ]
  for (const hour of named(differing, names)) trial(hour)
})
