/**
 * One allowance. A request takes a place when it is sent and gives it back one window after its answer was seen: only
 * then is it over for IG, too, whether IG counts a fixed minute, a sliding one or a bucket, and however long the answer
 * took. Times are in whole ms of a clock that is never set.
 */
import type * as Option from "effect/Option"
import type { Refusable } from "./allowances.ts"
import { makeReturns } from "./returns.ts"

export const window = 60_000

/** So long after a refusal the numbers are not trusted: somebody else spends the allowance, too, or it is another one. */
const doubt = 10 * window

/** From here on one place fewer is a twentieth of the allowance at most. */
const large = 20

/** No renewal takes more: a key to encrypt with, a login, a switch. */
const mostKept = 3

/** Of an allowance without a limit, so many requests are remembered, in case it gets one. */
const remembered = 1_000

/** Who may have a place: anything but `reads` goes before them, and may have the last one. */
export type Claim =
  | { readonly of: "first" }
  | {
      readonly of: "reads"
      /** When bearers end, the soonest first: by each of these times another place must be free, for a renewal. */
      readonly ends: () => ReadonlyArray<number>
    }

/**
 * What became of a request: IG has `served` it (or refused it for another reason), has `refused` it for this allowance,
 * nobody knows, or it never left.
 */
export type Verdict = "served" | "refused" | "unknown" | "unsent"

/** A place in a lane, held by a request. */
export interface Place {
  isOver: boolean
}

export interface Lane {
  readonly allowance: Refusable
  /** Whose it is, when it is not the key's. */
  readonly accountId: Option.Option<string>
  /** How many wait for it, by what they claim. */
  readonly waiting: { first: number; reads: number }
  readonly limit: () => number
  readonly setLimit: (limit: number) => void
  /** How many could be taken now. */
  readonly left: (now: number) => number
  readonly hasRoom: (now: number, claim: Claim) => boolean
  readonly take: () => Place
  /** With the time at which the answer was seen, or the request was given up. */
  readonly settle: (place: Place, verdict: Verdict, seen: number) => void
  /** IG has refused a request: for one window nothing is sent, and then one request first, to see. */
  readonly close: (seen: number) => void
  /** When it opens for a try; `undefined` when it is open. */
  readonly closedUntil: () => number | undefined
  /** When there may be room without an answer being seen. */
  readonly nextAt: (now: number) => number | undefined
  /** When there would be room after so many others, as far as can be known. */
  readonly roomAt: (now: number, claim: Claim, ahead: number) => number
  /** Nothing of it is in use, and nothing is known of it that a new one would not know. */
  readonly isIdle: (now: number) => boolean
}

export const makeLane = (allowance: Refusable, accountId: Option.Option<string>, given: number): Lane => {
  let limit = given
  let sent = 0
  /** When places come back, in order. */
  const returning = makeReturns()
  let closedUntil: number | undefined
  let doubtedUntil = Number.NEGATIVE_INFINITY
  /** The one that goes first after the lane was closed. */
  let probe: Place | undefined

  const forget = (now: number): void => {
    returning.forgetUntil(now)
    if (limit === Number.POSITIVE_INFINITY) returning.forgetAllBut(remembered)
  }

  const left = (now: number): number => {
    forget(now)
    return limit - sent - returning.size()
  }

  /** So many places are left to what the session needs, at any moment; a small allowance has none to spare. */
  const kept = (): number => Math.min(Math.floor(limit / large), mostKept)

  /**
   * Of a small allowance a read has one of the last places if others are free by the end of each bearer: then renewal
   * needs it. So many are free, and those from that index on are to come back.
   */
  const isLeft = (free: number, from: number, ends: () => ReadonlyArray<number>): boolean => {
    if (kept() > 0) return free > kept()
    const backBy = (end: number): number => {
      let index = from
      while ((returning.at(index) ?? Number.POSITIVE_INFINITY) <= end) index += 1
      return index - from
    }
    return free >= limit || ends().every((end, before) => free - 1 + backBy(end) > before)
  }

  /** What else spends the allowance is not known, so its second half is spent one by one, and in doubt the first, too. */
  const isPaced = (now: number): boolean => sent > 0 && (now < doubtedUntil || sent + returning.size() >= limit / 2)

  const hasPlace = (now: number, claim: Claim): boolean => {
    const free = left(now)
    if (free < 1) return false
    return claim.of === "first" || (isLeft(free, 0, claim.ends) && !isPaced(now))
  }

  const isShut = (now: number): boolean => closedUntil !== undefined && (now < closedUntil || probe !== undefined)

  const close = (seen: number): void => {
    closedUntil = seen + window
    doubtedUntil = closedUntil + doubt
    probe = undefined
  }

  const tried = (verdict: Verdict): void => {
    probe = undefined
    if (verdict === "served") closedUntil = undefined
  }

  const waiting = { first: 0, reads: 0 }

  return {
    allowance,
    accountId,
    waiting,
    limit: () => limit,
    setLimit: (next) => {
      limit = next
    },
    left: (now) => (isShut(now) ? 0 : Math.max(0, left(now))),
    hasRoom: (now, claim) => !isShut(now) && hasPlace(now, claim),
    take: () => {
      const place: Place = { isOver: false }
      sent += 1
      if (closedUntil !== undefined) probe = place
      return place
    },
    settle: (place, verdict, seen) => {
      if (place.isOver) return
      place.isOver = true
      sent -= 1
      if (verdict !== "unsent") returning.add(seen + window)
      if (verdict === "refused") close(seen)
      else if (probe === place) tried(verdict)
    },
    close,
    closedUntil: () => closedUntil,
    nextAt: (now) => {
      if (closedUntil !== undefined && now < closedUntil) return closedUntil
      return probe === undefined ? returning.at(0) : undefined
    },
    roomAt: (now, claim, ahead) => {
      const usable = claim.of === "reads" ? limit - kept() : limit
      const rounds = Math.floor(ahead / usable)
      const free = left(now) - (ahead % usable)
      const isEnough = (back: number): boolean => claim.of === "first" || isLeft(free + back, back, claim.ends)
      let back = Math.max(0, 1 - free)
      while (back <= returning.size() && !isEnough(back)) back += 1
      const at = back === 0 ? now : (returning.at(back - 1) ?? now + window)
      return Math.max(at + rounds * window, closedUntil ?? now)
    },
    isIdle: (now) => {
      forget(now)
      return sent + returning.size() + waiting.first + waiting.reads === 0 && doubtedUntil <= now
    }
  }
}
