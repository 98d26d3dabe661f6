/** Many that wait for an allowance: in the governor alone, and as whole calls. A hundredth is let through at a time. */
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constTrue } from "effect/Function"
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

const governing = (count: number, accountOf: (index: number) => string) =>
  Effect.gen(function* () {
    const { run } = yield* makeGovernor(numbers(count))
    let index = 0
    const one = Effect.suspend(() =>
      run(
        {
          operation: "bench",
          allowance: "non-trading",
          accountId: accountOf(index++),
          ticket: makeTicket(),
          limit: undefined,
          exchange: undefined,
          isReady: constTrue,
          prepare: Effect.void,
          sender: undefined
        },
        ({ leave }) => leave
      )
    )
    return yield* crowd(one, count)
  }).pipe(Effect.scoped)

export const governor = (count: number) => governing(count, () => "ABC12")

/** Each with an account of its own, so that there are as many queues. */
export const accounts = (count: number) => governing(count, (index) => `A${index}`)

export const calls = (count: number) =>
  Effect.zipRight(Session.loginV2, crowd(Session.read(), count)).pipe(
    Effect.provide(Layer.merge(ClientLayer, Throttle.layer(numbers(count))))
  )
