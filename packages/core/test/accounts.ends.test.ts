/** Sessions of other accounts at their ends, and at the end of everything. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import { IgConfig } from "@effect-ig/core/IgConfig"
import * as Session from "@effect-ig/core/Session"
import { TokenSession } from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { decode, encode } from "../src/internal/stored.ts"
import { clientLayer, inMemory, keptInMemory } from "./utils/ig.ts"
import { run, stored, world } from "./utils/runs.ts"
import { tokens } from "./utils/slots.ts"
import { count, eventually, liveSessions, requests } from "./utils/state.ts"

const other = withAccount("SBX02")(Session.read())

/** Lets everything run that needs no time. */
const settle = Effect.repeatN(Effect.yieldNow(), 200)

const accounts = [
  { accountId: "SBX01", accountType: "CFD", preferred: true },
  { accountId: "SBX02", accountType: "SPREADBET" },
  { accountId: "SBX03", accountType: "SPREADBET" }
] as const

it.effect("a call on another account after the layer has closed is told so", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(clientLayer(), scope)
    yield* Effect.provide(Session.loginV2, services)
    yield* Scope.close(scope, Exit.void)
    const seen = yield* count
    expect(yield* Effect.flip(Effect.provide(other, services))).toMatchObject({
      _tag: "AuthError",
      operation: "session.read",
      reason: "closed"
    })
    expect(yield* count).toBe(seen)
  }).pipe(Effect.provide(inMemory()))
)

it.effect("what a call on another account opens while the session is logged in anew is used by the next one", () =>
  Effect.gen(function* () {
    yield* Session.loginV2
    const { reached, release } = yield* (yield* Sandbox).hold("after", { method: "POST", path: "/session" })
    const next = yield* Effect.fork(Session.loginV2)
    yield* reached
    const reading = yield* Effect.fork(other)
    yield* settle
    yield* release
    yield* Fiber.join(next)
    yield* Fiber.join(reading)
    const seen = yield* count
    yield* other
    expect(yield* requests(seen)).toEqual(["GET /session 1 200"])
  }).pipe(Effect.provide(inMemory()))
)

it.effect("sessions of several accounts are logged out side by side, within one time box", () =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Layer.buildWithScope(clientLayer(), scope)
    yield* Effect.all([Session.loginV2, other, withAccount("SBX03")(Session.read())]).pipe(Effect.provide(services))
    yield* (yield* Sandbox).inject({ kind: "never", workDone: false, method: "DELETE", times: 2 })
    const begun = yield* Clock.currentTimeMillis
    const closing = yield* Effect.fork(
      Effect.zipRight(
        Scope.close(scope, Exit.void),
        Effect.map(Clock.currentTimeMillis, (now) => now - begun)
      )
    )
    yield* settle
    yield* TestClock.adjust("5 seconds")
    yield* settle
    yield* TestClock.adjust("5 seconds")
    expect(yield* Fiber.join(closing)).toBe(5_000)
  }).pipe(Effect.provide(inMemory({}, { accounts })))
)

it.effect("the end of another account's session takes nothing out of the store", () =>
  Effect.gen(function* () {
    const program = Effect.gen(function* () {
      yield* other
      yield* Session.loginV2
      const { reached, release } = yield* (yield* Sandbox).hold("before", { method: "DELETE" })
      yield* other
      yield* reached
      yield* settle
      yield* release
      yield* eventually(Effect.map(requests(), (all) => all.includes("DELETE /session 1 204")))
      yield* settle
      expect(yield* stored).toContain("SBX02")
    })
    yield* run(Session.loginV2, program)
  }).pipe(Effect.provide(world()))
)

it.effect("the second login of a program that resumes is a login", () =>
  Effect.gen(function* () {
    yield* run(Session.loginV2, Effect.void)
    const twice = yield* run(Effect.zipRight(Session.loginV2, Session.loginV2), Effect.void)
    expect(twice.sent).toEqual(["GET /session 1 200", "POST /session 2 200"])
    expect(yield* liveSessions).toBe(2)
  }).pipe(Effect.provide(world()))
)

it.effect("tokens of one character are stored like any other", () =>
  Effect.gen(function* () {
    const config = yield* IgConfig
    const session = new TokenSession({
      ...tokens("SBX01", "nobody"),
      cst: Redacted.make("c"),
      securityToken: Redacted.make("x")
    })
    const whole = { session, who: { identifier: "somebody" }, isSpent: false, siblings: [] }
    const text = yield* encode(config, "0123456789abcdef", whole)
    expect(Either.isRight(decode(config, text))).toBe(true)
  }).pipe(Effect.provide(keptInMemory()))
)
