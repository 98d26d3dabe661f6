/** What a client does beside reading: logging in, failing, decoding what is large, and asking for an allowance. */
import { type Entrant, race } from "../race.ts"
import type { Contest } from "../samples.ts"
import type { Section } from "../section.ts"

interface Race {
  readonly title: string
  readonly each: string
  readonly pairs: ReadonlyArray<readonly [of: string, to: string]>
  readonly entrants: ReadonlyArray<Entrant>
}

const logins = { task: "login", inFlight: 1 } as const

const login: Race = {
  title: "Login, one after the other",
  each: "a login",
  pairs: [
    ["ours", "undici"],
    ["ours, Version 2", "undici"],
    ["ours, Version 2 encrypted", "ours, Version 2"]
  ],
  entrants: [
    { ...logins, side: "ours" },
    { ...logins, side: "ours", name: "ours, Version 2", task: "loginV2" },
    { ...logins, side: "ours", name: "ours, Version 2 encrypted", task: "encryptedV2" },
    { ...logins, side: "undici" }
  ]
}

const few = 16

const refused: Race = {
  title: "Read that IG answers with an error, 16 in flight",
  each: "a call",
  pairs: [
    ["ours", "platform"],
    ["ours", "ours, a market"]
  ],
  entrants: [
    { side: "ours", task: "refused", inFlight: few },
    { side: "ours", name: "ours, a market", task: "read", inFlight: few },
    { side: "platform", task: "refused", inFlight: few }
  ]
}

const large: Race = {
  title: "Read of half a megabyte of prices, 4 in flight",
  each: "a call",
  pairs: [
    ["ours", "platform"],
    ["ours", "undici"],
    ["ours", "fetch"]
  ],
  entrants: (["ours", "platform", "undici", "fetch"] as const).map((side) => ({ side, task: "large", inFlight: 4 }))
}

const admission: Race = {
  title: "Admission by the throttle, where there is room: a read, 16 in flight",
  each: "a call",
  pairs: [
    ["ours", "ours, unthrottled"],
    ["ours, unlimited", "ours, unthrottled"]
  ],
  entrants: (["ours", "ours, unlimited", "ours, unthrottled"] as const).map((side) => ({
    side,
    task: "read",
    inFlight: few
  }))
}

const section =
  (races: Readonly<Record<string, Race>>): Section =>
  async ({ say, server, ...pace }) => {
    const contests: Record<string, Contest> = {}
    for (const [name, { entrants, ...question }] of Object.entries(races)) {
      say(name)
      contests[name] = await race(server, question, entrants, pace)
    }
    return { contests, figures: {} }
  }

export const others: Section = section({ login, refused, large, admission })
