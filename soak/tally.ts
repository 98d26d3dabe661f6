/** What happened, counted. */
import type { IgError } from "@effect-ig/core/IgError"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import type * as Throttle from "@effect-ig/core/Throttle"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

export interface Tally {
  readonly counts: Map<string, number>
  /** How calls died, which none may. */
  readonly defects: Array<string>
}

export const make = (): Tally => ({ counts: new Map(), defects: [] })

export const count = ({ counts }: Tally, what: string, by = 1): void => {
  counts.set(what, (counts.get(what) ?? 0) + by)
}

const nameOf = (error: IgError): string => {
  switch (error._tag) {
    case "ApiError":
      return `ApiError ${error.status}`
    case "DecodeError":
      return error._tag
    case "AuthError":
    case "NotSentError":
    case "TransportError":
      return `${error._tag} ${error.reason}`
  }
}

const outcomeOf = (exit: Exit.Exit<Option.Option<unknown>, IgError>): string | undefined =>
  Exit.match(exit, {
    onSuccess: Option.match({ onNone: () => "left by its caller", onSome: () => "answered" }),
    onFailure: (cause) => Option.getOrUndefined(Option.map(Cause.failureOption(cause), nameOf))
  })

/** Makes a call whose caller stays so long, and notes what became of it. */
export const counted =
  (tally: Tally, what: string, patience: Duration.DurationInput) =>
  <A, R>(call: Effect.Effect<A, IgError, R>): Effect.Effect<void, never, R> =>
    Effect.map(Effect.exit(Effect.timeoutOption(call, patience)), (exit) => {
      const outcome = outcomeOf(exit)
      if (outcome !== undefined) count(tally, `${what}: ${outcome}`)
      else if (Exit.isFailure(exit)) tally.defects.push(Cause.pretty(exit.cause))
    })

export const countSession = (tally: Tally, event: SessionEvent): void =>
  count(tally, `session: ${event._tag}${event._tag === "Renewed" ? ` by ${event.by}` : ""}`)

export const countThrottle = (tally: Tally, event: Throttle.Event): void => count(tally, `allowance: ${event._tag}`)
