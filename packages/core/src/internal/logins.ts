/**
 * When renewal may log in again. Failed logins lock an account, and an IG that is down must not be met by a login a
 * second: `session.md` §12, `pains.md` §1. An explicit login is never held back, and what comes of it is noted too.
 */
import * as Hash from "effect/Hash"
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../Credentials.ts"
import type { IgError } from "../IgError.ts"
import { isTokenCode } from "./codes.ts"
import * as Endpoint from "./endpoints.ts"

const minute = 60_000

/** IG has been seen to answer a login out of a cache, with dead tokens; so soon it would again. */
export const cachedFor = minute

/** Between logins of whose outcome nothing is known, or that IG refuses for reasons of its own. */
const pauses: readonly [number, ...ReadonlyArray<number>] = [minute, minute, 5 * minute, 15 * minute, 30 * minute]

/** After the code that quick logins meet, and when nothing was sent. */
const shortPause = 5_000

/** How often one renewal tries to log in. */
export const attempts = 3

type Outcome =
  /** IG will not take these credentials: not again, until they change. */
  | "refused"
  /** No login was sent. */
  | "unsent"
  /** The code that quick logins meet. */
  | "transient"
  /** Sent, and nobody knows what became of it. */
  | "unknown"
  /** No allowance is left; nothing was executed. */
  | "allowance"
  /** The login was taken, and its tokens were dead. */
  | "dead"
  /** Here something is wrong, before anything was sent. */
  | "ours"
  /** Anything else that IG answers. */
  | "other"

const isOfKey = (error: IgError): boolean => error.operation === Endpoint.encryptionKey.name

const outcomeOf = (error: IgError): Outcome => {
  switch (error._tag) {
    case "TransportError":
      return error.mayHaveExecuted && !isOfKey(error) ? "unknown" : "unsent"
    case "ApiError":
      if (isOfKey(error)) return "unsent"
      if (isTokenCode(error.errorCode)) return "dead"
      if (error.errorCode === "error.security.invalid-details") return "refused"
      if (error.errorCode !== undefined && error.action === "human") return "refused"
      if (error.action === "query") return "unknown"
      if (error.action === "retry") return "transient"
      return error.action === "wait" ? "allowance" : "other"
    case "AuthError":
      return error.reason === "credentials-unavailable" || error.reason === "encryption-failed" ? "ours" : "other"
    case "NotSentError":
      return "ours"
    case "DecodeError":
      return "other"
  }
}

/** Enough to see that they have changed, and not enough to know them. */
const fingerprint = ({ identifier, password }: Credentials.Values): number =>
  Hash.combine(Hash.string(identifier))(Hash.string(Redacted.value(password)))

export interface Logins {
  /** When renewal may log in next, in ms since the epoch; `undefined` for at once. */
  readonly heldUntil: (now: number) => number | undefined
  readonly isRefused: (values: Credentials.Values) => boolean
  /** IG did not answer the last login: first see whether it answers at all. */
  readonly isInDoubt: () => boolean
  readonly succeeded: () => void
  /** Says whether the same renewal should try again, after the hold. */
  readonly failed: (error: IgError, values: Credentials.Values | undefined, now: number) => boolean
}

export const makeLogins = (): Logins => {
  let refused: number | undefined
  let failures = 0
  let isInDoubt = false
  let held: { readonly from: number; readonly until: number } | undefined

  /** Who waits for a renewal waits a minute at most. */
  const hold = (now: number, pause: number): boolean => {
    held = { from: now, until: now + pause }
    return pause <= minute
  }
  const pauseAfter = (failed: number): number => pauses[Math.min(failed, pauses.length) - 1] ?? pauses[0]

  return {
    // A clock that was set back must not hold a session for an hour.
    heldUntil: (now) => (held !== undefined && now >= held.from && now < held.until ? held.until : undefined),
    isRefused: (values) => refused === fingerprint(values),
    isInDoubt: () => isInDoubt,
    succeeded: () => {
      refused = undefined
      failures = 0
      isInDoubt = false
      held = undefined
    },
    failed: (error, values, now) => {
      const outcome = outcomeOf(error)
      switch (outcome) {
        case "refused":
          refused = values && fingerprint(values)
          return false
        case "ours":
        case "allowance":
          return false
        case "dead":
          hold(now, cachedFor)
          return false
        case "unsent":
          isInDoubt = true
          return hold(now, shortPause)
        case "transient":
          failures += 1
          return hold(now, failures < attempts ? shortPause : pauseAfter(failures - attempts + 1))
        case "unknown":
          failures += 1
          isInDoubt = true
          return hold(now, pauseAfter(failures))
        case "other":
          failures += 1
          hold(now, pauseAfter(failures))
          return false
      }
    }
  }
}
