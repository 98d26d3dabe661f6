/** Allowances together with what else repeats, waits or ends: retried reads, renewals, a client of the user's own. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import { TransportError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { makeCrowd } from "../src/internal/throttleCrowd.ts"
import { makeGovernor } from "../src/internal/throttleGovernor.ts"
import { lasting, minute, read, received, refusedFor, virtually, want } from "./utils/throttled.ts"

/** A read that says who it is, by a query that the gateway does not look at. */
const numbered = (session: boolean) =>
  Endpoint.make({
    name: "positions.numbered",
    method: "GET",
    path: "/markets",
    version: 1,
    session,
    query: Schema.Struct({ searchTerm: Schema.String }),
    answer: Schema.Unknown
  })

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("a read that is tried again after a passing failure", () => {
  for (const [what, session] of [
    ["in a session", true],
    ["with the API key alone", false]
  ] as const) {
    it.live(`keeps its place in the order: ${what}`, () =>
      virtually(
        Effect.gen(function* () {
          yield* Session.loginV2
          yield* (yield* Sandbox).inject({ kind: "answer", status: 503, path: "/markets" })
          const ask = (number: number) => Endpoint.call(numbered(session), { query: { searchTerm: String(number) } })
          const fibers = yield* Effect.forEach(numbers(6), (number) => Effect.fork(Effect.either(ask(number))))
          yield* Fiber.joinAll(fibers)
          const sent = (yield* received).flatMap(({ query }) => query["searchTerm"] ?? [])
          expect(sent).toEqual(["0", "0", "1", "2", "3", "4", "5"])
        }),
        { throttle: Throttle.layer({ key: 2, account: 30, trading: 100 }) }
      )
    )
  }

  it.live("waits no longer than its caller wants, all its tries taken together", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        for (const _ of numbers(2)) yield* Effect.zipRight(Effect.sleep("1 second"), read)
        yield* Effect.sleep("57 seconds")
        yield* (yield* Sandbox).inject({ kind: "answer", status: 503, path: "/positions" })
        // A place comes back in a second, and another one a second later.
        const limited = Effect.flip(Throttle.waitAtMost("1500 millis")(read))
        expect(yield* limited).toMatchObject({ _tag: "NotSentError", reason: "would-wait" })
        expect((yield* received).slice(3).map(({ receivedAt, status }) => [receivedAt, status])).toEqual([
          [minute, 503]
        ])
      }),
      { throttle: Throttle.layer({ key: 3, account: 30, trading: 100 }) }
    )
  )
})

it.live("a caller who cannot wait leaves a renewal that has to wait after it has begun", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).expire("access")
      yield* refusedFor("api-key", "/session/refresh-token")
      const limited = Effect.flip(Throttle.waitAtMost("2 seconds")(read))
      expect(yield* lasting(limited)).toBe(2_000)
      expect((yield* received).map(({ path, status }) => `${path} ${status}`)).toEqual([
        "/session 200",
        "/positions 401",
        "/session/refresh-token 403"
      ])
      yield* read
    }),
    { throttle: Throttle.layer("unlimited") }
  )
)

it.live("a caller who cannot wait stays with a renewal that is on the wire, and leaves once that has to wait", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).expire("access")
      yield* refusedFor("api-key", "/session/refresh-token")
      const slow = Layer.effect(
        HttpClient.HttpClient,
        Effect.map(HttpClient.HttpClient, (client) =>
          HttpClient.transform(client, (answer, { url }) =>
            url.endsWith("/refresh-token") ? Effect.delay(answer, "4500 millis") : answer
          )
        )
      )
      const limited = Effect.provide(Effect.flip(Throttle.waitAtMost("2 seconds")(read)), slow)
      expect(yield* lasting(limited)).toBe(5_000)
    }),
    { throttle: Throttle.layer("unlimited") }
  )
)

describe("places", () => {
  it.live("of requests that surely never left are free again", () =>
    virtually(
      Effect.gen(function* () {
        const { run, status } = yield* makeGovernor({ key: 8, account: 30, trading: 100 })
        const attempt = (mayHaveExecuted: boolean) =>
          run(want("A1"), ({ leave }) =>
            Effect.zipRight(leave, new TransportError({ operation: "test", reason: "unreachable", mayHaveExecuted }))
          )
        for (const _ of numbers(8)) yield* Effect.flip(attempt(false))
        expect((yield* status).key.left).toBe(8)
        yield* Effect.flip(attempt(true))
        expect((yield* status).key.left).toBe(7)
      }).pipe(Effect.scoped),
      { throttle: Throttle.off }
    )
  )

  it.live("that a client of the user's gets when the request has ended already come back like any other", () =>
    virtually(
      Effect.gen(function* () {
        const { run, status } = yield* makeGovernor({ key: 2, account: 30, trading: 100 })
        yield* run(want("A1"), ({ leave }) => leave)
        const second = yield* run(want("A1"), ({ leave }) => Effect.zipRight(leave, Effect.forkDaemon(leave)))
        yield* Effect.sleep(2 * minute)
        yield* Fiber.join(second)
        yield* Effect.sleep(minute)
        expect((yield* status).key.left).toBe(2)
      }).pipe(Effect.scoped),
      { throttle: Throttle.off }
    )
  )

  it("are not kept back for the bearers of sessions that have closed", () => {
    const crowd = makeCrowd(() => [])
    let isClosed = false
    crowd.meet({ bearerEnds: () => 1, isClosed: () => isClosed })
    crowd.meet({ bearerEnds: () => 2, isClosed: constTrue })
    crowd.meet({ bearerEnds: () => undefined, isClosed: () => isClosed })
    crowd.meet(undefined)
    expect(crowd.bearersEnd()).toEqual([1])
    isClosed = true
    expect(crowd.bearersEnd()).toEqual([])
  })
})

it.live("a lane is told of as closed once, though a client of the user's had sent the request twice", () =>
  virtually(
    Effect.gen(function* () {
      const events: Array<Throttle.Event> = []
      yield* Effect.fork(Stream.runForEach(Throttle.events, (event) => Effect.sync(() => void events.push(event))))
      yield* Session.loginV2
      yield* (yield* Sandbox).inject({ kind: "answer", status: 503, path: "/positions" })
      yield* refusedFor("api-key", "/positions")
      const repeating = Layer.effect(
        HttpClient.HttpClient,
        Effect.map(HttpClient.HttpClient, HttpClient.retryTransient({ times: 3 }))
      )
      yield* Effect.provide(read, repeating)
      expect(events.filter(({ _tag }) => _tag === "Closed")).toHaveLength(1)
    }),
    { throttle: Throttle.layer("live") }
  )
)

it.live("the longest wait is that of whoever waits the longest, though one that was refused goes first", () =>
  virtually(
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* refusedFor("api-key", "/positions")
      const fibers = yield* Effect.replicateEffect(Effect.fork(read), 3)
      yield* Effect.sleep("30 seconds")
      const status = Option.getOrThrow(yield* Throttle.status)
      expect(status.waiting).toBe(3)
      yield* Effect.sleep("29 seconds")
      yield* refusedFor("api-key", "/positions")
      yield* Effect.sleep("10 seconds")
      expect(Option.getOrThrow(yield* Throttle.status).longestWait).toBe(69_000)
      yield* Fiber.joinAll(fibers)
    }),
    { throttle: Throttle.layer({ key: 2, account: 30, trading: 100 }) }
  )
)
