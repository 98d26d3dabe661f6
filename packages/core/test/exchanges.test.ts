import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgConfig from "@effect-ig/core/IgConfig"
import type { IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { inMemory } from "./utils/ig.ts"
import { count, eventually, held, requests } from "./utils/state.ts"

const hold = (path: string, method?: string) => Effect.flatMap(Sandbox, ({ hold }) => hold("after", { path, method }))

describe("exchanges that change the session", () => {
  it.effect("go one at a time, in the order in which they were asked for", () =>
    Effect.gen(function* () {
      yield* Session.login
      const { reached, release } = yield* hold("/session/refresh-token")
      const first = yield* Effect.fork(Session.refresh)
      yield* reached
      const second = yield* Effect.fork(Session.read({ fetchTokens: true }))
      const third = yield* Effect.fork(Session.refresh)
      yield* TestClock.adjust("1 second")
      expect(yield* count).toBe(2)
      yield* release
      yield* Effect.all([Fiber.join(first), Fiber.join(second), Fiber.join(third)])
      expect((yield* requests(1)).map((request) => request.split(" ")[1])).toEqual([
        "/session/refresh-token",
        "/session",
        "/session/refresh-token"
      ])
      expect(yield* held).toBe("SBX01 access-3 refresh-3 + cst-1 xst-1")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("can be left while they wait for their turn: nothing is sent", () =>
    Effect.gen(function* () {
      yield* Session.login
      const { reached, release } = yield* hold("/session/refresh-token")
      const first = yield* Effect.fork(Session.refresh)
      yield* reached
      const waiting = yield* Effect.fork(Session.logout)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(waiting)
      yield* release
      yield* Fiber.join(first)
      expect((yield* requests()).some((request) => request.startsWith("DELETE"))).toBe(false)
      expect(yield* held).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("do not hold up a plain read", () =>
    Effect.gen(function* () {
      yield* Session.login
      const { reached, release } = yield* hold("/session/refresh-token")
      const refreshing = yield* Effect.fork(Session.refresh)
      yield* reached
      expect((yield* Session.read()).accountId).toBe("SBX01")
      yield* release
      yield* Fiber.join(refreshing)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("never revive a session: a logout asked for during a refresh ends what the refresh brings", () =>
    Effect.gen(function* () {
      yield* Session.login
      const { reached, release } = yield* hold("/session/refresh-token")
      const refreshing = yield* Effect.fork(Session.refresh)
      yield* reached
      const leaving = yield* Effect.fork(Session.logout)
      yield* release
      yield* Effect.all([Fiber.join(refreshing), Fiber.join(leaving)])
      expect(yield* held).toBe("signed out")
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("end by their own time limit, and leave the session as it was", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ path: "/session/refresh-token", kind: "never" })
      const refreshing = yield* Effect.fork(Effect.flip(Session.refresh))
      yield* eventually(Effect.map(count, (seen) => seen === 2))
      yield* TestClock.adjust("29999 millis")
      expect(refreshing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(refreshing)).toMatchObject({
        _tag: "TransportError",
        reason: "timeout",
        mayHaveExecuted: true
      })
      expect((yield* SessionState.get)._tag).toBe("OAuthSession")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("have none of their starter's fiber locals", () =>
    Effect.gen(function* () {
      const local = FiberRef.unsafeMake("the layer's")
      const seen: Array<string> = []
      const client = HttpClient.mapRequestEffect(yield* HttpClient.HttpClient, (request) =>
        Effect.map(FiberRef.get(local), (value) => {
          seen.push(value)
          return request
        })
      )
      yield* Session.login.pipe(
        Effect.locally(local, "the caller's"),
        Effect.provideService(HttpClient.HttpClient, client)
      )
      yield* Session.read().pipe(
        Effect.locally(local, "the caller's"),
        Effect.provideService(HttpClient.HttpClient, client)
      )
      expect(seen).toEqual(["the layer's", "the caller's"])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("give a defect of the user's client to the caller, and let the next one go", () =>
    Effect.gen(function* () {
      const broken = HttpClient.make(() => Effect.die("a bug of the client"))
      const exit = yield* Effect.exit(Effect.provideService(Session.login, HttpClient.HttpClient, broken))
      expect(exit).toEqual(Exit.die("a bug of the client"))
      expect((yield* Session.login).accountId).toBe("SBX01")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("are not held up by a cipher that hangs: the login fails in time, and nothing was sent in plain", () =>
    Effect.gen(function* () {
      const login = yield* Session.loginV2WithEncryption.pipe(
        Effect.provideService(PasswordCipher, { encrypt: () => Effect.never }),
        Effect.flip,
        Effect.fork
      )
      yield* eventually(Effect.map(count, (seen) => seen === 1))
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(login)).toMatchObject({ _tag: "AuthError", reason: "encryption-failed" })
      expect(yield* requests()).toEqual(["GET /session/encryptionKey 1 200"])
      expect((yield* Session.login).accountId).toBe("SBX01")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("end in time also when the layer was built where interruption is off", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Effect.uninterruptible(Layer.buildWithScope(Layer.fresh(SessionState.layer), scope))
      yield* (yield* Sandbox).inject({ kind: "never" })
      const login = yield* Effect.fork(Effect.flip(Effect.provide(Session.login, context)))
      yield* eventually(Effect.map(count, (seen) => seen === 1))
      yield* TestClock.adjust("30 seconds")
      expect(yield* Fiber.join(login)).toMatchObject({ _tag: "TransportError", reason: "timeout" })
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("can be followed: each session once", () =>
    Effect.gen(function* () {
      const following = yield* SessionState.changes.pipe(
        Stream.map(({ _tag }) => _tag),
        Stream.take(4),
        Stream.runCollect,
        Effect.fork
      )
      yield* Effect.yieldNow()
      yield* Session.login
      yield* Session.loginV2
      yield* Session.logout
      expect([...(yield* Fiber.join(following))]).toEqual(["SignedOut", "OAuthSession", "TokenSession", "SignedOut"])
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("closing the layer", () => {
  /** The client and the sandbox stay; the session's own layer is closed by hand. */
  const closable = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const state = Context.get(
      yield* Layer.buildWithScope(Layer.fresh(SessionState.layer), scope),
      SessionState.SessionState
    )
    const use = Effect.provideService(SessionState.SessionState, state)
    return { use, close: Scope.close(scope, Exit.void) }
  })

  it.effect("waits for an exchange under way, whose tokens are stored", () =>
    Effect.gen(function* () {
      const { close, use } = yield* closable
      yield* use(Session.login)
      const { reached, release } = yield* hold("/session/refresh-token")
      const refreshing = yield* Effect.fork(use(Session.refresh))
      yield* reached
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("1 second")
      expect(closing.unsafePoll()).toBeNull()
      yield* release
      yield* Fiber.join(closing)
      yield* Fiber.join(refreshing)
      expect(yield* use(held)).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("logs out a login that comes too late, and says so", () =>
    Effect.gen(function* () {
      const { close, use } = yield* closable
      const { reached, release } = yield* hold("/session")
      const login = yield* Effect.fork(Effect.flip(use(Session.login)))
      yield* reached
      const closing = yield* Effect.fork(close)
      yield* TestClock.adjust("1 second")
      yield* release
      yield* Fiber.join(closing)
      expect(yield* Fiber.join(login)).toMatchObject({ _tag: "AuthError", reason: "closed" })
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      expect(yield* use(held)).toBe("signed out")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("refuses what comes after it, and sends nothing", () =>
    Effect.gen(function* () {
      const { close, use } = yield* closable
      yield* close
      expect(yield* Effect.flip(use(Session.login))).toMatchObject({ _tag: "AuthError", reason: "closed" })
      expect(yield* count).toBe(0)
    }).pipe(Effect.provide(inMemory()))
  )
})

type Login = Effect.Effect<SessionState.SignedIn, IgError, Session.Ig | Credentials>

const logins: ReadonlyArray<readonly [name: string, login: Login, after: string]> = [
  ["Session.login", Session.login, "SBX02 access-1 refresh-1"],
  ["Session.loginV2", Session.loginV2, "SBX02 cst-1 xst-2"]
]

describe("a login with a configured account", () => {
  for (const [name, login, after] of logins) {
    it.effect(`by ${name} is complete when that account is active`, () =>
      Effect.gen(function* () {
        expect((yield* login).accountId).toBe("SBX02")
        expect(yield* held).toBe(after)
      }).pipe(Effect.provide(inMemory({ accountId: "SBX02" })))
    )

    it.effect(`by ${name} that cannot get there is logged out, and the session from before stays`, () =>
      Effect.gen(function* () {
        const config = yield* IgConfig.IgConfig
        const first = yield* Session.loginV2.pipe(
          Effect.provide(IgConfig.layer({ apiKey: config.apiKey, environment: (yield* Sandbox).baseUrl }))
        )
        const before = yield* held
        const error = yield* Effect.flip(login)
        expect(error).toMatchObject({ _tag: "ApiError" })
        expect(yield* held).toBe(before)
        expect(first.accountId).toBe("SBX01")
        expect(yield* (yield* Sandbox).liveSessions).toBe(1)
      }).pipe(Effect.provide(inMemory({ accountId: "NOT-MINE" })))
    )
  }
})
