/** A client that keeps to its allowances, beside a sandbox that has some, in virtual time. */
import type * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { keptInMemory } from "./ig.ts"

export type Stack = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

export { minute, read, trade } from "./positions.ts"

/** Runs it to its end in virtual time; a program that cannot move on is a failure. */
export const virtually = <A, E>(
  program: Effect.Effect<A, E, Stack>,
  {
    sandbox = {},
    throttle
  }: {
    readonly sandbox?: Sandbox.Sandbox.Options
    readonly throttle: Layer.Layer<Throttle.Throttle, ConfigError.ConfigError>
  }
): Effect.Effect<A, E | ConfigError.ConfigError> =>
  Effect.flatMap(
    Simulation.run(Effect.provide(program, Layer.merge(keptInMemory({}, sandbox), throttle))),
    (outcome) => (outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`))
  )

/** What the sandbox has received so far, in its own time. */
export const received: Effect.Effect<ReadonlyArray<Sandbox.RecordedRequest>, never, Sandbox.Sandbox> = Effect.flatMap(
  Sandbox.Sandbox,
  ({ record }) => record
)

export const receivedAt = (method: string, path: string) =>
  Effect.map(received, (requests) =>
    requests.filter((request) => request.method === method && request.path === path).map(({ receivedAt }) => receivedAt)
  )
