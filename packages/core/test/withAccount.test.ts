import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as IgConfig from "@effect-ig/core/IgConfig"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { count, eventually, held, requests } from "./utils/state.ts"

const other = withAccount("SBX02")(Session.read())

describe("withAccount", () => {
  it.effect("under OAuth names the account in a header, and sends nothing more", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect((yield* other).accountId).toBe("SBX02")
      expect((yield* Session.read()).accountId).toBe("SBX01")
      expect(yield* requests(1)).toEqual(["GET /session 1 200", "GET /session 1 200"])
      expect(yield* held).toBe("SBX01 access-1 refresh-1")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("under CST opens a session of its own once, and uses it again", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      const both = yield* Effect.all([other, other, other], { concurrency: "unbounded" })
      expect(both.map(({ accountId }) => accountId)).toEqual(["SBX02", "SBX02", "SBX02"])
      yield* other
      expect(yield* requests(1)).toEqual([
        "POST /session 2 200",
        "PUT /session 1 200",
        ...Array.from({ length: 4 }, () => "GET /session 1 200")
      ])
      expect(yield* held).toBe("SBX01 cst-1 xst-1")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("is for calls: what changes the session is refused inside, and nothing is sent", () =>
    Effect.gen(function* () {
      for (const login of [Session.login, Session.loginV2]) {
        yield* login
        const seen = yield* count
        for (const change of [Session.logout, Session.switchAccount("SBX01"), Session.read({ fetchTokens: true })]) {
          expect(yield* Effect.flip(withAccount("SBX02")(change))).toMatchObject({
            _tag: "NotSentError",
            reason: "not-permitted"
          })
        }
        expect(yield* count).toBe(seen)
      }
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("refuses what is no account id, and needs a session", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(other)).toMatchObject({ _tag: "AuthError", reason: "not-signed-in" })
      yield* Session.login
      expect(yield* Effect.flip(withAccount("SBX02\r\ncst: x")(Session.read()))).toMatchObject({
        _tag: "NotSentError",
        reason: "invalid-request",
        path: "accountId"
      })
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("on an account that is not the client's fails for that account alone, and asks IG once", () =>
    Effect.gen(function* () {
      const { expire, liveSessions } = yield* Sandbox
      yield* Session.loginV2
      yield* Session.read()
      const foreign = withAccount("NOT-MINE")(Session.read())
      const refusal = { _tag: "ApiError", errorCode: "error.switch.invalid-accountId", action: "fix" }
      expect(yield* Effect.flip(foreign)).toMatchObject(refusal)
      const seen = yield* count
      expect(yield* Effect.flip(foreign)).toMatchObject(refusal)
      expect(yield* count).toBe(seen)
      expect(yield* liveSessions).toBe(1)
      // It says nothing of logins: the session itself is renewed as ever.
      yield* expire("cst")
      expect((yield* Session.read()).accountId).toBe("SBX01")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("never switches a session that is in use, should IG answer the login with that", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      expect(yield* Effect.flip(other)).toMatchObject({ _tag: "AuthError", reason: "account-unavailable" })
      expect(yield* requests(1)).toEqual(["POST /session 2 200"])
      expect((yield* Session.read()).accountId).toBe("SBX01")
    }).pipe(Effect.provide(keptInMemory({}, { switches: { loginReusesCst: true } })))
  )

  it.effect("stays on its account though the session comes back on another one meanwhile", () =>
    Effect.gen(function* () {
      const { expire, hold, inject, record } = yield* Sandbox
      yield* Session.loginV2
      yield* Session.read()
      yield* expire("cst")
      yield* inject({ kind: "nonJson403", method: "POST", path: "/session" })
      yield* Effect.flip(Session.read())
      yield* TestClock.adjust("1 minute")
      const { reached, release } = yield* hold("after", { method: "POST", path: "/session" })
      const config = yield* IgConfig.make({ apiKey: (yield* IgConfig.IgConfig).apiKey, accountId: "SBX02" })
      const { baseUrl } = yield* IgConfig.IgConfig
      const login = yield* Session.loginV2.pipe(
        Effect.provideService(IgConfig.IgConfig, { ...config, baseUrl }),
        Effect.fork
      )
      yield* reached
      const call = yield* Effect.fork(withAccount("SBX01")(Session.read()))
      yield* TestClock.adjust("1 second")
      yield* release
      yield* Fiber.join(login)
      expect((yield* Fiber.join(call)).accountId).toBe("SBX01")
      expect((yield* Session.read()).accountId).toBe("SBX02")
      expect((yield* record).every(({ status }) => status !== 412)).toBe(true)
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("the sessions of other accounts end", () => {
  it.effect("with a logout", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* other
      yield* Session.logout
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      expect(yield* Effect.flip(other)).toMatchObject({ _tag: "AuthError", reason: "not-signed-in" })
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("with the scope of the login", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.extend(Session.scoped(Session.loginV2), scope)
      yield* other
      yield* Scope.close(scope, Exit.void)
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("when the session is logged in anew, and the account gets another one", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* other
      yield* Session.loginV2
      expect((yield* other).accountId).toBe("SBX02")
      const ended = Effect.map(requests(), (sent) => sent.some((request) => request.startsWith("DELETE")))
      yield* eventually(ended)
      // The two of the client's own, and the new one.
      expect(yield* (yield* Sandbox).liveSessions).toBe(3)
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("an account for some calls", () => {
  it.effect("must be one that could be IG's; what it has to look like is said", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* Effect.flip(withAccount("has space")(Session.read()))).toMatchObject({
        _tag: "NotSentError",
        reason: "invalid-request",
        path: "accountId",
        detail: "Expected 1 to 30 letters, digits and hyphens, as GET /accounts lists them."
      })
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is none for what changes the session; that it is for calls is said", () =>
    Effect.gen(function* () {
      yield* Session.login
      const changes: ReadonlyArray<Effect.Effect<unknown, IgError, Session.Ig>> = [
        Session.switchAccount("SBX01"),
        Session.read({ fetchTokens: true })
      ]
      for (const change of changes) {
        expect(yield* Effect.flip(withAccount("SBX02")(change))).toMatchObject({
          _tag: "NotSentError",
          reason: "not-permitted",
          detail: "withAccount is for calls; what changes the session is done outside of it."
        })
      }
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )
})
