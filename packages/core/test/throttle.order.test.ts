/** The governor by itself: who goes when, whoever else leaves, and what is left of them. */
import * as Simulation from "@effect-ig/sandbox/Simulation"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constFalse, constTrue } from "effect/Function"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { describe } from "vitest"
import { type Departure, makeGovernor, type Want } from "../src/internal/throttleGovernor.ts"
import { makeCrowd } from "../src/internal/throttleCrowd.ts"
import type { Sender } from "../src/internal/waiting.ts"
import { minute, want } from "./utils/throttled.ts"

const leaves = ({ leave }: Departure) => leave

const virtually = <A, E>(program: Effect.Effect<A, E, Scope.Scope>) =>
  Effect.flatMap(Simulation.run(Effect.scoped(program)), (outcome) =>
    outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`)
  )

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("whoever leaves", () => {
  const accounts = ["A1", "A2", "A3"]

  it.live("at any time, of 10,000 of several accounts and sessions, disturbs no other, and is gone", () =>
    virtually(
      Effect.gen(function* () {
        const allowances = { key: 500, account: 300, trading: 1 }
        const { run, status } = yield* makeGovernor(allowances)
        const session = (): Sender => ({ bearerEnds: () => undefined, isClosed: constFalse })
        const senders = [session(), session()]
        const gone: Array<number> = []
        const call = (number: number) => {
          const given = want(accounts[number % 3] ?? "", {
            sender: senders[number % 2],
            // Each tenth prepares itself first, when its turn has come.
            isReady: number % 10 === 0 ? constFalse : constTrue,
            prepare: Effect.sleep(number % 7)
          })
          return Effect.fork(
            run(given, ({ leave }) =>
              Effect.zipRight(
                leave,
                Effect.sync(() => gone.push(number))
              )
            )
          )
        }
        const fibers = yield* Effect.forEach(numbers(10_000), call)
        yield* Effect.sleep(1)
        const left = new Set(yield* Effect.filter(numbers(10_000), () => Random.nextBoolean))
        yield* Effect.forEach(
          fibers,
          (fiber, number) =>
            left.has(number)
              ? Effect.flatMap(Random.nextIntBetween(0, 20 * minute), (at) =>
                  Effect.asVoid(Effect.delay(Fiber.interrupt(fiber), at))
                )
              : Effect.asVoid(Fiber.join(fiber)),
          { concurrency: "unbounded", discard: true }
        )

        const served = new Set(gone)
        expect(served.size).toBe(gone.length)
        expect(numbers(10_000).filter((number) => !left.has(number) && !served.has(number))).toEqual([])
        for (const account of numbers(3)) {
          for (const sender of numbers(2)) {
            const own = gone.filter((number) => number % 3 === account && number % 2 === sender)
            expect(own).toEqual([...own].sort((a, b) => a - b))
          }
        }
        yield* Effect.sleep(minute)
        expect(yield* status).toMatchObject({
          waiting: 0,
          key: { left: allowances.key, waiting: 0 },
          accounts: accounts.map((accountId) => ({ accountId, reads: { left: allowances.account, waiting: 0 } }))
        })
      })
    )
  )

  it.live("as the first, while it prepares itself or in the step in which it gets its place, keeps no place", () =>
    virtually(
      Effect.gen(function* () {
        const { run, status } = yield* makeGovernor({ key: 1, account: 1, trading: 1 })
        const call = (given?: Partial<Want<never, never>>) => Effect.fork(run(want("A1", given), leaves))
        yield* Effect.flatMap(call(), Fiber.join)
        // It is interrupted in the very step in which its place comes back and is given to it.
        const first = yield* call({
          isReady: () => {
            first.unsafeInterruptAsFork(FiberId.none)
            return true
          }
        })
        const preparing = yield* call({ isReady: constFalse, prepare: Effect.never })
        const other = yield* call({ isReady: constFalse, prepare: Effect.never })
        const last = yield* call()
        yield* Effect.sleep(minute)
        expect(Exit.isInterrupted(yield* Fiber.await(first))).toBe(true)
        yield* Fiber.interrupt(preparing)
        yield* Effect.sleep(1)
        yield* Fiber.interrupt(other)
        yield* Fiber.join(last)
        // Of all of them only the last has left.
        expect(yield* Clock.currentTimeMillis).toBe(minute + 1)
        yield* Effect.sleep(minute)
        expect(yield* status).toMatchObject({ waiting: 0, key: { left: 1, waiting: 0 } })
      })
    )
  )
})

describe("a client of the user's that sends one request several times at once", () => {
  it.live("takes a place for each, and gives all of them back", () =>
    virtually(
      Effect.gen(function* () {
        const { run, status } = yield* makeGovernor({ key: 1, account: 1, trading: 2 })
        const trade = { allowance: "trading" } as const
        yield* run(want("A1", trade), leaves)
        // The other two wait for both places to come back.
        yield* run(want("A1", trade), ({ leave }) =>
          Effect.zipRight(leave, Effect.all([leave, leave], { concurrency: "unbounded", discard: true }))
        )
        expect(yield* Clock.currentTimeMillis).toBe(minute)
        yield* Effect.sleep(minute)
        expect(yield* status).toMatchObject({ waiting: 0, accounts: [{ trades: { left: 2, waiting: 0 } }] })
      })
    )
  )
})

describe("sessions that have closed", () => {
  const session = () => {
    const state = { isClosed: false }
    const sender: Sender = { bearerEnds: () => 1, isClosed: () => state.isClosed }
    return { sender, close: () => (state.isClosed = true) }
  }

  it("are forgotten once nothing of theirs waits, those that are open are not", () => {
    const crowd = makeCrowd(() => [])
    const open = session()
    const waits = session()
    const of = { rank: 2, accountId: "A1" } as const
    const queue = crowd.queueOf(of, waits.sender)
    const readiness = { isReady: constTrue, sender: waits.sender }
    const waiter = {
      order: 0,
      number: 0,
      queue,
      since: 0,
      readiness,
      isPrepared: false,
      signal: undefined,
      wake: undefined
    }
    crowd.add(waiter)
    waits.close()
    crowd.meet(open.sender)
    const others = numbers(100).map(session)
    for (const { close, sender } of others) {
      crowd.meet(sender)
      close()
    }
    expect(crowd.bearersEnd().length).toBeLessThan(20)
    crowd.remove(waiter)
    for (const _ of numbers(100)) crowd.meet(session().sender)
    expect(crowd.bearersEnd()).toHaveLength(101)
  })
})
