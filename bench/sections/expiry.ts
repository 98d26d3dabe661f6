/** Calls while their tokens expire, beside the same calls while they do not. The server counts what it sees. */
import { type Entrant, race, slow } from "../race.ts"
import type { Section } from "../section.ts"

const calls = 10_000
const day = 86_400

/** In ms. */
const pause = 1_100

/** A login, of which the last third is margin; and a moment in which the bearer has come to that. */
const alreadyInMargin = { order: { lifetime: 1.5 }, task: "login", pause } as const

/** Due when a third of the calls are done, and dead before two thirds are. */
const midway = (expected: number) => ({ order: { lifetime: (expected * 0.5) / 1_000 }, task: "login" }) as const

const lasting = () => ({ order: { lifetime: day }, task: "login" }) as const

/** What has slept wakes up slower: where one side has, the other must. */
const lastingAsLong = () => ({ ...lasting(), pause }) as const

const read = { task: "read", calls } as const

const oauth = { ...read, side: "ours", seen: { logins: 1, refreshes: 1, refusals: 0, reads: calls } } as const
const oauthLasting = {
  ...oauth,
  seen: { logins: 1, refreshes: 0, refusals: 0, reads: calls }
} as const

/** All CSTs that are known by then, without a warning. */
const dyingAfter = (expireAfter: number) => () => ({ order: { expireAfter }, task: "loginV2" }) as const

/** Before that IG must have taken the tokens of the login, or those were dead when it was answered, and no other follows. */
const served = 100

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
  { ...oauthLasting, name: "16 in flight", inFlight: few, before: lasting },
  { ...oauth, name: "all at once, one refresh", inFlight: calls, before: () => alreadyInMargin },
  { ...oauthLasting, name: "all at once", inFlight: calls, before: lastingAsLong }
]

const cstEntrants: ReadonlyArray<Entrant> = [
  { ...cst, name: "16 in flight, one login", inFlight: few, before: dyingAfter(calls / 2) },
  { ...cstLasting, name: "16 in flight", inFlight: few },
  { ...cst, name: "all at once, one login", inFlight: calls, before: dyingAfter(served) },
  { ...cstLasting, name: "all at once", inFlight: calls }
]

const each = "a call"

export const expiry: Section = async ({ server, ...pace }) => {
  const question = {
    title: "10,000 calls over the expiry of a bearer, caught by the margin",
    each,
    pairs: [
      ["16 in flight, one refresh", "16 in flight"],
      ["all at once, one refresh", "all at once"]
    ]
  } as const
  return { contests: { expiry: await race(server, question, oauthEntrants, slow(pace)) }, figures: {} }
}

export const refusal: Section = async ({ server, ...pace }) => {
  const question = {
    title: "10,000 calls over the expiry of a CST, of which nobody knows before IG refuses it",
    each,
    pairs: [
      ["16 in flight, one login", "16 in flight"],
      ["all at once, one login", "all at once"]
    ]
  } as const
  return { contests: { refusal: await race(server, question, cstEntrants, slow(pace)) }, figures: {} }
}
