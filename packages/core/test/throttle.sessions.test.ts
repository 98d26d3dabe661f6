/** Several sessions that share an allowance, since they use the same API key. */
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { describe } from "vitest"
import { lasting, minute, queued, receivedAt, trade, virtually } from "./utils/throttled.ts"

const slowDemo = { throttle: Throttle.layer("demo"), sandbox: { preset: "demo", switches: { latency: 100 } } } as const

/** A trade at the end of each bearer's life, for five minutes; how long each waits for something else than IG's answers. */
const tradesAtTheEnd = Effect.gen(function* () {
  const waits: Array<number> = []
  for (let end = minute; end <= 5 * minute; end += minute) {
    yield* Effect.sleep(end - (yield* Clock.currentTimeMillis))
    const took = yield* lasting(trade)
    // Of the trade, of the refresh that it needs, and of one that was refused before that.
    waits.push(took > 300 ? took : 0)
  }
  return waits
})

describe("a trade whose bearer ends finds a place for its renewal", () => {
  it.live("beside reads of another session", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const other = yield* Layer.build(Layer.fresh(SessionState.layer))
        const reads = yield* Effect.provide(Effect.zipRight(Session.loginV2, queued(200)), other)
        expect(yield* tradesAtTheEnd).toEqual([0, 0, 0, 0, 0])
        expect((yield* receivedAt("POST", "/session/refresh-token")).length).toBeGreaterThan(3)
        yield* Fiber.interruptAll(reads)
      }).pipe(Effect.scoped),
      slowDemo
    )
  )

  it.live("beside requests with the API key alone, though it has never sent one itself", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const asking = yield* Effect.replicateEffect(Effect.fork(Session.encryptionKey), 100)
        expect(yield* tradesAtTheEnd).toEqual([0, 0, 0, 0, 0])
        yield* Fiber.interruptAll(asking)
      }),
      slowDemo
    )
  )

  it.live("beside that of another session, whose bearer ends at the same time", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const other = yield* Layer.build(Layer.fresh(SessionState.layer))
        yield* Effect.provide(Session.login, other)
        const asking = yield* Effect.replicateEffect(Effect.fork(Session.encryptionKey), 100)
        const both = yield* Effect.all([tradesAtTheEnd, Effect.provide(tradesAtTheEnd, other)], { concurrency: 2 })
        expect(both).toEqual([
          [0, 0, 0, 0, 0],
          [0, 0, 0, 0, 0]
        ])
        yield* Fiber.interruptAll(asking)
      }).pipe(Effect.scoped),
      slowDemo
    )
  )
})

describe("a session whose renewal hangs", () => {
  it.live("holds up no trade of another one", () =>
    virtually(
      Effect.gen(function* () {
        const { hold } = yield* Sandbox
        yield* Session.login
        const other = yield* Layer.build(Layer.fresh(SessionState.layer))
        yield* Effect.provide(Session.loginV2, other)
        yield* Effect.provide(Effect.replicateEffect(trade, 2, { discard: true }), other)
        yield* hold("before", { path: "/session/refresh-token" })
        const hanging = yield* Effect.fork(trade)
        // The places of the trades have come back, and the first goes to who needs a renewal.
        yield* Effect.sleep(minute + 1)
        expect(yield* lasting(Effect.provide(trade, other))).toBe(0)
        yield* Fiber.interrupt(hanging)
      }).pipe(Effect.scoped),
      { throttle: Throttle.layer({ key: 60, account: 30, trading: 2 }) }
    )
  )
})
