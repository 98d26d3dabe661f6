/** A client that keeps to its allowances, beside a sandbox that has some, in virtual time. */
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import type * as ConfigError from "effect/ConfigError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { makeTicket, type Want } from "../../src/internal/throttleGovernor.ts"
import { keptInMemory } from "./ig.ts"
import { read } from "./positions.ts"

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

/** How long it takes, in virtual ms. */
export const lasting = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    yield* self
    return (yield* Clock.currentTimeMillis) - begun
  })

/** So many reads that wait, in the background. */
export const queued = (count: number) =>
  Effect.tap(
    Effect.forEach(Array.from({ length: count }), () => Effect.fork(read)),
    () => Effect.sleep(1)
  )

export const waiting = Effect.map(Throttle.status, (status) => Option.getOrThrow(status).waiting)

export const demo = { throttle: Throttle.layer("demo"), sandbox: { preset: "demo" } } as const
export const live = { throttle: Throttle.layer("live"), sandbox: { preset: "live" } } as const

/** A request of the governor's, alone. */
export const want = (accountId: string, given: Partial<Want<never, never>> = {}): Want<never, never> => ({
  operation: "test",
  allowance: "non-trading",
  accountId,
  ticket: makeTicket(),
  limit: undefined,
  exchange: undefined,
  sender: undefined,
  isReady: constTrue,
  prepare: Effect.void,
  ...given
})

export const refusedFor = (allowance: "api-key" | "account" | "account-trading", path?: string) =>
  Effect.flatMap(Sandbox.Sandbox, ({ inject }) =>
    inject({ kind: "allowance", allowance, ...(path === undefined ? {} : { path }) })
  )
