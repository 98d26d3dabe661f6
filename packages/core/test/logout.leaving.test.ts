/** Sessions that end on the way out: which of them, how long that may take, and what is left behind. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { clientLayer, inMemory, keptInMemory } from "./utils/ig.ts"
import { run, stored, world } from "./utils/runs.ts"
import { makeLogs } from "./utils/sinks.ts"
import { count, eventually, held, liveSessions, requests } from "./utils/state.ts"

const other = withAccount("SBX02")(Session.read())

/** Lets everything run that needs no time. */
const settle = Effect.repeatN(Effect.yieldNow(), 100)

const atLogin = { method: "POST", path: "/session" } as const

describe("a logout", () => {
  it.effect("where nobody is signed in sends nothing and tells nothing", () =>
    Effect.gen(function* () {
      const events: Array<SessionEvent> = []
      yield* Effect.fork(Stream.runForEach(Session.events, (event) => Effect.sync(() => void events.push(event))))
      yield* Effect.yieldNow()
      yield* Session.logout
      yield* settle
      expect(yield* requests()).toEqual([])
      expect(events).toEqual([])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("of a session without any of other accounts leaves nothing stored", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Session.logout)
      expect(yield* stored).toBeUndefined()
    }).pipe(Effect.provide(world()))
  )
})

describe("the scope of a login that closes", () => {
  it.effect("leaves alone the login that takes its place while it waits for that", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.login), scope)
      const { reached, release } = yield* (yield* Sandbox).hold("after", atLogin)
      const next = yield* Effect.fork(Session.loginV2)
      yield* reached
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* settle
      yield* release
      yield* Fiber.join(next)
      yield* Fiber.join(closing)
      expect(yield* requests()).toEqual(["POST /session 3 200", "POST /session 2 200"])
      expect(yield* held).toBe("SBX01 cst-1 xst-1")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("has all of its time box for the logout, whatever the time of day", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      const { reached, release } = yield* (yield* Sandbox).hold("before", { method: "DELETE" })
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* reached
      yield* TestClock.adjust("4900 millis")
      yield* settle
      expect(closing.unsafePoll()).toBeNull()
      yield* release
      yield* Fiber.join(closing)
      expect(yield* requests(1)).toEqual(["DELETE /session 1 204"])
      expect(yield* liveSessions).toBe(0)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("waits for an allowance for the logout, where its time box is long enough", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key" })
      yield* Effect.flip(Throttle.waitAtMost("1 second")(Session.read()))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("59 seconds")
      yield* settle
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(yield* requests(1)).toEqual(["GET /session 1 403", "DELETE /session 1 204"])
      expect(yield* liveSessions).toBe(0)
    }).pipe(Effect.provide(keptInMemory({ logoutTimeout: "2 minutes" })))
  )

  it.effect("leaves none open that another scope was taking back, and that waits for an allowance when it is cut", () =>
    Effect.gen(function* () {
      const [mine, others] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.extend(Session.scoped(Session.loginV2), mine)
      yield* Session.encryptionKey
      yield* TestClock.adjust("57 seconds")
      const { reached, release } = yield* (yield* Sandbox).hold("after", atLogin)
      yield* Effect.fork(Effect.exit(Scope.extend(Session.scoped(Session.loginV2), others)))
      yield* reached
      yield* Scope.close(others, Exit.void)
      yield* release
      yield* settle
      expect(yield* liveSessions).toBe(2)
      const closing = yield* Effect.fork(Scope.close(mine, Exit.void))
      // It is cut after half of the time box; and half a second later there are places.
      yield* TestClock.adjust("2500 millis")
      yield* settle
      yield* TestClock.adjust("500 millis")
      yield* Fiber.join(closing)
      yield* eventually(Effect.map(liveSessions, (live) => live === 0))
    }).pipe(Effect.provide(Throttle.layer({ key: 3, account: 30, trading: 100 })), Effect.provide(keptInMemory()))
  )

  it.effect("waits half of its time box for the opening of another account's session, which it cuts", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      yield* (yield* Sandbox).inject({ kind: "never", workDone: false, ...atLogin })
      const opening = yield* Effect.fork(Effect.flip(other))
      yield* eventually(Effect.map(count, (sent) => sent === 2))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("2499 millis")
      yield* settle
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(closing)
      expect(yield* Fiber.join(opening)).toMatchObject({ _tag: "AuthError" })
      expect((yield* requests(2)).filter((request) => request.startsWith("DELETE"))).toHaveLength(1)
      expect(yield* liveSessions).toBe(0)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("does not cut what has become another's meanwhile, and says that there was no time left", () => {
    const logs = makeLogs()
    return Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("2 minutes")
      yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        yield* Scope.extend(Session.scoped(Session.loginV2), scope)
        // What was stored is refreshed, which makes it the session, and then has a long way to its account.
        const refresh = yield* sandbox.hold("after", { path: "/session/refresh-token" })
        const move = yield* sandbox.hold("after", { method: "PUT", path: "/session" })
        const resuming = yield* Effect.fork(Session.resumed(Session.login))
        yield* refresh.reached
        const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
        yield* TestClock.adjust("1 second")
        yield* refresh.release
        yield* move.reached
        yield* TestClock.adjust("4 seconds")
        yield* Fiber.join(closing)
        expect(logs.printed.join("\n")).toContain("there was no time left to log out")
        yield* move.release
        expect(yield* Fiber.join(resuming)).toMatchObject({ _tag: "OAuthSession", accountId: "SBX02" })
        expect(yield* held).toBe("SBX02 access-2 refresh-2")
      }).pipe(Effect.scoped, Effect.provide(clientLayer({ accountId: "SBX02" })))
    }).pipe(Effect.provide(Layer.merge(world(), logs.layer)))
  })
})

it.effect("a kept session's layer waits for the opening of another account's, and nothing is left of that", () =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const leaving = Effect.gen(function* () {
      const { reached } = yield* sandbox.hold("after", atLogin)
      yield* Effect.forkDaemon(Effect.exit(other))
      yield* reached
    })
    const running = yield* Effect.fork(run(Session.loginV2, leaving))
    yield* eventually(Effect.map(liveSessions, (live) => live === 2))
    yield* settle
    // Half of the time box, after which the session itself is left as it is.
    yield* TestClock.adjust("2500 millis")
    yield* settle
    expect(running.unsafePoll()).toBeNull()
    yield* sandbox.release
    yield* Fiber.join(running)
    // There is the one that is kept.
    expect(yield* liveSessions).toBe(1)
    expect((yield* run(Session.loginV2, Effect.void)).sent).toEqual(["GET /session 1 200"])
  }).pipe(Effect.provide(world()))
)

describe("sessions of other accounts that an earlier run has opened end", () => {
  const ends: ReadonlyArray<readonly [when: string, program: Effect.Effect<unknown, IgError, Session.Ig>]> = [
    ["with a logout", Session.logout],
    ["with a logout, when they were in use before", Effect.zipRight(other, Session.logout)]
  ]
  for (const [when, program] of ends) {
    it.effect(when, () =>
      Effect.gen(function* () {
        yield* run(Session.loginV2, other)
        expect(yield* liveSessions).toBe(2)
        yield* run(Session.loginV2, program)
        expect(yield* liveSessions).toBe(0)
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("when the session is logged in anew, and the account gets another one", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      yield* run(Session.loginV2, Effect.zipRight(Session.loginV2, other))
      expect((yield* requests()).filter((request) => request.startsWith("DELETE"))).toEqual(["DELETE /session 1 204"])
      // The two of the client's own, and the new one.
      expect(yield* liveSessions).toBe(3)
    }).pipe(Effect.provide(world()))
  )
})
