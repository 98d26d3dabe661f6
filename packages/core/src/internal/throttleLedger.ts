/** The price points of a week, as IG itself tells them; nothing is counted here. `limits.md` §3. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { LenientNumber } from "./wire.ts"

/** What IG tells with each answer that cost points: v3 in `metadata`, v1 and v2 at the top. */
const Figures = Schema.Struct({
  remainingAllowance: LenientNumber,
  totalAllowance: LenientNumber,
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

/** Points of an account; `resetsAt` in ms of the throttle's clock. */
export interface Points {
  readonly left: number
  readonly total: number | undefined
  readonly resetsAt: number
}

export interface Ledger {
  /** `undefined` as long as IG has said nothing, and once what it said is over. */
  readonly points: (now: number) => Points | undefined
  readonly read: (body: unknown, now: number) => void
  /** IG has refused a request for want of points. */
  readonly spent: (now: number) => Points
}

export const makeLedger = (): Ledger => {
  let known: Points | undefined

  const points = (now: number): Points | undefined => {
    if (known !== undefined && known.resetsAt <= now) known = undefined
    return known
  }

  return {
    points,
    read: (body, now) => {
      const told = Option.getOrUndefined(decode(body))
      if (told === undefined) return
      const { allowanceExpiry, remainingAllowance, totalAllowance } =
        "metadata" in told ? told.metadata.allowance : told.allowance
      const lasts = Math.min(Math.max(allowanceExpiry * 1000, 0), week)
      known = { left: Math.max(remainingAllowance, 0), total: totalAllowance, resetsAt: now + lasts }
    },
    spent: (now) => {
      const before = points(now)
      known = { left: 0, total: before?.total, resetsAt: before?.resetsAt ?? now + unknownReset }
      return known
    }
  }
}
