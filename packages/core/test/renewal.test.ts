import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
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

const refreshes = Effect.map(requests(), (sent) => sent.filter((one) => one.includes("refresh-token")).length)

/** After how many of 60 seconds a call first renews the session. */
const renewedAfter = (margin: Duration.DurationInput) =>
  Effect.gen(function* () {
    yield* Session.login
    for (let second = 1; second <= 60; second++) {
      yield* TestClock.adjust("1 second")
      yield* Endpoint.call(positions)
      if ((yield* refreshes) > 0) return second
    }
    return "never"
  }).pipe(Effect.provide(Renewal.layer({ margin })), Effect.provide(keptInMemory()))

describe("a bearer is renewed before a call", () => {
  it.effect("when less than 10 seconds are left", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* TestClock.adjust("50 seconds")
      yield* Endpoint.call(positions)
      expect(yield* refreshes).toBe(0)
      yield* TestClock.adjust("1 millis")
      yield* Endpoint.call(positions)
      expect(yield* requests(2)).toEqual(["POST /session/refresh-token 1 200", "GET /positions 2 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("or less than was asked for", () =>
    Effect.gen(function* () {
      expect(yield* renewedAfter("15 seconds")).toBe(46)
    })
  )

  it.effect("but a margin beyond a third of its life would renew it all the time", () =>
    Effect.gen(function* () {
      expect(yield* renewedAfter("5 minutes")).toBe(41)
    })
  )

  it.effect("and goes out as it is when it cannot be renewed yet and still lives", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* TestClock.adjust("55 seconds")
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key", path: "/session/refresh-token" })
      yield* Endpoint.call(positions)
      expect(yield* requests(1)).toEqual(["POST /session/refresh-token 1 403", "GET /positions 2 200"])
      // Not executed, so that the token is not spent.
      yield* Endpoint.call(positions)
      expect(yield* held).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(Throttle.off), Effect.provide(keptInMemory()))
  )

  it.effect("which a dead one does not: the call says what IG said", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* TestClock.adjust("60 seconds")
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key", path: "/session/refresh-token" })
      expect(yield* Effect.flip(Endpoint.call(positions))).toMatchObject({ _tag: "ApiError", action: "wait" })
      expect(yield* requests(1)).toEqual(["POST /session/refresh-token 1 403"])
    }).pipe(Effect.provide(Throttle.off), Effect.provide(keptInMemory()))
  )

  it.effect("by IG's word for how long it lives, whatever that is", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* TestClock.adjust("4 seconds")
      yield* Endpoint.call(positions)
      expect(yield* refreshes).toBe(0)
      yield* TestClock.adjust("1 seconds")
      yield* Endpoint.call(positions)
      expect(yield* refreshes).toBe(1)
    }).pipe(Effect.provide(keptInMemory({}, { switches: { accessTtl: 6_000 } })))
  )
})

/** 401 but for the key's, as IG answers them. */
const codes = [
  "error.security.oauth-token-invalid",
  "error.security.client-token-missing",
  "error.security.client-token-invalid",
  "error.security.account-token-missing",
  "error.security.account-token-invalid",
  "error.public-api.failure.kyc.required",
  "error.security.invalid-details",
  "error.security.api-key-invalid",
  "error.security.generic",
  undefined
] as const

/** Of either family, what renews it, and how. */
const families = [
  {
    name: "login",
    login: Session.login,
    renewing: [
      "error.security.oauth-token-invalid",
      "error.security.client-token-missing",
      "error.security.client-token-invalid"
    ],
    renewal: "POST /session/refresh-token 1 200"
  },
  {
    name: "loginV2",
    login: Session.loginV2,
    renewing: [
      "error.security.client-token-missing",
      "error.security.client-token-invalid",
      "error.security.account-token-missing",
      "error.security.account-token-invalid"
    ],
    renewal: "POST /session 2 200"
  }
] as const

describe("only a refusal of tokens renews", () => {
  const create = Endpoint.make({
    name: "watchlists.create",
    method: "POST",
    path: "/watchlists",
    version: 1,
    body: Schema.Struct({ name: Schema.String }),
    answer: Schema.Unknown
  })

  for (const { login, name, renewal, renewing } of families) {
    for (const errorCode of codes) {
      const status = errorCode === "error.security.api-key-invalid" ? 403 : 401
      const renews = renewing.some((one) => one === errorCode)
      it.effect(`and under ${name} ${status} ${errorCode ?? "without a code"} ${renews ? "is one" : "is none"}`, () =>
        Effect.gen(function* () {
          yield* login
          yield* Endpoint.call(positions)
          yield* (yield* Sandbox).inject({ kind: "answer", status, errorCode, path: "/watchlists", method: "POST" })
          const outcome = yield* Effect.either(Endpoint.call(create, { body: { name: "mine" } }))
          const refusal = `POST /watchlists 1 ${status}`
          expect(yield* requests(2)).toEqual(renews ? [refusal, renewal, "POST /watchlists 1 200"] : [refusal])
          expect(outcome).toMatchObject(renews ? { _tag: "Right" } : { left: { _tag: "ApiError", status, errorCode } })
        }).pipe(Effect.provide(keptInMemory()))
      )
    }
  }

  it.effect("and under a bearer, an account that is not the client's is to be put right", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({
        kind: "answer",
        status: 401,
        errorCode: "error.security.account-token-invalid",
        path: "/positions"
      })
      expect(yield* Effect.flip(Endpoint.call(positions))).toMatchObject({ action: "fix" })
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("and nothing does when renewal is off", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* TestClock.adjust("2 minutes")
      expect(yield* Effect.flip(Endpoint.call(positions))).toMatchObject({ _tag: "ApiError", action: "renew" })
      expect(yield* requests(1)).toEqual(["GET /positions 2 401"])
      yield* Session.refresh
      yield* (yield* Sandbox).expire("refresh")
      expect(yield* Effect.flip(Session.refresh)).toMatchObject({ _tag: "ApiError", operation: "session.refresh" })
      expect(yield* requests(3)).toEqual(["POST /session/refresh-token 1 401"])
    }).pipe(Effect.provide(Renewal.off), Effect.provide(keptInMemory()))
  )
})

describe("a refresh that is asked for where renewal is off", () => {
  it.effect("sends no refresh token a second time, whatever became of the first", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ kind: "cutHeaders", workDone: true, path: "/session/refresh-token" })
      expect(yield* Effect.flip(Session.refresh)).toMatchObject({ _tag: "TransportError", mayHaveExecuted: true })
      expect(yield* Effect.flip(Session.refresh)).toMatchObject({ _tag: "AuthError", reason: "no-refresh-token" })
      expect(yield* requests(1)).toHaveLength(1)
    }).pipe(Effect.provide(Renewal.off), Effect.provide(keptInMemory()))
  )

  it.effect("sends it again when it surely never left", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key", path: "/session/refresh-token" })
      expect(yield* Effect.flip(Throttle.waitAtMost("1 second")(Session.refresh))).toMatchObject({ action: "wait" })
      yield* Session.refresh
      expect(yield* requests(1)).toEqual(["POST /session/refresh-token 1 403", "POST /session/refresh-token 1 200"])
    }).pipe(Effect.provide(Renewal.off), Effect.provide(inMemory()))
  )
})

describe("a refusal right after a renewal", () => {
  it.effect("is final, and the next call starts with a new login", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.login
      yield* Endpoint.call(positions)
      yield* expire("access")
      const refused = { kind: "answer", status: 401, errorCode: "error.security.oauth-token-invalid" } as const
      yield* inject({ ...refused, path: "/positions", times: 2 })
      expect(yield* Effect.flip(Endpoint.call(positions))).toMatchObject({ _tag: "ApiError", action: "renew" })
      yield* Endpoint.call(positions)
      expect(yield* requests(2)).toEqual([
        "GET /positions 2 401",
        "POST /session/refresh-token 1 200",
        "GET /positions 2 401",
        "POST /session 3 200",
        "GET /positions 2 200"
      ])
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("a call that is refused each time", () => {
  const refused = { kind: "answer", status: 401, errorCode: "error.security.oauth-token-invalid" } as const

  it.effect("is sent four times at most, though each time the session has become another meanwhile", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const here = yield* Effect.context<Session.Ig>()
      yield* Session.login
      yield* Endpoint.call(positions)
      yield* (yield* Sandbox).inject({ ...refused, path: "/positions", times: 10 })
      const moving = HttpClient.mapRequestEffect(client, (request) =>
        Effect.as(Effect.provide(Effect.orDie(Session.refresh), here), request)
      )
      const call = Effect.provideService(Endpoint.call(positions), HttpClient.HttpClient, moving)
      expect(yield* Effect.flip(call)).toMatchObject({ _tag: "ApiError", status: 401 })
      const sent = ["POST /session/refresh-token 1 200", "GET /positions 2 401"]
      expect(yield* requests(2)).toEqual([...sent, ...sent, ...sent, ...sent])
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("a session that is lost", () => {
  const lines: Array<string> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
  )

  it.effect("is in the log, once for each renewal that failed", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.loginV2
      yield* Endpoint.call(positions)
      yield* expire("cst")
      yield* inject({ kind: "answer", status: 401, errorCode: "error.security.client-suspended", path: "/session" })
      const calls = Array.from({ length: 20 }, () => Effect.flip(Endpoint.call(positions)))
      const [first, ...others] = yield* Effect.all(calls, { concurrency: "unbounded" })
      expect(others.every((error) => error === first)).toBe(true)
      expect(lines).toEqual([`WARN ${first?.message}`])
      expect(first?.message).toContain("client-suspended")
    }).pipe(Effect.provide(keptInMemory().pipe(Layer.provideMerge(logger))))
  )

  it.effect("says what was tried in vain, to whoever comes later too, and of the last renewal alone", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.loginV2
      yield* Endpoint.call(positions)
      yield* expire("cst")
      yield* inject({ kind: "cutHeaders", times: 1_000, method: "POST", path: "/session" })
      const causes: Array<number | undefined> = []
      for (let minute = 0; minute < 30; minute++) {
        const fiber = yield* Effect.fork(Effect.flip(Endpoint.call(positions)))
        yield* TestClock.adjust("1 minute")
        if (fiber.unsafePoll() === null) yield* TestClock.adjust("1 minute")
        const error = yield* Fiber.join(fiber)
        causes.push(error._tag === "AuthError" ? error.causes?.length : undefined)
      }
      // The first renewal tries three times; those after it once, since they would have to pause for too long.
      expect(causes.slice(0, 4)).toEqual([3, 3, 3, 3])
      expect(new Set(causes.slice(10))).toEqual(new Set([1]))
    }).pipe(Effect.provide(keptInMemory()))
  )
})
