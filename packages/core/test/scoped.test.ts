import type { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { clientLayer, inMemory } from "./utils/ig.ts"
import { count, eventually, held, liveSessions, logouts, requests } from "./utils/state.ts"

const logins: ReadonlyArray<
  readonly [name: string, login: Effect.Effect<SessionState.SignedIn, IgError, Session.Ig | Credentials>]
> = [
  ["Session.login", Session.login],
  ["Session.loginV2", Session.loginV2]
]

const endings: ReadonlyArray<readonly [name: string, body: Effect.Effect<unknown, string>]> = [
  ["success", Effect.void],
  ["failure", Effect.fail("no")],
  ["a defect", Effect.die("a bug")],
  ["an interrupt", Effect.interrupt]
]

describe("a scoped session", () => {
  for (const [name, login] of logins) {
    for (const [ending, body] of endings) {
      it.effect(`by ${name} is logged out on ${ending}`, () =>
        Effect.gen(function* () {
          yield* Effect.exit(Effect.scoped(Effect.zipRight(Session.scoped(login), body)))
          expect(yield* logouts).toBe(1)
          expect(yield* liveSessions).toBe(0)
          expect((yield* SessionState.get)._tag).toBe("SignedOut")
        }).pipe(Effect.provide(inMemory()))
      )
    }
  }

  it.effect("is logged out with the layer, where its scope is the wider one", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Session.scoped(Session.login).pipe(Scope.extend(scope), Effect.provide(clientLayer()))
      expect(yield* logouts).toBe(1)
      expect(yield* liveSessions).toBe(0)
      yield* Scope.close(scope, Exit.void)
      expect(yield* logouts).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is logged out when its caller left in the middle of the login", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const { reached, release } = yield* sandbox.hold("after", { path: "/session" })
      const fiber = yield* Effect.fork(Effect.scoped(Session.scoped(Session.login)))
      yield* reached
      yield* Fiber.interrupt(fiber)
      expect(yield* liveSessions).toBe(1)
      yield* release
      yield* eventually(Effect.map(logouts, (found) => found === 1))
      expect(yield* liveSessions).toBe(0)
      expect(yield* held).toBe("signed out")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("sends no login when it was closed while the login waited for its turn", () =>
    Effect.gen(function* () {
      const { reached, release } = yield* (yield* Sandbox).hold("after", { path: "/session" })
      const before = yield* Effect.fork(Session.login)
      yield* reached
      const scope = yield* Scope.make()
      const waiting = yield* Effect.fork(Effect.flip(Scope.extend(Session.scoped(Session.loginV2), scope)))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      yield* release
      expect(yield* Fiber.join(waiting)).toMatchObject({ _tag: "AuthError", reason: "closed" })
      expect((yield* Fiber.join(before))._tag).toBe("OAuthSession")
      expect(yield* requests()).toEqual(["POST /session 3 200"])
      expect((yield* SessionState.get)._tag).toBe("OAuthSession")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("gives up after exactly its time box when IG hangs, and is signed out here", () =>
    Effect.gen(function* () {
      yield* (yield* Sandbox).inject({ method: "DELETE", kind: "never" })
      const fiber = yield* Effect.fork(Effect.scoped(Session.scoped(Session.login)))
      yield* eventually(Effect.map(count, (seen) => seen === 2))
      yield* TestClock.adjust("1999 millis")
      expect(fiber.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      expect((yield* Fiber.join(fiber))._tag).toBe("OAuthSession")
      yield* eventually(Effect.map(held, (now) => now === "signed out"))
    }).pipe(Effect.provide(inMemory({ logoutTimeout: "2 seconds" })))
  )

  it.effect("waits for an exchange that does not end for half of its time box, then logs out all the same", () =>
    Effect.gen(function* () {
      const closing = yield* Deferred.make<void>()
      yield* (yield* Sandbox).inject({ path: "/session/refresh-token", kind: "never" })
      const body = Effect.gen(function* () {
        yield* Session.scoped(Session.login)
        yield* Effect.forkDaemon(Session.refresh)
        yield* eventually(Effect.map(count, (seen) => seen === 2))
        yield* Deferred.succeed(closing, undefined)
      })
      const fiber = yield* Effect.fork(Effect.timed(Effect.scoped(body)))
      yield* Deferred.await(closing)
      yield* TestClock.adjust("5 seconds")
      const [took] = yield* Fiber.join(fiber)
      expect(Duration.toMillis(took)).toBe(2500)
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
    }).pipe(
      Effect.provide(inMemory()),
      (self) => Effect.zipLeft(Effect.fork(self), TestClock.adjust("31 seconds")),
      Effect.flatMap(Fiber.join)
    )
  )

  it.effect("leaves no login behind that is cut on its way to its account", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const closing = yield* Deferred.make<void>()
      const body = Effect.gen(function* () {
        yield* Session.scoped(Session.login)
        yield* Session.switchAccount("SBX02")
        yield* sandbox.expire("all")
        // The login that renews it is taken, and its account then never confirmed.
        yield* sandbox.inject({ method: "GET", path: "/session", kind: "never" })
        yield* Effect.forkDaemon(Effect.provide(Session.refresh, Renewal.layer({ margin: "10 seconds" })))
        yield* eventually(Effect.map(count, (seen) => seen === 6))
        yield* Deferred.succeed(closing, undefined)
      })
      const fiber = yield* Effect.fork(Effect.scoped(body))
      yield* Deferred.await(closing)
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(fiber)
      yield* eventually(Effect.map(liveSessions, (count) => count === 0))
      // Of the session before, which is dead, and of the new one.
      expect(yield* logouts).toBe(2)
    }).pipe(Effect.provide(inMemory({}, { switches: { putUnderBearer: "refused" } })))
  )

  it.effect("does not fail the program when the logout fails", () =>
    Effect.gen(function* () {
      yield* (yield* Sandbox).inject({ method: "DELETE", kind: "answer", status: 500, errorCode: "system.error" })
      const session = yield* Effect.scoped(Session.scoped(Session.login))
      expect(session.accountId).toBe("SBX01")
      expect(yield* held).toBe("signed out")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("ends what descends from its own login: refreshed and switched as it may be", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.all([Session.scoped(Session.login), Session.refresh, Session.switchAccount("SBX02")]))
      expect(yield* liveSessions).toBe(0)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("leaves another login alone", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.zipRight(Session.scoped(Session.login), Session.loginV2))
      expect(yield* logouts).toBe(0)
      expect(yield* held).toBe("SBX01 cst-1 xst-1")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("that was logged out already sends nothing more", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.zipRight(Session.scoped(Session.login), Session.logout))
      expect(yield* logouts).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("whose login failed logs nothing out", () =>
    Effect.gen(function* () {
      yield* (yield* Sandbox).inject({ path: "/session", kind: "failedLogin" })
      const error = yield* Effect.flip(Effect.scoped(Session.scoped(Session.login)))
      expect(error).toMatchObject({ _tag: "ApiError", action: "retry" })
      expect(yield* logouts).toBe(0)
    }).pipe(Effect.provide(inMemory()))
  )
})
