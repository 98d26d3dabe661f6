/** Telling those who listen what happened to a session. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Internals } from "./slot.ts"

export const tell = (internals: Internals, event: (at: number) => SessionEvent): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.asVoid(PubSub.publish(internals.events, event(now))))
