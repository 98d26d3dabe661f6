/** Many callers of which each needs a renewal: without the throttle, which has a cost of its own. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ClientLayer } from "./client.ts"

const atOnce = (count: number) =>
  Effect.replicateEffect(Session.read(), count, { concurrency: "unbounded", discard: true })

/** And renewals must have been one. */
const renewing = <E, R>(crowd: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    yield* crowd
    const { issued } = yield* Sandbox.Sandbox
    const tokens = yield* issued
    // Of two sorts each time.
    if (tokens.length !== 4) return yield* Effect.dieMessage(`${tokens.length} tokens, not one login and one renewal`)
  }).pipe(Effect.provide(Layer.merge(ClientLayer, Throttle.off)))

/** Everybody finds less than the margin left. */
export const inTime = (count: number) =>
  renewing(Effect.all([Session.login, Effect.sleep("51 seconds"), atOnce(count)], { discard: true }))

/** Everybody is refused. */
export const refused = (count: number) =>
  renewing(
    Effect.all(
      [
        Session.loginV2,
        Session.read(),
        Effect.flatMap(Sandbox.Sandbox, ({ expire }) => expire("cst", "xst")),
        atOnce(count)
      ],
      { discard: true }
    )
  )
