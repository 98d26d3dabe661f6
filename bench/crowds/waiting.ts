/** Many that wait for an allowance: in the governor alone, and as whole calls. A hundredth is let through at a time. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constTrue, constUndefined } from "effect/Function"
import * as Layer from "effect/Layer"
import { makeGovernor, makeTicket } from "../../packages/core/src/internal/throttleGovernor.ts"
import { ClientLayer } from "./client.ts"

const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Begins so many, looks at what each of them keeps while it waits, in bytes, and waits for all. */
const crowd = <A, E, R>(one: Effect.Effect<A, E, R>, count: number): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const before = heap()
    const fibers = yield* Effect.replicateEffect(Effect.fork(one), count)
    yield* Effect.sleep(1)
    const kept = (heap() - before) / count
    for (const fiber of fibers) yield* Fiber.join(fiber)
    return kept
  })

const numbers = (count: number): Throttle.Allowances => ({ key: count / 50, account: count / 100, trading: 1 })

export const governor = (count: number) =>
  Effect.gen(function* () {
    const { run } = yield* makeGovernor(numbers(count))
    const one = Effect.suspend(() =>
      run(
        {
          operation: "bench",
          allowance: "non-trading",
          accountId: "ABC12",
          ticket: makeTicket(),
          limit: undefined,
          exchange: undefined,
          isReady: constTrue,
          prepare: Effect.void,
          bearerEnds: constUndefined
        },
        ({ leave }) => leave
      )
    )
    return yield* crowd(one, count)
  }).pipe(Effect.scoped)

export const calls = (count: number) =>
  Effect.zipRight(Session.loginV2, crowd(Session.read(), count)).pipe(
    Effect.provide(Layer.merge(ClientLayer, Throttle.layer(numbers(count))))
  )
