/**
 * One flight up the ladder at a time, which belongs to the session; whoever needs it waits for it and may leave.
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { AuthError, type IgError } from "../IgError.ts"
import { Renewal, type Settings } from "../Renewal.ts"
import type { OAuthSession, Session, SignedIn } from "../SessionState.ts"
import type { Needs } from "./exchanges.ts"
import { climb, notSignedIn, operation, overtaken, type Reason } from "./ladder.ts"
import type { Flight, Internals, Slot } from "./slot.ts"
import { timeWait } from "./telemetry.ts"
import { keyOf } from "./tokens.ts"

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
    Effect.suspend(() => {
      const key = keyOf(from)
      const current = slot.exchanges.current()
      if (keyOf(current) !== key) return current._tag === "SignedOut" ? notSignedIn : Effect.succeed(current)
      if (slot.exchanges.isClosed()) return new AuthError({ operation, reason: "closed" })
      if (slot.flight?.key !== key) {
        const landed = slot.exchanges.begin(context, climb(internals, slot, current, reason), (exit) => {
          if (slot.flight === flight) slot.flight = undefined
          if (Exit.isFailure(exit) && reason === "refused") slot.dead = key
        })
        const flight: Flight = { key, landed }
        slot.flight = flight
      }
      return timeWait(slot.flight.landed)
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

/** The session for a call, renewed first when it would not live through it. */
export const ready = (internals: Internals, slot: Slot, name: string): Effect.Effect<SignedIn, IgError, Needs> =>
  Effect.gen(function* () {
    const current = slot.exchanges.current()
    if (slot.unavailable !== undefined) return yield* slot.unavailable
    if (current._tag === "SignedOut") {
      if (slot.accountId === undefined) return yield* new AuthError({ operation: name, reason: "not-signed-in" })
      return yield* renew(internals, slot, current, "opening")
    }
    const settings = yield* Renewal
    if (!settings.isOn) return current
    if (slot.dead === keyOf(current)) return yield* renew(internals, slot, current, "refused")
    const now = yield* Clock.currentTimeMillis
    return isExpiring(current, settings, now) ? yield* orAsItIs(internals, slot, current) : current
  })
