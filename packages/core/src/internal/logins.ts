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

/** Renewal does not log in. */
export interface Hold {
  /** In ms since the epoch. */
  readonly until: number
  /** What the renewal had tried after which it began, so that whoever comes meanwhile is told; those of one renewal. */
  readonly causes: ReadonlyArray<IgError>
}

export interface Logins {
  /** `undefined` when renewal may log in at once. */
  readonly held: (now: number) => Hold | undefined
  readonly isRefused: (values: Credentials.Values) => boolean
  /** IG did not answer the last login: first see whether it answers at all. */
  readonly isInDoubt: () => boolean
  readonly succeeded: () => void
  /** After what else had failed, by its renewal. Says whether the same one should try again, after the hold. */
  readonly failed: (
    error: IgError,
    values: Credentials.Values | undefined,
    now: number,
    before?: ReadonlyArray<IgError>
  ) => boolean
}

export const makeLogins = (): Logins => {
  let refused: number | undefined
  let failures = 0
  let isInDoubt = false
  let held: (Hold & { readonly from: number }) | undefined

  const pauseAfter = (failed: number): number => pauses[Math.min(failed, pauses.length) - 1] ?? pauses[0]

  return {
    // A clock that was set back must not hold a session for an hour.
    held: (now) => (held !== undefined && now >= held.from && now < held.until ? held : undefined),
    isRefused: (values) => refused === fingerprint(values),
    isInDoubt: () => isInDoubt,
    succeeded: () => {
      refused = undefined
      failures = 0
      isInDoubt = false
      held = undefined
    },
    failed: (error, values, now, before = []) => {
      /** Who waits for a renewal waits a minute at most. */
      const hold = (pause: number): boolean => {
        held = { from: now, until: now + pause, causes: [...before, error] }
        return pause <= minute
      }
      const outcome = outcomeOf(error)
      switch (outcome) {
        case "refused":
          refused = values && fingerprint(values)
          return false
        case "ours":
        case "allowance":
          return false
        case "dead":
          hold(cachedFor)
          return false
        case "unsent":
          isInDoubt = true
          return hold(shortPause)
        case "transient":
          failures += 1
          return hold(failures < attempts ? shortPause : pauseAfter(failures - attempts + 1))
        case "unknown":
          failures += 1
          isInDoubt = true
          return hold(pauseAfter(failures))
        case "other":
          failures += 1
          hold(pauseAfter(failures))
          return false
      }
    }
  }
}
