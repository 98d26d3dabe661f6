/** Telling those who listen what happened. */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Internals } from "./slot.ts"

/** Whoever does not keep up with so many events misses the oldest. */
const remembered = 1_000

export const makeEvents = <A>(): Effect.Effect<PubSub.PubSub<A>> => PubSub.sliding<A>(remembered)

/** In one step as long as nobody is that far behind. To those who come once the layer has closed nothing is told. */
export const publish = <A>(events: PubSub.PubSub<A>, event: A): Effect.Effect<void> =>
  Effect.suspend(() =>
    events.unsafeOffer(event)
      ? Effect.void
      : Effect.asVoid(Effect.unlessEffect(PubSub.publish(events, event), PubSub.isShutdown(events)))
  )

export const tell = ({ events }: Internals, event: (at: number) => SessionEvent): Effect.Effect<void> =>
  Effect.clockWith((clock) => publish(events, event(clock.unsafeCurrentTimeMillis())))
