/** A store together with what else a session lives through: other accounts, second logins, second resumptions. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { clientLayer, inMemory, keptInMemory } from "./utils/ig.ts"
import { run, stored, world } from "./utils/runs.ts"
import { count, eventually, held, liveSessions, requests } from "./utils/state.ts"

const other = withAccount("SBX02")(Session.read())

/** Lets everything run that needs no time. */
const settle = Effect.repeatN(Effect.yieldNow(), 200)

/** One layer of a client, in which a session may be taken up more than once. */
const inOneLayer = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.provide(Effect.scoped(self), clientLayer())

describe("a session that is taken up twice at once", () => {
  it.effect("is refreshed by the first alone, and stays in the store", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("2 minutes")
      const seen = yield* count
      yield* inOneLayer(
        Effect.gen(function* () {
          const { reached, release } = yield* (yield* Sandbox).hold("after", { path: "/session/refresh-token" })
          const first = yield* Effect.fork(Session.resumed(Session.login))
          yield* reached
          const second = yield* Effect.fork(Session.resumed(Session.login))
          yield* settle
          yield* release
          yield* Fiber.join(first)
          yield* Fiber.join(second)
          expect(yield* held).toBe("SBX01 access-2 refresh-2")
        }).pipe(Effect.scoped)
      )
      expect(yield* requests(seen)).toEqual(["POST /session/refresh-token 1 200", "GET /session 1 200"])
      expect((yield* run(Session.login, Effect.void)).end).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(world()))
  )

  it.effect("keeps those of other accounts, which are the same as before", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      const seen = yield* count
      yield* inOneLayer(
        Effect.gen(function* () {
          yield* Session.resume
          yield* other
          yield* Session.resumed(Session.loginV2)
          yield* settle
          yield* other
        })
      )
      expect(yield* requests(seen)).toEqual(Array.from({ length: 4 }, () => "GET /session 1 200"))
      expect(yield* liveSessions).toBe(2)
      expect((yield* run(Session.loginV2, other)).sent).toEqual(["GET /session 1 200", "GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )
})

it.effect("a login that is tried again takes up what the try before it has refreshed", () =>
  Effect.gen(function* () {
    yield* run(Session.login, Effect.void)
    yield* TestClock.adjust("2 minutes")
    yield* (yield* Sandbox).inject({ kind: "answer", status: 500, method: "GET", path: "/session" })
    const next = yield* run(Effect.retry(Session.login, { times: 1 }), Effect.void, { accountId: "SBX02" })
    expect(next.sent).toEqual([
      "POST /session/refresh-token 1 200",
      "PUT /session 1 401",
      "GET /session 1 500",
      "GET /session 1 200",
      "PUT /session 1 401",
      "GET /session 1 200"
    ])
    expect(next.end).toBe("SBX02 access-2 refresh-2")
  }).pipe(Effect.provide(world()))
)

describe("sessions of other accounts", () => {
  it.effect("that another login has opened than the one that is kept end with the layer", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.zipRight(other, Session.loginV2))
      expect((yield* requests()).at(-1)).toBe("DELETE /session 1 204")
      // The first of the session's own is left to end by itself, and the second is stored.
      expect(yield* liveSessions).toBe(2)
      expect(yield* stored).toContain(`"siblings":[]`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("are taken up beside a login, where the session itself has died and they have not", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      const refused = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
      yield* (yield* Sandbox).inject({ ...refused, path: "/session" })
      const next = yield* run(Session.loginV2, other)
      expect(next.sent).toEqual(["GET /session 1 401", "POST /session 2 200", "GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("are taken up beside the second login, where the first has failed", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      const refused = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
      const sandbox = yield* Sandbox
      yield* sandbox.inject({ ...refused, method: "GET", path: "/session" })
      yield* sandbox.inject({ kind: "answer", status: 500, method: "POST", path: "/session" })
      const next = yield* run(Effect.retry(Session.loginV2, { times: 1 }), Effect.zipRight(other, other))
      expect(next.sent).toEqual([
        "GET /session 1 401",
        "POST /session 2 500",
        "POST /session 2 200",
        "GET /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world()))
  )

  it.effect("are taken up once: those of a login that follows another are its own", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      const refused = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
      yield* (yield* Sandbox).inject({ ...refused, method: "GET", path: "/session" })
      const twice = Effect.zipRight(Effect.zipRight(Session.loginV2, Session.logout), Session.loginV2)
      const next = yield* run(twice, other)
      expect(next.sent).toEqual([
        "GET /session 1 401",
        "POST /session 2 200",
        "DELETE /session 1 204",
        "DELETE /session 1 204",
        "POST /session 2 200",
        "POST /session 2 200",
        "PUT /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world()))
  )
})

describe("a call on another account that is on its way while the session is logged in anew", () => {
  it.effect("goes in a session of the new login, when its own was to be opened by the old one", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      const { reached, release } = yield* (yield* Sandbox).hold("after", { method: "POST", path: "/session" })
      const next = yield* Effect.fork(Session.loginV2)
      yield* reached
      const reading = yield* Effect.fork(other)
      yield* settle
      yield* release
      yield* Fiber.join(next)
      expect((yield* Fiber.join(reading)).accountId).toBe("SBX02")
      expect(yield* requests(2)).toEqual(["POST /session 2 200", "PUT /session 1 200", "GET /session 1 200"])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("goes in a session of the new login, when it waits for an allowance in one that has ended meanwhile", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* other
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "account", method: "GET" })
      const waiting = yield* Effect.fork(other)
      yield* eventually(Effect.map(requests(), (all) => all.includes("GET /session 1 403")))
      yield* settle
      yield* Session.loginV2
      const last = yield* Effect.fork(other)
      yield* settle
      yield* TestClock.adjust("2 minutes")
      expect((yield* Fiber.join(waiting)).accountId).toBe("SBX02")
      expect((yield* Fiber.join(last)).accountId).toBe("SBX02")
    }).pipe(Effect.provide(keptInMemory()))
  )
})
