/** Whose a login is, what it counts for, and where it ends. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { clientLayer, inMemory, keptInMemory } from "./utils/ig.ts"
import { run, stored, world } from "./utils/runs.ts"
import { count, eventually, held, liveSessions, logouts, requests } from "./utils/state.ts"

const other = withAccount("SBX02")(Session.read())

describe("a login to a configured account", () => {
  it.effect("moves by PUT first, and by the header where IG refuses that", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* requests()).toEqual(["POST /session 3 200", "PUT /session 1 401", "GET /session 1 200"])
      expect(yield* held).toBe("SBX02 access-1 refresh-1")
    }).pipe(Effect.provide(inMemory({ accountId: "SBX02" })))
  )

  it.effect("that it is on already sends nothing more", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* Session.loginV2
      expect(yield* requests()).toEqual(["POST /session 3 200", "POST /session 2 200"])
    }).pipe(Effect.provide(inMemory({ accountId: "SBX01" })))
  )
})

describe("a login", () => {
  it.effect("that is answered with a session in use leaves that alone, and says so", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      expect(yield* Effect.flip(other)).toMatchObject({
        _tag: "AuthError",
        operation: "session.loginV2",
        reason: "account-unavailable",
        detail: "IG answered the login with a session that is in use, which a switch would take from its users."
      })
      expect(yield* requests()).toEqual(["POST /session 2 200", "POST /session 2 200"])
    }).pipe(Effect.provide(keptInMemory({}, { switches: { loginReusesCst: true } })))
  )

  it.effect("whose credentials IG refuses is not repeated by a renewal with the same ones", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.loginV2
      yield* Session.read()
      yield* inject({
        kind: "answer",
        status: 401,
        errorCode: "error.security.invalid-details",
        method: "POST",
        path: "/session"
      })
      yield* Effect.flip(Session.loginV2)
      yield* expire("all")
      const seen = yield* count
      expect(yield* Effect.flip(Session.read())).toMatchObject({
        _tag: "AuthError",
        reason: "session-lost",
        causes: [{ _tag: "AuthError", reason: "credentials-unavailable" }]
      })
      expect(yield* requests(seen)).toEqual(["GET /session 1 401"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("by bearer is not replaced by a stored session by tokens", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["POST /session 3 200"],
        end: "SBX01 access-1 refresh-1"
      })
    }).pipe(Effect.provide(world()))
  )
})

describe("the scope of a login", () => {
  it.effect("ends the session that was taken up in place of it", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      expect(yield* liveSessions).toBe(1)
      const seen = yield* count
      yield* Session.resumed(Session.scoped(Session.loginV2)).pipe(Effect.scoped, Effect.provide(clientLayer()))
      expect(yield* requests(seen)).toEqual(["GET /session 1 200", "DELETE /session 1 204"])
      expect(yield* liveSessions).toBe(0)
      expect(yield* stored).toBeUndefined()
    }).pipe(Effect.provide(world()))
  )

  it.effect("leaves the sessions of other accounts alone that another login has opened", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      yield* Session.loginV2
      yield* other
      const seen = yield* count
      yield* Scope.close(scope, Exit.void)
      yield* other
      expect(yield* requests(seen)).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("ends the sessions of all accounts at once, so that none waits for another's logout", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      yield* other
      yield* (yield* Sandbox).inject({ method: "DELETE", kind: "never", times: 2 })
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      // No time has passed, and neither has been answered.
      yield* eventually(Effect.map(logouts, (sent) => sent === 2))
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(closing)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("does not wait for the logout of a login that it cuts on its way to its account", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const closing = yield* Deferred.make<void>()
      const body = Effect.gen(function* () {
        yield* Session.scoped(Session.login)
        yield* Session.switchAccount("SBX02")
        yield* sandbox.expire("all")
        // The login that renews it is taken, and its account then never confirmed; nor is any logout.
        yield* sandbox.inject({ method: "GET", path: "/session", kind: "never" })
        yield* sandbox.inject({ method: "DELETE", kind: "never", times: 2 })
        yield* Effect.forkDaemon(Effect.provide(Session.refresh, Renewal.layer({ margin: "10 seconds" })))
        yield* eventually(Effect.map(count, (seen) => seen === 6))
        yield* Deferred.succeed(closing, undefined)
      })
      const fiber = yield* Effect.fork(Effect.scoped(body))
      yield* Deferred.await(closing)
      // Half of the time box, after which the login is cut.
      yield* TestClock.adjust("2500 millis")
      // That of the new session, which is not answered, and that of the one before.
      yield* eventually(Effect.map(logouts, (sent) => sent === 2))
      expect(fiber.unsafePoll()).toBeNull()
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(inMemory({}, { switches: { putUnderBearer: "refused" } })))
  )
})
