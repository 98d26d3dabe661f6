/** How long a call may take at most: every wait there is, end to end. */
import type { Program } from "./program.ts"

export const requestTimeout = 10_000

export const logoutTimeout = 5_000

/** Of the encryption key, the login, `PUT /session`, the proof by `GET /session`; then one that goes wrong is logged out. */
const exchange = 4 * requestTimeout + logoutTimeout

/** What `ReadRetry` may add, beside the attempts themselves. */
const retrying = 30_000

const readAttempts = 5

const renewalAttempts = 3

/** Between logins that nobody knows the outcome of. */
const pause = 60_000

/** A lane that is full, or closed, lets the next go one window after an answer. */
export const window = 60_000

/** While somebody waits, something is sent or comes to its end within the longest of all single waits. */
export const longestSilence = window + requestTimeout + pause + retrying

/** For the write under way and the last one. */
const storing = 10_000

export const longestClosing = exchange + logoutTimeout + storing

/** `sent` requests, of all callers and of the session's own. */
export const longestCall = ({ callers, throttled }: Program, sent: number): number => {
  // Whoever changes the session waits for everybody else who does: each caller, and the renewals of three accounts.
  const turn = (callers.length + 3) * exchange
  const refresh = turn + readAttempts * requestTimeout + retrying
  const login = requestTimeout + 2 * turn + exchange + pause
  const renewal = refresh + renewalAttempts * login
  const attempt = 2 * (renewal + turn + requestTimeout)
  // Each request, of whomever, may have to go first, and takes a window to do so at worst.
  const queue = throttled === undefined ? 0 : sent * (window + requestTimeout)
  return readAttempts * attempt + retrying + queue
}
