/**
 * One flight up the ladder at a time, which belongs to the session; whoever needs it waits for it and may leave.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { Description } from "../Endpoint.ts"
import { AuthError, type IgError, type NotSentError } from "../IgError.ts"
import { Renewal, type Settings } from "../Renewal.ts"
import type { OAuthSession, Session, SignedIn } from "../SessionState.ts"
import type { Needs } from "./exchanges.ts"
import { climb, notSignedIn, operation, overtaken, type Reason } from "./ladder.ts"
import type { Flight, Internals, Slot } from "./slot.ts"
import { surroundings } from "./surroundings.ts"
import { timeWait } from "./telemetry.ts"
import { Throttle } from "./throttle.ts"
import { type Governor, wouldWait } from "./throttleGovernor.ts"
import { keyOf } from "./tokens.ts"
import { WaitLimit } from "./waiting.ts"

/** A caller who cannot wait is told so, when the renewal would have to. */
const tooLong = (
  context: Context.Context<Needs>,
  isUnderWay: boolean
): Effect.Effect<never, NotSentError> | undefined => {
  const limit = Context.get(context, WaitLimit)
  const throttle = Context.get(context, Throttle)
  if (limit === undefined || Option.isNone(throttle)) return undefined
  const { isExchangeWaiting, renewalWait } = throttle.value.governor
  if (isUnderWay && !isExchangeWaiting()) return undefined
  const wait = renewalWait()
  return wait > Duration.toMillis(limit) ? wouldWait(operation, wait) : undefined
}

const moment = Duration.seconds(1)

/** Also when the renewal comes to wait only after it has begun; the time that it is on the wire is not counted. */
const withinLimit = <A, E>(
  context: Context.Context<Needs>,
  landed: Effect.Effect<A, E>
): Effect.Effect<A, E | NotSentError> => {
  const limit = Context.get(context, WaitLimit)
  const throttle = Context.get(context, Throttle)
  if (limit === undefined || Option.isNone(throttle)) return landed
  const { isExchangeWaiting, renewalWait } = throttle.value.governor
  const look: Effect.Effect<never, NotSentError> = Effect.suspend(() =>
    isExchangeWaiting() ? wouldWait(operation, renewalWait()) : Effect.delay(look, moment)
  )
  return Effect.raceFirst(landed, Effect.delay(look, limit))
}

/**
 * The session that comes after this one: at once when there is one, else by the flight under way or a new one. Whoever
 * was refused says what its request carried, so that a late refusal of old tokens renews nothing.
 */
export const renew = (
  internals: Internals,
  slot: Slot,
  from: Session,
  reason: Reason
): Effect.Effect<SignedIn, IgError, Needs> =>
  Effect.contextWithEffect((context: Context.Context<Needs>) =>
    Effect.suspend((): Effect.Effect<SignedIn, IgError, Needs> => {
      const key = keyOf(from)
      const current = slot.exchanges.current()
      if (keyOf(current) !== key) return current._tag === "SignedOut" ? notSignedIn : Effect.succeed(current)
      if (slot.exchanges.isClosed()) return new AuthError({ operation, reason: "closed" })
      const wait = tooLong(context, slot.flight?.key === key)
      if (wait !== undefined) return wait
      if (slot.flight?.key !== key) {
        const landed = slot.exchanges.begin(context, climb(internals, slot, current, reason), (exit) => {
          if (slot.flight === flight) slot.flight = undefined
          if (Exit.isFailure(exit) && reason === "refused") slot.dead = key
        })
        const flight: Flight = { key, landed }
        slot.flight = flight
      }
      return timeWait(withinLimit(context, slot.flight.landed))
    })
  )

export const isExpiring = (session: SignedIn, { margin }: Settings, now: number): session is OAuthSession =>
  session._tag === "OAuthSession" &&
  session.expiresAt - now < Math.min(Duration.toMillis(margin), (session.expiresAt - session.issuedAt) / 3)

/** A bearer that could not be renewed in good time may live long enough for this call all the same. */
const orAsItIs = (internals: Internals, slot: Slot, session: OAuthSession): Effect.Effect<SignedIn, IgError, Needs> =>
  Effect.catchAll(renew(internals, slot, session, "expiring"), (error) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now < session.expiresAt && overtaken(slot, session) === undefined ? Effect.succeed(session) : Effect.fail(error)
    )
  )

/** What a call needs to know to see whether it has to renew its session first. */
export interface Circumstances {
  readonly settings: Settings
  readonly governor: Governor | undefined
}

export const circumstances = (context: Context.Context<never>): Circumstances => ({
  settings: Context.get(context, Renewal),
  governor: Option.getOrUndefined(Context.get(context, Throttle))?.governor
})

/** A trade does not wait for a renewal that has to wait itself, as long as its bearer lives. */
const canDoWithout = (endpoint: Description, session: OAuthSession, governor: Governor | undefined, now: number) =>
  endpoint.allowance === "trading" && now < session.expiresAt && governor !== undefined && governor.renewalWait() > 0

/** Why this session would have to be renewed before such a call; `undefined` if it is good as it is. */
const why = (
  endpoint: Description,
  { dead }: Slot,
  session: SignedIn,
  { governor, settings }: Circumstances,
  now: number
): "refused" | "expiring" | undefined => {
  if (!settings.isOn) return undefined
  if (dead === keyOf(session)) return "refused"
  return isExpiring(session, settings, now) && !canDoWithout(endpoint, session, governor, now) ? "expiring" : undefined
}

/** Could a call go in the session as it is now? One that is signed out has nothing to renew. */
export const isReady = (endpoint: Description, slot: Slot, known: Circumstances, now: number): boolean => {
  const current = slot.exchanges.current()
  return current._tag === "SignedOut" || why(endpoint, slot, current, known, now) === undefined
}

/** A bearer that lives, and that IG has not refused. */
export const isAlive = ({ dead, exchanges }: Slot, session: SignedIn, now: number): boolean =>
  session._tag === "OAuthSession" &&
  now < session.expiresAt &&
  dead !== keyOf(session) &&
  keyOf(exchanges.current()) === keyOf(session)

/** The session for a call, renewed first when it would not live through it. */
export const ready = (
  internals: Internals,
  slot: Slot,
  endpoint: Description
): Effect.Effect<SignedIn, IgError, Needs> =>
  surroundings((context: Context.Context<Needs>, clock): Effect.Effect<SignedIn, IgError, Needs> => {
    const current = slot.exchanges.current()
    if (slot.unavailable !== undefined) return Effect.fail(slot.unavailable)
    if (current._tag === "SignedOut") {
      return slot.accountId === undefined
        ? new AuthError({ operation: endpoint.name, reason: "not-signed-in" })
        : renew(internals, slot, current, "opening")
    }
    const reason = why(endpoint, slot, current, circumstances(context), clock.unsafeCurrentTimeMillis())
    if (reason === undefined) return Effect.succeed(current)
    return reason === "expiring" && current._tag === "OAuthSession"
      ? orAsItIs(internals, slot, current)
      : renew(internals, slot, current, reason)
  })
