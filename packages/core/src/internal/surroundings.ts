/** Where an effect runs. Every call looks there several times, and context and clock by themselves take two steps each. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export const surroundings = <R, A, E, R2>(
  look: (context: Context.Context<R>, clock: Clock.Clock) => Effect.Effect<A, E, R2>
): Effect.Effect<A, E, R | R2> =>
  Effect.withFiberRuntime((fiber) => {
    // What `R` says is provided wherever this can run: `Effect.context` takes the same view of the same value.
    const context = fiber.currentContext as Context.Context<R>
    return look(context, Context.get(fiber.currentDefaultServices, Clock.Clock))
  })
