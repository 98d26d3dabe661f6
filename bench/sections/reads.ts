/** The authenticated read, by how many are in flight. */
import type { SideName } from "../child.ts"
import { type Entrant, race, slow } from "../race.ts"
import type { Contest } from "../samples.ts"
import type { Section } from "../section.ts"

const others: ReadonlyArray<SideName> = [
  "undici",
  "fetch",
  "platform",
  "platform, timeout",
  "platform, no spans",
  "platform, Node http",
  "ig-trading-api"
]

const few = 16
const most = 10_000

const entrant = (side: SideName, inFlight: number): Entrant => ({ side, task: "read", inFlight })

/** As many calls, so that what begins and ends a round weighs the same. */
const atFew = (side: SideName): Entrant => ({
  ...entrant(side, few),
  name: `${side}, ${few} in flight`,
  calls: most
})

const pairs = (sides: ReadonlyArray<SideName>) => sides.map((side) => ["ours", side] as const)

/** As many calls as there are in flight take seconds: without those that say nothing new. */
const atMost: ReadonlyArray<SideName> = ["undici", "platform", "platform, timeout", "ig-trading-api"]

export const reads: Section = async ({ say, server, ...pace }) => {
  const contests: Record<string, Contest> = {}
  for (const inFlight of [1, few, 256]) {
    say(`${inFlight} in flight`)
    contests[`read ${inFlight}`] = await race(
      server,
      { title: `Authenticated read, ${inFlight} in flight`, each: "a call", pairs: pairs(others) },
      ["ours" as const, ...others].map((side) => entrant(side, inFlight)),
      pace
    )
  }
  return { contests, figures: {} }
}

export const many: Section = async ({ server, ...pace }) => {
  const question = {
    title: "Authenticated read, 10,000 in flight",
    each: "a call",
    pairs: [["ours", `ours, ${few} in flight`], ["platform", `platform, ${few} in flight`], ...pairs(atMost)]
  } as const
  const entrants = [
    entrant("ours", most),
    atFew("ours"),
    ...atMost.map((side) => entrant(side, most)),
    atFew("platform")
  ]
  return { contests: { many: await race(server, question, entrants, slow(pace)) }, figures: {} }
}
