/** A client that keeps to its allowances, beside a sandbox that has some, in virtual time. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import type * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { keptInMemory } from "./ig.ts"

export type Stack = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

export const minute = 60_000

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Unknown
})

export const read = Endpoint.call(positions)

const open = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({
    epic: Schema.String,
    expiry: Schema.String,
    direction: Schema.String,
    size: Schema.Number,
    orderType: Schema.String,
    currencyCode: Schema.String,
    forceOpen: Schema.Boolean,
    guaranteedStop: Schema.Boolean
  }),
  answer: Schema.Unknown
})

export const trade = Endpoint.call(open, {
  body: {
    epic: "CS.D.EURUSD.CFD.IP",
    expiry: "-",
    direction: "BUY",
    size: 1,
    orderType: "MARKET",
    currencyCode: "USD",
    forceOpen: false,
    guaranteedStop: false
  }
})

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
