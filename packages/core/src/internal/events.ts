/** Telling those who listen what happened to a session. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Internals } from "./slot.ts"

/** Once the layer has closed nobody listens, and to publish would be to be interrupted. */
export const tell = ({ events }: Internals, event: (at: number) => SessionEvent): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.unlessEffect(PubSub.publish(events, event(now)), PubSub.isShutdown(events))
  )
