/** The lanes of the key and of each account, and what becomes of the places that requests hold in them. */
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { ApiError, TransportError } from "../IgError.ts"
import { type Allowances, refusedFor, type Refusable } from "./allowances.ts"
import { Event, type Tell } from "./throttleEvent.ts"
import { type Lane, makeLane, type Place, type Verdict, window } from "./throttleLane.ts"
import { type Ledger, makeLedger } from "./throttleLedger.ts"
import type { Time } from "./time.ts"

export interface Account {
  readonly accountId: string
  readonly reads: Lane
  readonly trades: Lane
  readonly ledger: Ledger
}

/** Places of a request, one in each lane that it spends. */
export type Places = ReadonlyArray<readonly [Lane, Place]>

export interface Outcome {
  readonly verdict: Verdict
  /** Which allowance IG had none of. */
  readonly refused: Refusable | undefined
}

export const unsent: Outcome = { verdict: "unsent", refused: undefined }

export const unknown: Outcome = { verdict: "unknown", refused: undefined }

export const served: Outcome = { verdict: "served", refused: undefined }

/** Of a request that has left and was not answered with success. */
export const outcomeOf = (cause: Cause.Cause<unknown>): Outcome => {
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  if (error instanceof ApiError) return { verdict: "served", refused: refusedFor(error) }
  return error instanceof TransportError && !error.mayHaveExecuted ? unsent : unknown
}

export interface Lanes {
  readonly key: Lane
  readonly account: (accountId: string) => Account
  /** Those of which something is known. */
  readonly accounts: () => ReadonlyArray<Account>
  readonly take: (lanes: ReadonlyArray<Lane>) => Places
  readonly settle: (places: Places, outcome: Outcome) => void
  readonly allowances: () => Allowances
  readonly learn: (allowances: Allowances) => void
}

/** From so many accounts on, those of which nothing is known any more are looked for. */
const few = 16

export const makeLanes = (given: Allowances, time: Time, tell: Tell): Lanes => {
  const key = makeLane("api-key", Option.none(), given.key)
  const accounts = new Map<string, Account>()
  let allowances = given
  let many = few

  /** Each time that they have doubled, so that a new one costs the same however many there are. */
  const forgetIdle = (): void => {
    if (accounts.size < many) return
    const now = time.now()
    for (const { accountId, ledger, reads, trades } of accounts.values()) {
      if (reads.isIdle(now) && trades.isIdle(now) && ledger.isIdle(now)) accounts.delete(accountId)
    }
    many = Math.max(few, 2 * accounts.size)
  }

  const account = (accountId: string): Account => {
    const known = accounts.get(accountId)
    if (known !== undefined) return known
    forgetIdle()
    const fresh: Account = {
      accountId,
      reads: makeLane("account", Option.some(accountId), allowances.account),
      trades: makeLane("account-trading", Option.some(accountId), allowances.trading),
      ledger: makeLedger()
    }
    accounts.set(accountId, fresh)
    return fresh
  }

  const closed = ({ accountId, allowance }: Lane): void =>
    tell((at) => Event.Closed({ at, allowance, accountId, until: at + window }))

  /** Which lanes a refusal speaks of: one that is none of the request's own must stop the request all the same. */
  const refusedLanes = (places: Places, refused: Refusable | undefined): ReadonlyArray<Lane> => {
    if (refused === undefined || refused === "account-historical-data") return []
    const own = places.map(([lane]) => lane)
    const named = own.filter((lane) => lane.allowance === refused)
    return named.length > 0 ? named : own
  }

  const settle = (places: Places, { refused, verdict }: Outcome): void => {
    const at = time.seen()
    const isRefused = refusedLanes(places, refused)
    for (const [lane, place] of places) {
      const wasClosed = lane.closedUntil() !== undefined
      lane.settle(place, isRefused.includes(lane) ? "refused" : verdict, at)
      if (isRefused.includes(lane)) closed(lane)
      else if (wasClosed && lane.closedUntil() === undefined) {
        tell((at) => Event.Opened({ at, allowance: lane.allowance, accountId: lane.accountId }))
      }
    }
    if (refused === "api-key" && !isRefused.includes(key)) {
      key.close(at)
      closed(key)
    }
  }

  return {
    key,
    account,
    accounts: () => [...accounts.values()],
    take: (lanes) => lanes.map((lane) => [lane, lane.take()] as const),
    settle,
    allowances: () => allowances,
    learn: (next) => {
      allowances = next
      key.setLimit(next.key)
      for (const { reads, trades } of accounts.values()) {
        reads.setLimit(next.account)
        trades.setLimit(next.trading)
      }
      tell((at) => Event.Learnt({ at, allowances: next }))
    }
  }
}
