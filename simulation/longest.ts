/**
 * How long what may take at most. A call is on the wire, or waits for an exchange of the session's that is; whenever
 * neither has anything under way, there has to be a reason, of known length.
 */
import type { Program } from "./program.ts"

export const requestTimeout = 10_000

export const logoutTimeout = 5_000

/** Between logins that nobody knows the outcome of. */
export const pause = 60_000

/** A lane that is full, or closed, lets the next go one window after an answer. */
export const window = 60_000

/** By the policy of `ReadRetry`: four pauses, each twice the one before, and longer by a fifth at most. */
export const backoff = 1.2 * (200 + 400 + 800 + 1_600)

/** The client counts in whole ms, and begins in the middle of one. */
export const rounding = 10

const readAttempts = 5

/** A call goes once, once more after a renewal, and twice when the session has become another one meanwhile. */
const sendsOfAttempt = 4

/** A user's client that repeats three times, within one that does. */
const repeats = 16

/** While somebody waits, something is sent or comes to its end within the longest of all single waits. */
export const longestSilence = window + requestTimeout + pause + 30_000

/** Of the encryption key, the login, `PUT /session`, the proof by `GET /session`; then one that goes wrong is logged out. */
const exchange = 4 * requestTimeout + logoutTimeout

/** For the write under way and the last one. */
const storing = 10_000

export const longestClosing = exchange + logoutTimeout + storing

/** How often one call may leave; what is refused for an allowance goes again as often as it takes. */
export const mostSends = ({ retries }: Program, effect: "read" | "mutate", refused: number): number =>
  (effect === "read" ? readAttempts * sendsOfAttempt * (retries ? repeats : 1) : sendsOfAttempt) + refused

/** What happened while a call waited, or just before it. */
export interface Meanwhile {
  /** Requests of the session's own that IG refused or did not answer. */
  readonly failed: number
  /** Requests for which IG had no allowance. */
  readonly refused: number
  readonly sent: number
}

/** Each time that a window has passed, a lane lets a window's worth of requests go, but for a place that it may keep. */
const queueing = ({ retries, throttled }: Program, { refused, sent }: Meanwhile): number => {
  if (throttled === undefined) return 0
  const { account, key, trading } = throttled.kept
  const atOnce = Math.min(key - 1, account - 1, trading)
  return (Math.ceil(sent / atOnce) + 1 + refused) * window + (retries ? readAttempts * requestTimeout : 0)
}

/** How long a call may wait with nothing under way: each failed login is followed by a pause, each failed read by another. */
export const longestIdle = (program: Program, meanwhile: Meanwhile): number => {
  const isClosing = program.closesAt !== undefined || program.restart !== undefined
  return rounding + meanwhile.failed * pause + backoff + queueing(program, meanwhile) + (isClosing ? longestClosing : 0)
}
