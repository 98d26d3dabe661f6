/**
 * Bringing a session back: refresh it, else log in again as it was logged in, else say why not. `session.md` §7, §12, §13.
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { Credentials } from "../Credentials.ts"
import { AuthError, type IgError } from "../IgError.ts"
import { type Policy, ReadRetry } from "../ReadRetry.ts"
import { SessionEvent, type Why } from "../SessionEvent.ts"
import type { OAuthSession, Session, SignedIn } from "../SessionState.ts"
import * as Endpoint from "./endpoints.ts"
import { tell } from "./events.ts"
import type { Again, LoggedIn, Needs, Turn } from "./exchanges.ts"
import { attempts, cachedFor, type Hold } from "./logins.ts"
import { takeBack } from "./logout.ts"
import { type Answer, decode, send, type SendError } from "./send.ts"
import type { Internals, Slot } from "./slot.ts"
import { inSpan } from "./span.ts"
import { countRefresh } from "./telemetry.ts"
import { isOver, isSpent, keyOf, withBearer } from "./tokens.ts"

export const operation = "session.renewal"

/** Whoever is asked for the credentials may be a human; but callers wait for the answer. */
const credentialsWithin = 120_000

/** The opening of a sibling's session is a flight like any other, and no renewal. */
export type Reason = Why | "opening"

export const notSignedIn = new AuthError({ operation, reason: "not-signed-in" })

/** IG has not had the request, or had no allowance for it. */
export const wasNotExecuted = (error: IgError): boolean => {
  switch (error._tag) {
    case "TransportError":
      return !error.mayHaveExecuted
    case "ApiError":
      return error.action === "wait"
    case "NotSentError":
      return true
    case "AuthError":
    case "DecodeError":
      return false
  }
}

/** What has become of it meanwhile, where it is no longer the session that has to be renewed. */
export const overtaken = (
  { accountId, exchanges, login }: Slot,
  from: Session
): Effect.Effect<SignedIn, AuthError> | undefined => {
  if (exchanges.isClosed()) return new AuthError({ operation, reason: "closed" })
  if (accountId !== undefined && login() === undefined) return notSignedIn
  const current = exchanges.current()
  if (keyOf(current) === keyOf(from)) return undefined
  return current._tag === "SignedOut" ? notSignedIn : Effect.succeed(current)
}

/** When the session has changed meanwhile, or its layer closes. */
const overtaking = (slot: Slot, from: Session): Effect.Effect<void> =>
  Effect.suspend(() =>
    overtaken(slot, from) === undefined ? Effect.zipRight(slot.exchanges.changed, overtaking(slot, from)) : Effect.void
  )

/** So long, whatever becomes of the clock; and no longer than it matters. */
const pause = (slot: Slot, from: Session, duration: Duration.DurationInput): Effect.Effect<void> =>
  Effect.raceFirst(Effect.sleep(duration), overtaking(slot, from))

/** A rung is climbed in a turn of its own. */
const rung = <E>(
  slot: Slot,
  from: Session,
  work: (turn: Turn) => Effect.Effect<SignedIn, E, Needs>
): Effect.Effect<SignedIn, E | AuthError, Needs> =>
  slot.exchanges.run(
    operation,
    (turn): Effect.Effect<SignedIn, E | AuthError, Needs> => overtaken(slot, from) ?? work(turn)
  )

export const told = (
  internals: Internals,
  reason: Reason,
  by: "refresh" | "login",
  session: SignedIn
): Effect.Effect<void> =>
  tell(internals, (at) =>
    reason === "opening"
      ? SessionEvent.LoggedIn({ at, accountId: session.accountId, loggedInBy: session.loggedInBy })
      : SessionEvent.Renewed({ at, accountId: session.accountId, by, why: reason })
  )

/* ---- first rung: refresh --------------------------------------------------- */

/** No try begins later than this after the first: the turn that it holds is waited for by whatever changes the session. */
const retriesWithin = 30_000_000_000n

const isUnsent = (error: IgError): boolean =>
  error._tag === "TransportError" && !error.mayHaveExecuted && error.reason !== "tls"

/**
 * Only what surely never left is sent again, by the user's policy; which may know no end, but waits no longer than
 * somebody needs the session. The pauses alone are cut short, since an answer on its way is never to be lost.
 */
const retryUnsent = <A, R>(
  slot: Slot,
  from: Session,
  policy: Policy,
  self: Effect.Effect<A, IgError, R>
): Effect.Effect<A, IgError, R> =>
  Effect.catchIf(self, isUnsent, (error) =>
    Effect.gen(function* () {
      const driver = yield* Schedule.driver(policy)
      // Not the time of day, which may be set back.
      const end = (yield* Clock.currentTimeNanos) + retriesWithin
      const again = (error: IgError): Effect.Effect<A, IgError, R> =>
        Effect.gen(function* () {
          const left = end - (yield* Clock.currentTimeNanos)
          if (left <= 0n || overtaken(slot, from) !== undefined) return yield* Effect.fail(error)
          const isDue = yield* Effect.raceFirst(
            Effect.isSuccess(driver.next(error)),
            Effect.as(pause(slot, from, Duration.nanos(left)), false)
          )
          return yield* isDue ? Effect.catchIf(self, isUnsent, again) : Effect.fail(error)
        })
      return yield* again(error)
    })
  )

/**
 * Sends the refresh token, which is spent by that: never the same one twice, whatever the answer. If it brings nothing,
 * the next run must know that it was sent, even if this one ends without a word.
 */
export const refreshOnce = (
  { keeping }: Internals,
  slot: Slot,
  turn: Turn,
  session: OAuthSession
): Effect.Effect<OAuthSession, IgError, Needs> =>
  Effect.gen(function* () {
    const token = Redacted.value(session.refreshToken)
    /** A refresh that has to wait is not sent, and one that IG had no allowance for has spent nothing. */
    const spending = (attempt: Effect.Effect<Answer, SendError, Needs>) =>
      Effect.zipRight(
        Effect.sync(() => {
          slot.spent = token
        }),
        attempt
      ).pipe(
        countRefresh,
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (wasNotExecuted(error)) slot.spent = undefined
          })
        )
      )
    const sent = send(Endpoint.refresh, { body: { refresh_token: token } }, spending)
    const policy = yield* ReadRetry
    const answer = yield* Option.isSome(policy) ? retryUnsent(slot, turn.current, policy.value, sent) : sent
    const renewed = withBearer(session, yield* decode(Endpoint.refresh, answer), answer)
    yield* turn.settle(renewed)
    return renewed
  }).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        if (!wasNotExecuted(error)) keeping.keeper?.changed()
      })
    )
  )

const canRefresh = (slot: Slot, session: Session): session is OAuthSession =>
  session._tag === "OAuthSession" && !isSpent(slot, session) && slot.distrusted !== keyOf(session)

/* ---- second rung: log in again --------------------------------------------- */

export const lost = (causes: ReadonlyArray<IgError>, more: { readonly retryAt?: number | undefined } = {}) =>
  new AuthError({ operation, reason: "session-lost", causes, ...more })

/** What it has tried itself, and what was tried before it. */
const heldBack = (causes: ReadonlyArray<IgError>, hold: Hold): AuthError =>
  lost([...hold.causes, ...causes], { retryAt: hold.until })

const refusedBefore = new AuthError({
  operation,
  reason: "credentials-unavailable",
  detail: "IG has refused these; they are not sent again until they change."
})

export const noLogin = new AuthError({ operation, reason: "no-login-kept" })

/** A login whose tokens IG refused at their first use came out of a cache, and the next one would, too. */
const cached = (slot: Slot, from: Session, now: number, causes: ReadonlyArray<IgError>): Hold | undefined => {
  const { born, proven } = slot
  if (born === undefined || born.key !== keyOf(from) || proven === born.key) return undefined
  if (now < born.at || now >= born.at + cachedFor) return undefined
  // The refresh token can be tried once only.
  if (causes.length > 0) slot.born = { ...born, causes }
  return { until: born.at + cachedFor, causes: born.causes }
}

const notSupplied = (detail: string) => new AuthError({ operation, reason: "credentials-unavailable", detail })

/** Whoever is asked is asked for as long as it matters, and no longer. */
const credentialsOf = (slot: Slot, from: Session, again: Again): Effect.Effect<Credentials.Values, AuthError> =>
  Effect.raceFirst(
    again.credentials,
    Effect.zipRight(pause(slot, from, credentialsWithin), notSupplied("They were not supplied in time."))
  )

/** Is IG there at all? Whatever it answers, but for a failure of its own, it is. */
const probe = send(Endpoint.encryptionKey).pipe(
  Effect.asVoid,
  Effect.catchTag("ApiError", (error) => (error.status >= 500 ? Effect.fail(error) : Effect.void))
)

const inUse = ({ main, siblings }: Internals, slot: Slot): ReadonlyArray<SignedIn> =>
  [main, ...[...siblings.values()].map((sibling) => sibling.slot)].flatMap((other) => {
    const session = other.exchanges.current()
    return other === slot || session._tag === "SignedOut" ? [] : [session]
  })

/** Back to the account that the session was on, in the way that was found to work. */
const destination = (internals: Internals, slot: Slot, from: Session) =>
  Option.map(
    Option.fromNullable(slot.accountId ?? (from._tag === "SignedOut" ? undefined : from.accountId)),
    (accountId) => ({
      accountId,
      byHeader: from._tag === "OAuthSession" && from.switchesByHeader,
      inUse: slot.accountId === undefined ? [] : inUse(internals, slot)
    })
  )

/** Notes that a login has given this session. */
export const born = (internals: Internals, slot: Slot, session: SignedIn): Effect.Effect<void> =>
  Effect.map(Clock.currentTimeMillis, (at) => {
    internals.logins.succeeded()
    slot.born = { key: keyOf(session), at, causes: [] }
  })

/** A login that did not come off, and whether that is the last word of this renewal. */
class Failed extends Data.TaggedError("Failed")<{ readonly error: IgError; readonly isFinal: boolean }> {}

/** The login was taken, and its account is not to be had. That says nothing of logins. */
const isOfAccount = (error: IgError): boolean =>
  error._tag === "AuthError"
    ? error.reason === "account-unavailable" || error.reason === "wrong-account"
    : error._tag === "ApiError" && error.operation === Endpoint.switchAccount.name && error.action === "fix"

/** What is known may have changed while a turn was waited for; but a hold that was sat through is over, by any clock. */
const admit = (
  { logins }: Internals,
  values: Credentials.Values,
  causes: ReadonlyArray<IgError>,
  over: Hold | undefined
): Effect.Effect<void, Failed | AuthError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now): Effect.Effect<void, Failed | AuthError> => {
    if (logins.isRefused(values)) return new Failed({ error: refusedBefore, isFinal: true })
    const hold = logins.held(now)
    return hold === undefined || hold === over ? Effect.void : heldBack(causes, hold)
  })

/** Logins of several accounts go one at a time, too: what IG says to one is known to the next. */
const rungOfLogin = <E>(
  { main }: Internals,
  slot: Slot,
  from: Session,
  work: (turn: Turn) => Effect.Effect<SignedIn, E, Needs>
): Effect.Effect<SignedIn, E | AuthError, Needs> =>
  slot === main ? rung(slot, from, work) : main.exchanges.run(operation, () => rung(slot, from, work))

/** Logs in as the session was logged in. */
const logInOnce = (
  internals: Internals,
  slot: Slot,
  from: Session,
  reason: Reason,
  login: LoggedIn,
  again: Again,
  causes: ReadonlyArray<IgError>,
  over: Hold | undefined
): Effect.Effect<SignedIn, Failed | IgError, Needs> =>
  Effect.gen(function* () {
    const { logins } = internals
    const values = yield* Effect.mapError(
      credentialsOf(slot, from, again),
      (error) => new Failed({ error, isFinal: true })
    )
    return yield* rungOfLogin(internals, slot, from, (turn) =>
      Effect.gen(function* () {
        yield* admit(internals, values, causes, over)
        const to = destination(internals, slot, turn.current)
        const opening = again.open(values, to)
        const session = yield* Effect.catchAll(
          logins.isInDoubt() && !again.asksForKey ? Effect.zipRight(probe, opening) : opening,
          (error: IgError): Effect.Effect<never, Failed | IgError> => {
            if (slot.accountId !== undefined && isOfAccount(error)) {
              slot.unavailable = error
              return Effect.fail(error)
            }
            return Effect.flatMap(
              Clock.currentTimeMillis,
              (now) => new Failed({ error, isFinal: !logins.failed(error, values, now, causes) })
            )
          }
        )
        const meanwhile = overtaken(slot, from)
        if (meanwhile !== undefined) return yield* Effect.zipRight(takeBack(session), meanwhile)
        yield* born(internals, slot, session)
        login.who = { identifier: values.identifier }
        yield* turn.settle(session, login)
        yield* told(internals, reason, "login", session)
        return session
      })
    )
  })

const both = (one: Hold | undefined, other: Hold | undefined): Hold | undefined =>
  one === undefined || other === undefined
    ? (one ?? other)
    : { until: Math.max(one.until, other.until), causes: [...one.causes, ...other.causes] }

const logInAgain = (
  internals: Internals,
  slot: Slot,
  from: Session,
  reason: Reason,
  causes: ReadonlyArray<IgError>,
  left: number
): Effect.Effect<SignedIn, IgError, Needs> =>
  Effect.gen(function* () {
    const login = slot.login()
    if (login?.again === undefined) return yield* overtaken(slot, from) ?? lost([...causes, noLogin])
    const now = yield* Clock.currentTimeMillis
    const held = internals.logins.held(now)
    const hold = both(held, reason === "refused" ? cached(slot, from, now, causes) : undefined)
    if (hold !== undefined && left === attempts) return yield* heldBack(causes, hold)
    if (hold !== undefined) yield* pause(slot, from, hold.until - now)
    const meanwhile = overtaken(slot, from)
    if (meanwhile !== undefined) return yield* meanwhile
    const outcome = yield* Effect.either(logInOnce(internals, slot, from, reason, login, login.again, causes, held))
    if (Either.isRight(outcome)) return outcome.right
    if (outcome.left._tag !== "Failed") return yield* outcome.left
    const { error, isFinal } = outcome.left
    const since = overtaken(slot, from)
    if (since !== undefined) return yield* since
    if (!isFinal && left > 1) return yield* logInAgain(internals, slot, from, reason, [...causes, error], left - 1)
    const retryAt = internals.logins.held(yield* Clock.currentTimeMillis)?.until
    return yield* lost([...causes, error], { retryAt })
  })

/* ---- the whole ladder ---------------------------------------------------------- */

export const climb = (internals: Internals, slot: Slot, from: Session, reason: Reason) =>
  Effect.gen(function* () {
    const causes: Array<IgError> = []
    if (canRefresh(slot, from)) {
      const refreshed = yield* rung(slot, from, (turn) =>
        Effect.tap(
          refreshOnce(internals, slot, turn, turn.current._tag === "OAuthSession" ? turn.current : from),
          (session) => told(internals, reason, "refresh", session)
        )
      ).pipe(Effect.either)
      if (Either.isRight(refreshed)) return refreshed.right
      if (isOver(refreshed.left) || wasNotExecuted(refreshed.left)) return yield* refreshed.left
      causes.push(refreshed.left)
    }
    return yield* logInAgain(internals, slot, from, reason, causes, attempts)
  }).pipe(
    Effect.tapError((error) =>
      error._tag === "AuthError" && error.reason === "session-lost"
        ? Effect.zipRight(
            Effect.logWarning(error.message),
            tell(internals, (at) => SessionEvent.Lost({ at, error }))
          )
        : Effect.void
    ),
    (self) => inSpan("Ig.session.renewal", { root: true, attributes: { "ig.reason": reason } }, () => self)
  )
