/** The price points of a week, as IG itself tells them; nothing is counted here. `limits.md` §3. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LenientNumber } from "./wire.ts"

/** What IG tells with each answer that cost points: v3 in `metadata`, v1 and v2 at the top. */
const Figures = Schema.Struct({
  remainingAllowance: LenientNumber,
  /** In seconds. */
  allowanceExpiry: LenientNumber
})

const Told = Schema.Union(
  Schema.Struct({ metadata: Schema.Struct({ allowance: Figures }) }),
  Schema.Struct({ allowance: Figures })
)

const decode = Schema.decodeUnknownOption(Told)

const week = 604_800_000

/** IG has refused without ever having said when the points come back: so long nothing is asked. */
const unknownReset = 3_600_000

/** Resets that IG tells of within so long are the same one: what it tells is as old as its answer. */
const sameReset = 60_000

/** Points of an account; `resetsAt` in ms of the throttle's clock. */
export interface Points {
  readonly left: number
  readonly resetsAt: number
}

export interface Ledger {
  /** What IG told last, as long as that counts; `undefined` as long as it has said nothing. */
  readonly points: (now: number) => Points | undefined
  /** How long there are none, in ms; those of requests under way are not there for others. `undefined` if there are some. */
  readonly wait: (now: number) => number | undefined
  /** A request leaves, and will cost one at least; until it is released. */
  readonly reserve: () => void
  readonly release: () => void
  /** What an answer tells. */
  readonly read: (body: unknown, now: number) => void
  /** IG has refused a request for want of points. */
  readonly refused: (now: number) => Points
  /** Nothing is known, and nothing under way. */
  readonly isIdle: (now: number) => boolean
}

export const makeLedger = (): Ledger => {
  let known: Points | undefined
  let reserved = 0

  const points = (now: number): Points | undefined => {
    if (known !== undefined && known.resetsAt <= now) known = undefined
    return known
  }

  /** Answers may come in another order than IG gave them, and until the reset points do not become more. */
  const atMost = (left: number, resetsAt: number, now: number): number => {
    const before = points(now)
    return before !== undefined && Math.abs(before.resetsAt - resetsAt) < sameReset ? Math.min(before.left, left) : left
  }

  return {
    points,
    wait: (now) => {
      const told = points(now)
      return told === undefined || told.left > reserved ? undefined : told.resetsAt - now
    },
    reserve: () => {
      reserved += 1
    },
    release: () => {
      reserved -= 1
    },
    read: (body, now) => {
      const told = Option.getOrUndefined(decode(body))
      if (told === undefined) return
      const { allowanceExpiry, remainingAllowance } = "metadata" in told ? told.metadata.allowance : told.allowance
      const resetsAt = now + Math.min(Math.max(allowanceExpiry * 1000, 0), week)
      known = { left: atMost(Math.max(remainingAllowance, 0), resetsAt, now), resetsAt }
    },
    refused: (now) => {
      // Where IG has told of some, the request wanted more than those; a smaller one may have them.
      known = points(now) ?? { left: 0, resetsAt: now + unknownReset }
      return known
    },
    isIdle: (now) => reserved === 0 && points(now) === undefined
  }
}
