/** What a request that has to wait for an allowance is told by its surroundings. */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Needs } from "./exchanges.ts"

/** How long a caller is ready to wait for a place; `undefined`, the default, is: as long as it takes. */
export class WaitLimit extends Context.Reference<WaitLimit>()("@effect-ig/core/WaitLimit", {
  defaultValue: (): Duration.Duration | undefined => undefined
}) {}

/** A session that sends requests, as far as it concerns when they may leave. */
export interface Sender {
  /** When its bearer ends, in ms since the epoch. */
  readonly bearerEnds: () => number | undefined
  readonly isClosed: () => boolean
}

/** The exchange that a request is part of: it holds up whatever else wants to change the session. */
export interface Exchange {
  /** The session that it changes; none, when it only ends one. */
  readonly sender: Sender | undefined
  /** Ends when nobody has a use for the exchange any more. */
  readonly closing: Effect.Effect<void>
  /** Begins work that goes on when the exchange is cut, and that the layer waits for when it closes. */
  readonly aside: (work: Effect.Effect<void, never, Needs>) => Effect.Effect<void, never, Needs>
}

export class CurrentExchange extends Context.Reference<CurrentExchange>()("@effect-ig/core/CurrentExchange", {
  defaultValue: (): Exchange | undefined => undefined
}) {}
