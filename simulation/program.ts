/** Random programs as data: what they do, and what is done to them. Data, so that a failing one can be shrunk and kept. */
import type { Fault } from "@effect-ig/sandbox/Fault"
import type { TokenKind } from "@effect-ig/sandbox/Sandbox"
import type { Switches } from "@effect-ig/sandbox/Switches"
import fc from "fast-check"

export const accounts = ["SBX01", "SBX02", "SBX03"] as const

export type Account = (typeof accounts)[number]

export const modes = ["login", "loginV2", "loginWithEncryption", "loginV2WithEncryption"] as const

export type Mode = (typeof modes)[number]

export type Call = "read" | "mutate"

export type Step =
  | { readonly do: Call }
  | { readonly do: "refresh" | "fetchTokens" | "logout" | "login" }
  | { readonly do: "switch"; readonly to: Account }
  | { readonly do: "within"; readonly account: Account; readonly calls: ReadonlyArray<Call> }
  | { readonly do: "wait"; readonly millis: number }

export interface Caller {
  readonly startsAt: number
  readonly steps: ReadonlyArray<Step>
  readonly interruptedAt: number | undefined
  /** How long it is ready to wait for an allowance, in ms. */
  readonly waitsAtMost: number | undefined
}

export type Happening = { readonly at: number } & (
  | { readonly what: "expire"; readonly kinds: ReadonlyArray<TokenKind | "all"> }
  | { readonly what: "purge" }
  /** The gateway's clock goes on, and ours does not. */
  | { readonly what: "clock"; readonly millis: number }
  | { readonly what: "fault"; readonly fault: Fault }
  | { readonly what: "password"; readonly isWrong: boolean }
)

/** So many requests a minute. */
export interface Allowances {
  readonly key: number
  readonly account: number
  readonly trading: number
}

export interface Throttled {
  /** What the client keeps to. */
  readonly kept: Allowances
  /** What the gateway gives. */
  readonly given: Allowances
}

/** What becomes of the stored text while nobody runs. */
export type Tampering = "another environment" | "another key" | "another identifier" | "cut short"

/** The first run of the program ends, and a second one has nothing of it but the store. */
export interface Restart {
  readonly at: number
  /** A crash cleans nothing up: what is on its way to IG or into the store is left to its fate. */
  readonly isCrash: boolean
  readonly downFor: number
  /** Meanwhile no session survives. */
  readonly isPurged: boolean
  readonly tampering: Tampering | undefined
  /** How long the store takes to write, in ms. */
  readonly writing: number
}

export interface Program {
  readonly seed: number
  readonly mode: Mode
  readonly callers: ReadonlyArray<Caller>
  readonly happenings: ReadonlyArray<Happening>
  readonly switches: Partial<Switches>
  readonly closesAt: number | undefined
  /** The user's own client repeats whatever fails, three times. */
  readonly retries: boolean
  /** With a throttle; off where there is none. */
  readonly throttled: Throttled | undefined
  /** With a session store; without one where there is none. */
  readonly restart: Restart | undefined
}

const anyMoment: fc.Arbitrary<number> = fc
  .tuple(fc.constantFrom(0, 51_000, 61_000), fc.integer({ min: 0, max: 600 }))
  .map(([base, more]) => base + more)

/** Most of a program happens at once. */
const closeTo = (rush: number): fc.Arbitrary<number> =>
  fc.oneof({ weight: 6, arbitrary: fc.integer({ min: rush, max: rush + 400 }) }, { weight: 1, arbitrary: anyMoment })

const oneIn = <A>(share: number, arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: share - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const seldom = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> => oneIn(4, arbitrary)

const account = fc.constantFrom(...accounts)

const call = fc.constantFrom<Call>("read", "read", "mutate")

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ do: fc.constant("read" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("mutate" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("within" as const),
      account,
      calls: fc.array(call, { minLength: 1, maxLength: 3 })
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), millis: fc.integer({ min: 1, max: 30_000 }) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("refresh" as const, "fetchTokens" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("switch" as const), to: account }) }
)

/** Rare, or most programs would spend most of their time signed out. */
const rareStep: fc.Arbitrary<Step> = fc.record({ do: fc.constantFrom("logout" as const, "login" as const) })

const caller = (moment: fc.Arbitrary<number>): fc.Arbitrary<Caller> =>
  fc.record({
    startsAt: moment,
    steps: fc.oneof(
      { weight: 40, arbitrary: fc.array(step, { minLength: 1, maxLength: 2, size: "max" }) },
      { weight: 1, arbitrary: fc.array(fc.oneof(step, rareStep), { minLength: 1, maxLength: 3, size: "max" }) }
    ),
    interruptedAt: seldom(moment.chain((at) => fc.integer({ min: at, max: at + 6_000 }))),
    waitsAtMost: seldom(fc.constantFrom(0, 3_000, 45_000))
  })

const target = fc.constantFrom(
  { method: "POST", path: "/session/refresh-token" },
  { method: "POST", path: "/session" },
  { method: "PUT", path: "/session" },
  { method: "GET", path: "/positions" },
  { method: "POST", path: "/positions/otc" },
  { method: "GET", path: "/session/encryptionKey" },
  {}
)

const times = fc.constantFrom(1, 1, 2, 5, 20)

/** An account's allowance is refused to what spends it. */
const laneFault = fc.constantFrom(
  { kind: "allowance" as const, allowance: "account" as const, method: "GET", path: "/positions" },
  { kind: "allowance" as const, allowance: "account-trading" as const, method: "POST", path: "/positions/otc" }
)

const fault: fc.Arbitrary<Fault> = fc
  .tuple(
    target,
    times,
    fc.oneof(
      fc.record({ kind: fc.constant("slow" as const), millis: fc.constantFrom(500, 3_000, 9_000) }),
      fc.record({ kind: fc.constant("never" as const), workDone: fc.boolean() }),
      fc.record({ kind: fc.constant("cutHeaders" as const), workDone: fc.boolean() }),
      fc.record({ kind: fc.constant("cutBody" as const) }),
      fc.record({
        kind: fc.constant("answer" as const),
        status: fc.constantFrom(500, 503),
        errorCode: fc.constantFrom("system.error", undefined),
        workDone: fc.boolean()
      }),
      fc.record({ kind: fc.constant("allowance" as const), allowance: fc.constant("api-key" as const) }),
      laneFault,
      fc.record({ kind: fc.constantFrom("nonJson403" as const, "doubledTokenHeader" as const) })
    )
  )
  .map(([target, times, fault]) => ({ ...target, times, ...fault }))

const loginFault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.constantFrom("failedLogin" as const, "deadTokensAtLogin" as const),
  times,
  method: fc.constant("POST"),
  path: fc.constant("/session")
})

const kinds = fc.constantFrom<ReadonlyArray<TokenKind | "all">>(
  ["access"],
  ["access", "refresh"],
  ["refresh"],
  ["cst"],
  ["xst"],
  ["all"],
  ["all"]
)

const happening = (moment: fc.Arbitrary<number>): fc.Arbitrary<Happening> =>
  fc
    .tuple(
      moment,
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ what: fc.constant("expire" as const), kinds }) },
        { weight: 1, arbitrary: fc.record({ what: fc.constant("purge" as const) }) },
        {
          weight: 1,
          arbitrary: fc.record({
            what: fc.constant("clock" as const),
            millis: fc.constantFrom(30_000, 660_000, 6 * 3_600_000)
          })
        },
        { weight: 5, arbitrary: fc.record({ what: fc.constant("fault" as const), fault }) },
        { weight: 3, arbitrary: fc.record({ what: fc.constant("fault" as const), fault: loginFault }) },
        { weight: 1, arbitrary: fc.record({ what: fc.constant("password" as const), isWrong: fc.boolean() }) }
      )
    )
    .map(([at, what]) => ({ at, ...what }))

const switches: fc.Arbitrary<Partial<Switches>> = fc.record({
  latency: fc.constantFrom(400, 2_500),
  accessTtl: fc.constantFrom(60_000, 60_000, 20_000),
  refreshGrace: fc.constantFrom(0, 0, 30_000),
  refreshKillsBearer: fc.boolean(),
  putUnderBearer: fc.constantFrom("refused" as const, "works" as const),
  switchReissuesCst: fc.boolean(),
  fetchUnderCst: fc.constantFrom("same" as const, "renewed" as const),
  loginReusesCst: fc.constantFrom(false, false, false, true),
  windowShape: fc.constantFrom("bucket" as const, "fixed" as const, "sliding" as const)
})

/** Small, so that lanes are full within a program; from 20 on the throttle keeps a place for renewal. */
const allowances: fc.Arbitrary<Allowances> = fc.record({
  key: fc.constantFrom(6, 10, 20),
  account: fc.constantFrom(4, 8, 16),
  trading: fc.constantFrom(2, 5)
})

/** Where they differ, others spend a part of what IG gives, or it gives less than is believed. */
const throttled: fc.Arbitrary<Throttled> = allowances.chain((kept) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({ kept, given: kept }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("key" as const, "account" as const, "trading" as const).map((lane) => ({
        kept,
        given: { ...kept, [lane]: Math.ceil(kept[lane] / 2) }
      }))
    }
  )
)

const minute = 60_000

const restart = (moment: fc.Arbitrary<number>): fc.Arbitrary<Restart> =>
  fc.record({
    at: moment,
    isCrash: fc.boolean(),
    // Within the minute of the bearer; past that; past all.
    downFor: fc.constantFrom(
      0,
      2_000,
      2 * minute,
      2 * minute,
      5 * minute,
      5 * minute,
      5 * minute,
      9 * minute,
      9 * minute,
      7 * 60 * minute
    ),
    isPurged: oneIn(16, fc.constant(true)).map((isPurged) => isPurged ?? false),
    tampering: oneIn(
      6,
      fc.constantFrom(
        "another environment" as const,
        "another key" as const,
        "another identifier" as const,
        "cut short" as const
      )
    ),
    writing: fc.constantFrom(0, 0, 300, 1_500)
  })

const callersOf = (rush: number, isSmall: boolean): fc.Arbitrary<ReadonlyArray<Caller>> => {
  const between = (minLength: number, maxLength: number) =>
    fc.array(caller(closeTo(rush)), { minLength, maxLength, size: "max" })
  return isSmall
    ? between(1, 8)
    : fc.oneof({ weight: 3, arbitrary: between(1, 20) }, { weight: 2, arbitrary: between(21, 50) })
}

/** Evenly, not with a preference for the small, unless only `small` ones are asked for. */
export const program = (retries: fc.Arbitrary<boolean>, size?: "small"): fc.Arbitrary<Program> =>
  fc
    .constantFrom(0, 51_000, 61_000)
    .chain((rush) =>
      fc.record({
        seed: fc.nat(),
        mode: fc.constantFrom(...modes),
        callers: callersOf(rush, size === "small"),
        happenings: fc.array(happening(closeTo(rush)), { minLength: 0, maxLength: 8, size: "max" }),
        switches,
        closesAt: seldom(fc.integer({ min: rush, max: rush + 9_000 })),
        retries,
        throttled: oneIn(3, throttled),
        restart: oneIn(
          4,
          restart(fc.oneof(fc.integer({ min: rush, max: rush + 400 }), fc.integer({ min: rush, max: rush + 4_000 })))
        )
      })
    )
    .noBias()
