/** Calls while their tokens expire, beside the same calls while they do not. The server counts what it sees. */
import { type Entrant, race } from "../race.ts"
import type { Section } from "../section.ts"

const calls = 10_000
const day = 86_400

/** A login, of which the last third is margin; and a moment in which the bearer has come to that. */
const alreadyInMargin = { order: { lifetime: 1.5 }, task: "login", pause: 1_100 } as const

/** Due when a third of the calls are done, and dead before two thirds are. */
const midway = (expected: number) => ({ order: { lifetime: (expected * 0.5) / 1_000 }, task: "login" }) as const

const lasting = () => ({ order: { lifetime: day }, task: "login" }) as const

const read = { task: "read", calls } as const

const oauth = { ...read, side: "ours", seen: { logins: 1, refreshes: 1, refusals: 0, reads: calls } } as const
const oauthLasting = {
  ...oauth,
  before: lasting,
  seen: { logins: 1, refreshes: 0, refusals: 0, reads: calls }
} as const

/** All CSTs that are known by then, without a warning. */
const dyingAfter = (expireAfter: number) => () => ({ order: { expireAfter }, task: "loginV2" }) as const

const cst = { ...read, side: "ours, CST", seen: { logins: 2, refreshes: 0 } } as const
const cstLasting = {
  ...read,
  side: "ours, CST",
  before: () => ({ order: {}, task: "loginV2" }) as const,
  seen: { logins: 1, refusals: 0, reads: calls }
} as const

const few = 16

const oauthEntrants: ReadonlyArray<Entrant> = [
  { ...oauth, name: "16 in flight, one refresh", inFlight: few, before: midway },
  { ...oauthLasting, name: "16 in flight", inFlight: few },
  { ...oauth, name: "all at once, one refresh", inFlight: calls, before: () => alreadyInMargin },
  { ...oauthLasting, name: "all at once", inFlight: calls }
]

const cstEntrants: ReadonlyArray<Entrant> = [
  { ...cst, name: "16 in flight, one login", inFlight: few, before: dyingAfter(calls / 2) },
  { ...cstLasting, name: "16 in flight", inFlight: few },
  { ...cst, name: "all at once, one login", inFlight: calls, before: dyingAfter(1) },
  { ...cstLasting, name: "all at once", inFlight: calls }
]

const each = "a call"

export const expiry: Section = async ({ say, server, ...pace }) => {
  say("OAuth")
  const byMargin = await race(
    server,
    {
      title: "10,000 calls over the expiry of a bearer, caught by the margin",
      each,
      pairs: [
        ["16 in flight, one refresh", "16 in flight"],
        ["all at once, one refresh", "all at once"]
      ]
    },
    oauthEntrants,
    pace
  )
  say("CST")
  const byRefusal = await race(
    server,
    {
      title: "10,000 calls over the expiry of a CST, which IG tells by refusing them",
      each,
      pairs: [
        ["16 in flight, one login", "16 in flight"],
        ["all at once, one login", "all at once"]
      ]
    },
    cstEntrants,
    pace
  )
  return { contests: { "expiry margin": byMargin, "expiry refusal": byRefusal }, figures: {} }
}
