import type { Credentials } from "@effect-ig/core/Credentials"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import type { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { held, requests } from "./utils/state.ts"

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Unknown
})

const watchlist = Endpoint.make({
  name: "watchlists.create",
  method: "POST",
  path: "/watchlists",
  version: 1,
  body: Schema.Struct({ name: Schema.String }),
  answer: Schema.Unknown
})

/** Runs it with as much time as it wants. */
const patiently = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(Effect.either(self))
    for (let second = 0; second < 30; second++) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const passing: ReadonlyArray<readonly [name: string, fault: Fault]> = [
  ["a connection that is reset", { kind: "cutHeaders" }],
  ["an answer that is cut", { kind: "cutBody" }],
  ["no answer in time", { kind: "never" }],
  ["a 503", { kind: "answer", status: 503 }],
  ["a 500 with IG's code", { kind: "answer", status: 500, errorCode: "system.error" }],
  ["a failure of IG's security", { kind: "answer", status: 401, errorCode: "error.security.generic" }]
]

const lasting: ReadonlyArray<readonly [name: string, fault: Fault]> = [
  ["an allowance", { kind: "allowance", allowance: "api-key" }],
  ["a refusal", { kind: "answer", status: 404, errorCode: "invalid.url" }],
  ["what a human has to see to", { kind: "nonJson403" }],
  ["an answer that is not as expected", { kind: "answer", status: 200, text: "<html>" }]
]

describe("a read is repeated", () => {
  it.effect("no more than 30 seconds after it has failed for the first time", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ kind: "never", times: 9, path: "/session", method: "GET" })
      const fiber = yield* Effect.fork(Effect.either(Effect.timed(Session.read())))
      for (let second = 0; second < 60; second++) yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(fiber)).toMatchObject({ left: { _tag: "TransportError", reason: "timeout" } })
      // At 0, 16 and 32 seconds, each a pause later.
      expect((yield* requests()).filter((request) => request.startsWith("GET /session"))).toHaveLength(3)
    }).pipe(Effect.provide(keptInMemory({ requestTimeout: "16 seconds" })))
  )

  for (const [name, fault] of passing) {
    it.effect(`after ${name}`, () =>
      Effect.gen(function* () {
        yield* Session.login
        yield* (yield* Sandbox).inject({ ...fault, times: 2, path: "/session", method: "GET" })
        expect(yield* patiently(Session.read())).toMatchObject({ _tag: "Right" })
        expect((yield* requests()).filter((request) => request.startsWith("GET /session"))).toHaveLength(3)
      }).pipe(Effect.provide(keptInMemory({ requestTimeout: "1 second" })))
    )
  }

  for (const [name, fault] of lasting) {
    it.effect(`never after ${name}`, () =>
      Effect.gen(function* () {
        yield* Session.login
        yield* (yield* Sandbox).inject({ ...fault, path: "/session", method: "GET" })
        expect(yield* patiently(Session.read())).toMatchObject({ _tag: "Left" })
        expect(yield* requests(1)).toHaveLength(1)
      }).pipe(Effect.provide(Throttle.off), Effect.provide(keptInMemory()))
    )
  }

  it.effect("five times at most, with growing pauses that are never the same", () =>
    Effect.gen(function* () {
      const { inject, record } = yield* Sandbox
      yield* Session.login
      yield* inject({ kind: "answer", status: 503, times: 100, path: "/positions" })
      const fiber = yield* Effect.fork(Effect.flip(Endpoint.call(positions)))
      for (let step = 0; step < 600; step++) yield* TestClock.adjust("10 millis")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "ApiError", status: 503 })
      const at = (yield* record).slice(1).map(({ receivedAt }) => receivedAt)
      const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0))
      expect(pauses).toHaveLength(4)
      pauses.forEach((pause, index) => {
        expect(pause).toBeGreaterThanOrEqual(200 * 2 ** index * 0.8)
        expect(pause).toBeLessThanOrEqual(200 * 2 ** index * 1.2 + 10)
      })
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("by the schedule that a user puts in its place", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ kind: "cutHeaders", times: 100, path: "/positions" })
      const policy: ReadRetry.Policy = Schedule.intersect(Schedule.spaced(Duration.seconds(3)), Schedule.recurs(7))
      const outcome = yield* patiently(Endpoint.call(positions)).pipe(Effect.provide(ReadRetry.layer(policy)))
      expect(outcome).toMatchObject({ _tag: "Left" })
      expect(yield* requests(1)).toHaveLength(8)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("not at all when it is off, and a call with the API key alone like any other", () =>
    Effect.gen(function* () {
      const { inject } = yield* Sandbox
      yield* inject({ kind: "answer", status: 503, path: "/session/encryptionKey" })
      expect(yield* patiently(Effect.provide(Session.encryptionKey, ReadRetry.off))).toMatchObject({ _tag: "Left" })
      yield* inject({ kind: "answer", status: 503, path: "/session/encryptionKey" })
      expect(yield* patiently(Effect.provide(Session.encryptionKey, ReadRetry.layer()))).toMatchObject({
        _tag: "Right"
      })
      expect(yield* requests()).toHaveLength(3)
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a mutation", () => {
  for (const [name, fault] of passing) {
    it.effect(`leaves once, whatever becomes of it: ${name}`, () =>
      Effect.gen(function* () {
        yield* Session.login
        yield* (yield* Sandbox).inject({ ...fault, path: "/watchlists" })
        expect(yield* patiently(Endpoint.call(watchlist, { body: { name: "mine" } }))).toMatchObject({ _tag: "Left" })
        expect(yield* requests(1)).toHaveLength(1)
      }).pipe(Effect.provide(keptInMemory({ requestTimeout: "1 second" })))
    )
  }
})

class Refusal extends Error {
  readonly code = "ECONNREFUSED"
}

const elapsed = Effect.map(Clock.currentTimeMillis, (now) => now / 1000)

/** Signed in by a bearer that has died; and where it is to be refreshed nothing listens, the first times. */
const cutOff = <A, E>(
  policy: ReadRetry.Policy,
  refusals: number,
  body: (stack: {
    readonly context: Context.Context<Session.Ig | Credentials>
    readonly close: Effect.Effect<void>
    /** When a refresh was tried, in seconds. */
    readonly tries: ReadonlyArray<number>
  }) => Effect.Effect<A, E, Sandbox>
) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const tries: Array<number> = []
    const deaf = HttpClient.make((request, url) =>
      url.pathname.endsWith("/refresh-token") && tries.length < refusals
        ? Effect.flatMap(elapsed, (at) => {
            tries.push(at)
            return new HttpClientError.RequestError({ request, reason: "Transport", cause: new Refusal() })
          })
        : client.execute(request)
    )
    const scope = yield* Scope.make()
    const state = yield* Layer.buildWithScope(Layer.fresh(SessionState.layer), scope)
    const here = yield* Effect.context<Session.Ig | Credentials>()
    const context = here.pipe(
      Context.merge(state),
      Context.add(HttpClient.HttpClient, deaf),
      Context.add(ReadRetry.ReadRetry, Option.some(policy))
    )
    yield* Effect.provide(Session.login, context)
    yield* Effect.flatMap(Sandbox, ({ expire }) => expire("access"))
    return yield* body({ context, close: Scope.close(scope, Exit.void), tries })
  }).pipe(
    Effect.provide(keptInMemory()),
    (self) => Simulation.run(self, { limit: 100 * 86_400_000 }),
    Effect.flatMap((outcome) => (outcome._tag === "Done" ? outcome.exit : Effect.die("nothing moves any more")))
  )

const noEnd = Schedule.spaced("7 seconds")

describe("a refresh that cannot be sent", () => {
  it.live("is repeated by the policy, and is what the call fails with", () =>
    cutOff(Schedule.recurs(3), Infinity, ({ context, tries }) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(Effect.provide(Session.read(), context))).toMatchObject({
          operation: "session.refresh",
          reason: "unreachable",
          mayHaveExecuted: false
        })
        expect(tries).toEqual([0, 0, 0, 0])
      })
    )
  )

  const endless: ReadonlyArray<readonly [name: string, policy: ReadRetry.Policy, tries: ReadonlyArray<number>]> = [
    ["knows no end", noEnd, [0, 7, 14, 21, 28]],
    ["pauses for an hour", Schedule.spaced("1 hour"), [0]]
  ]

  for (const [name, policy, expected] of endless) {
    it.live(`ends after 30 seconds by a policy that ${name}, and so does what waits for it`, () =>
      cutOff(policy, Infinity, ({ context, tries }) =>
        Effect.gen(function* () {
          const reading = yield* Effect.fork(Effect.flip(Effect.provide(Session.read(), context)))
          yield* Effect.sleep("1 second")
          const login = Effect.provide(Effect.zipRight(Session.login, elapsed), context)
          expect(yield* Effect.timeout(login, "1 day")).toBe(30)
          expect(yield* Fiber.join(reading)).toMatchObject({ reason: "unreachable" })
          expect(tries).toEqual(expected)
        })
      )
    )

    it.live(`does not hold up the end of the layer by a policy that ${name}`, () =>
      cutOff(policy, Infinity, ({ close, context, tries }) =>
        Effect.gen(function* () {
          const reading = yield* Effect.fork(Effect.provide(Session.read(), context))
          yield* Effect.sleep("1 second")
          yield* Fiber.interrupt(reading)
          yield* Effect.timeout(close, "1 day")
          expect(yield* elapsed).toBe(1)
          yield* Effect.sleep("1 hour")
          expect(tries).toEqual([0])
        })
      )
    )
  }

  const starters: ReadonlyArray<
    readonly [name: string, first: ReadRetry.Policy | undefined, tries: ReadonlyArray<number>]
  > = [
    [
      "that has it on, also for who has it off",
      Schedule.spaced("5 seconds").pipe(Schedule.upTo("10 seconds")),
      [0, 5, 10]
    ],
    ["that has it off, also for who has it on", undefined, [0]]
  ]

  for (const [name, first, expected] of starters) {
    it.live(`goes by the policy of the call that began the renewal: one ${name}`, () =>
      cutOff(Schedule.recurs(7), Infinity, ({ context, tries }) =>
        Effect.gen(function* () {
          const reads = [first, first === undefined ? Schedule.recurs(7) : undefined].map((policy) =>
            Session.read().pipe(
              Effect.provideService(ReadRetry.ReadRetry, Option.fromNullable(policy)),
              Effect.provide(context),
              Effect.flip
            )
          )
          const [one, other] = yield* Effect.all(reads, { concurrency: "unbounded" })
          expect(one).toMatchObject({ reason: "unreachable" })
          expect(other).toBe(one)
          expect(tries).toEqual(expected)
        })
      )
    )
  }

  it.live("is never cut short where it may have been sent: its answer is stored though the layer closes", () =>
    cutOff(noEnd, 1, ({ close, context, tries }) =>
      Effect.gen(function* () {
        const { hold } = yield* Sandbox
        const { reached, release } = yield* hold("after", { path: "/session/refresh-token" })
        yield* Effect.fork(Effect.provide(Session.read(), context))
        yield* reached
        const closing = yield* Effect.fork(close)
        yield* Effect.sleep("10 seconds")
        expect(closing.unsafePoll()).toBeNull()
        yield* release
        yield* Fiber.join(closing)
        expect(tries).toEqual([0])
        expect(yield* Effect.provide(held, context)).toBe("SBX01 access-2 refresh-2")
      })
    )
  )
})
