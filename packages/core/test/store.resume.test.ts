import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { bareRun, expire, run, stored, world } from "./utils/runs.ts"
import { eventually, requests } from "./utils/state.ts"

describe("the next run", () => {
  it.effect("takes up a bearer within its minute by one read, and no login", () =>
    Effect.gen(function* () {
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["POST /session 3 200"],
        end: "SBX01 access-1 refresh-1"
      })
      yield* TestClock.adjust("40 seconds")
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["GET /session 1 200"],
        end: "SBX01 access-1 refresh-1"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("refreshes once past that minute, and stores what it got", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("5 minutes")
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["POST /session/refresh-token 1 200"],
        end: "SBX01 access-2 refresh-2"
      })
      yield* TestClock.adjust("5 minutes")
      expect(yield* run(Session.login, Session.read())).toEqual({
        sent: ["POST /session/refresh-token 1 200", "GET /session 1 200"],
        end: "SBX01 access-3 refresh-3"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("refreshes once when the bearer is refused before its time", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* expire("access")
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["GET /session 1 401", "POST /session/refresh-token 1 200"],
        end: "SBX01 access-2 refresh-2"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("logs in once where the refresh token is dead", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("1 hour")
      expect(yield* run(Session.login, Effect.void)).toEqual({
        sent: ["POST /session/refresh-token 1 401", "POST /session 3 200"],
        end: "SBX01 access-2 refresh-2"
      })
      expect((yield* run(Session.login, Effect.void)).sent).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("asks IG once about what is dead, though the login that follows is tried again", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("1 hour")
      yield* (yield* Sandbox).inject({ kind: "answer", status: 500, method: "POST", path: "/session" })
      expect((yield* run(Effect.retry(Session.login, { times: 1 }), Effect.void)).sent).toEqual([
        "POST /session/refresh-token 1 401",
        "POST /session 3 500",
        "POST /session 3 200"
      ])
    }).pipe(Effect.provide(world()))
  )

  it.effect("takes up CST by one read, and logs in once where it is dead", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      yield* TestClock.adjust("5 hours")
      expect(yield* run(Session.loginV2, Effect.void)).toEqual({
        sent: ["GET /session 1 200"],
        end: "SBX01 cst-1 xst-1"
      })
      yield* expire("cst", "xst")
      expect(yield* run(Session.loginV2, Effect.void)).toEqual({
        sent: ["GET /session 1 401", "POST /session 2 200"],
        end: "SBX01 cst-2 xst-2"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("is able to log in again by itself, later on", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      expect(yield* run(Session.loginV2, Effect.zipRight(expire("cst", "xst"), Session.read()))).toEqual({
        sent: ["GET /session 1 200", "GET /session 1 401", "POST /session 2 200", "GET /session 1 200"],
        end: "SBX01 cst-2 xst-2"
      })
    }).pipe(Effect.provide(world()))
  )

  for (const [login, first, second] of [
    [Session.login, "SBX02 access-1 refresh-1", ["GET /session 1 200"]],
    [Session.loginV2, "SBX02 cst-1 xst-2", ["GET /session 1 200"]]
  ] as const) {
    it.effect(`is on the account that the session was switched to: ${first}`, () =>
      Effect.gen(function* () {
        expect((yield* run(login, Session.switchAccount("SBX02"))).end).toBe(first)
        expect(yield* run(login, Effect.void)).toEqual({ sent: second, end: first })
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("remembers that IG refuses to switch under a bearer", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Session.switchAccount("SBX02"))
      expect((yield* run(Session.login, Session.switchAccount("SBX01"))).sent).toEqual([
        "GET /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world()))
  )

  it.effect("moves to the account that its configuration asks for, as a login would", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Session.switchAccount("SBX02"))
      expect(yield* run(Session.loginV2, Effect.void, { accountId: "SBX01" })).toEqual({
        sent: ["GET /session 1 200", "PUT /session 1 200"],
        end: "SBX01 cst-1 xst-3"
      })
      expect((yield* run(Session.loginV2, Effect.void)).sent).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("has the streaming tokens that were fetched", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Session.read({ fetchTokens: true }))
      expect((yield* run(Session.login, Effect.void)).end).toBe("SBX01 access-1 refresh-1 + cst-1 xst-1")
    }).pipe(Effect.provide(world()))
  )

  it.effect("has the sessions that withAccount opened under CST, believed at their first use", () =>
    Effect.gen(function* () {
      const other = withAccount("SBX02")(Session.read())
      yield* run(Session.loginV2, other)
      expect(yield* (yield* Sandbox).liveSessions).toBe(2)
      const atOnce = Effect.zipRight(Effect.yieldNow(), stored)
      const program = Effect.map(atOnce, (text) => expect(text).toContain(`"accountId":"SBX02"`))
      expect((yield* run(Session.loginV2, Effect.zipRight(program, other))).sent).toEqual([
        "GET /session 1 200",
        "GET /session 1 200"
      ])
      yield* expire("cst", "xst")
      expect((yield* run(Session.loginV2, other)).sent).toEqual([
        "GET /session 1 401",
        "POST /session 2 200",
        "GET /session 1 401",
        "POST /session 2 200",
        "PUT /session 1 200",
        "GET /session 1 200"
      ])
      expect((yield* run(Session.loginV2, Effect.zipRight(expire("xst"), other))).sent).toContain("POST /session 2 200")
    }).pipe(Effect.provide(world()))
  )

  it.effect("has none that belonged to a login before the last", () =>
    Effect.gen(function* () {
      const other = withAccount("SBX02")(Session.read())
      yield* run(Session.loginV2, Effect.zipRight(other, Session.loginV2))
      expect(yield* stored).toContain(`"siblings":[]`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("loses nothing when a session of another account alone is logged out", () =>
    Effect.gen(function* () {
      const other = withAccount("SBX02")(Session.read())
      const retired = Effect.all([other, Session.loginV2, other], { discard: true })
      const isLoggedOut = eventually(Effect.map(requests(), (all) => all.includes("DELETE /session 1 204")))
      const later = Effect.repeatN(Effect.yieldNow(), 10)
      const text = Effect.zipRight(Effect.all([retired, isLoggedOut, later]), stored)
      yield* run(
        Session.loginV2,
        Effect.map(text, (now) => expect(now).toBeDefined())
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("under OAuth calls on another account by the header, as before", () =>
    Effect.gen(function* () {
      yield* run(Session.login, withAccount("SBX02")(Session.read()))
      expect((yield* run(Session.login, withAccount("SBX02")(Session.read()))).sent).toEqual([
        "GET /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world()))
  )

  it.effect("finds nothing after a logout, the sessions of other accounts included", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.all([withAccount("SBX02")(Session.read()), Session.logout]))
      expect(yield* stored).toBeUndefined()
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      expect((yield* run(Session.loginV2, Effect.void)).sent).toEqual(["POST /session 2 200"])
    }).pipe(Effect.provide(world()))
  )
})

describe("without an allowance to prove what is stored, the next run", () => {
  for (const [name, rest, method, path, proof] of [
    ["read", "1 second", "GET", "/session", "GET /session 1"],
    ["refresh", "2 minutes", "POST", "/session/refresh-token", "POST /session/refresh-token 1"]
  ] as const) {
    const refuse = Effect.flatMap(Sandbox, ({ inject }) =>
      inject({ kind: "allowance", allowance: "api-key", method, path })
    )

    it.effect(`waits by default for that of the ${name}, and then resumes`, () =>
      Effect.gen(function* () {
        yield* run(Session.login, Effect.void)
        yield* TestClock.adjust(rest)
        yield* refuse
        const running = yield* Effect.fork(run(Session.login, Effect.void, {}, "the default"))
        yield* eventually(Effect.map(requests(1), ({ length }) => length === 1))
        yield* TestClock.adjust("59 seconds")
        expect(running.unsafePoll()).toBeNull()
        yield* TestClock.adjust("1 seconds")
        const { sent } = yield* Fiber.join(running)
        expect(sent.slice(0, 1)).toEqual([`${proof} 403`])
        expect(sent.at(-1)).toBe("POST /session/refresh-token 1 200")
        expect(sent).not.toContain("POST /session 3 200")
      }).pipe(Effect.provide(world()))
    )

    for (const [without, fails, throttle] of [
      ["the throttle", { _tag: "ApiError", action: "wait" }, Throttle.off],
      ["the patience to wait for it", { _tag: "NotSentError", reason: "would-wait" }, "the default"]
    ] as const) {
      it.effect(`fails without ${without}, and what is stored stays: the ${name}`, () =>
        Effect.gen(function* () {
          yield* run(Session.login, Effect.void)
          yield* TestClock.adjust(rest)
          const before = yield* stored
          yield* refuse
          const failing = run(Session.login, Effect.void, {}, throttle).pipe(Throttle.waitAtMost("2 seconds"))
          expect(yield* Effect.flip(failing)).toMatchObject(fails)
          expect(yield* stored).toBe(before)
          expect((yield* run(Session.login, Effect.void)).sent).toEqual([`${proof} 200`])
        }).pipe(Effect.provide(world()))
      )
    }
  }

  it.effect("is refused once for what the run before it has spent, and resumes a minute later", () => {
    const demo = Throttle.layer("demo")
    return Effect.gen(function* () {
      const spending = Effect.repeatN(Session.read(), 6)
      const first = yield* Effect.fork(run(Session.loginV2, spending, {}, demo))
      yield* eventually(Effect.map(requests(), ({ length }) => length === 8))
      yield* Fiber.join(first)
      const second = yield* Effect.fork(run(Session.loginV2, Session.read(), {}, demo))
      yield* eventually(Effect.map(requests(8), ({ length }) => length === 1))
      yield* TestClock.adjust("1 minute")
      expect((yield* Fiber.join(second)).sent).toEqual([
        "GET /session 1 403",
        "GET /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world({ preset: "demo" })))
  })
})

it.live("a simulation of runs resumes, and the same seed gives the same record", () =>
  Effect.gen(function* () {
    const runs = Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* Effect.sleep("5 minutes")
      yield* run(Session.login, Session.read())
      return yield* requests()
    })
    const simulated = Simulation.run(Effect.provide(runs, world()), { seed: "a" })
    const outcome = yield* simulated
    expect(outcome).toMatchObject({
      _tag: "Done",
      exit: { value: ["POST /session 3 200", "POST /session/refresh-token 1 200", "GET /session 1 200"] }
    })
    expect(yield* simulated).toEqual(outcome)
  })
)

describe("without credentials", () => {
  it.effect("a living session is taken up, refreshed and stored", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      expect(yield* bareRun(Effect.void)).toMatchObject({
        sent: ["GET /session 1 200"],
        end: { right: "SBX01 access-1 refresh-1" }
      })
      yield* TestClock.adjust("5 minutes")
      expect(yield* bareRun(Session.read())).toMatchObject({
        sent: ["POST /session/refresh-token 1 200", "GET /session 1 200"],
        end: { right: "SBX01 access-2 refresh-2" }
      })
      // Whose it is, is still known.
      expect((yield* run(Session.login, Effect.void)).sent).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("a dead one is session-lost, and says what was tried", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      yield* TestClock.adjust("1 hour")
      const { end, sent } = yield* bareRun(Effect.void)
      expect(sent).toEqual(["POST /session/refresh-token 1 401"])
      expect(end).toMatchObject({
        left: {
          reason: "session-lost",
          causes: [{ errorCode: "error.security.oauth-token-invalid" }, { reason: "no-login-kept" }]
        }
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("one that dies later is session-lost, too", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      const { end } = yield* bareRun(Effect.zipRight(expire("cst", "xst"), Session.read()))
      expect(end).toMatchObject({ left: { reason: "session-lost", causes: [{ reason: "no-login-kept" }] } })
    }).pipe(Effect.provide(world()))
  )

  it.effect("sessions of other accounts are there, and new ones are not to be had", () =>
    Effect.gen(function* () {
      const other = withAccount("SBX02")(Session.read())
      yield* run(Session.loginV2, other)
      expect((yield* bareRun(other)).sent).toEqual(["GET /session 1 200", "GET /session 1 200"])
      const third = yield* bareRun(withAccount("SBX03")(Session.read()))
      expect(third.end).toMatchObject({ left: { reason: "no-login-kept" } })
      expect(third.sent).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("and without a stored session it says that there is none", () =>
    Effect.gen(function* () {
      const { end, sent } = yield* bareRun(Effect.void)
      expect(sent).toEqual([])
      expect(end).toMatchObject({ left: { operation: "session.resume", reason: "not-signed-in" } })
    }).pipe(Effect.provide(world()))
  )
})
