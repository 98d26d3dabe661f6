/** A client that keeps to its allowances, beside a sandbox that has some, in virtual time. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { keptInMemory } from "./ig.ts"

export type Stack = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

export const minute = 60_000

export const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Unknown
})

export const read = Endpoint.call(positions)

export const open = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({ epic: Schema.String, direction: Schema.String, size: Schema.Number }),
  answer: Schema.Unknown
})

export const trade = Endpoint.call(open, { body: { epic: "CS.D.EURUSD.CFD.IP", direction: "BUY", size: 1 } })

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
