/** The steps by which a session is brought back, each by itself: with logins that are not IG's. */
import { ApiError, AuthError, DecodeError, type IgError, NotSentError, TransportError } from "@effect-ig/core/IgError"
import { type Session, type SignedIn, SignedOut } from "@effect-ig/core/SessionState"
import { SessionEvent } from "@effect-ig/core/SessionEvent"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import { describe } from "vitest"
import type { Destination } from "../src/internal/exchanges.ts"
import { born, climb, overtaken, told, wasNotExecuted } from "../src/internal/ladder.ts"
import { makeInternals, makeSlot, type Slot } from "../src/internal/slot.ts"
import { keyOf } from "../src/internal/tokens.ts"
import { inMemory } from "./utils/ig.ts"
import { bearer as bearerOf, beside, busy, loginBy, never, settled, signedIn, tokens, values } from "./utils/slots.ts"
import { requests } from "./utils/state.ts"

const bearer = bearerOf("a")

const old = tokens("SBX01", "old")
const fresh = tokens("SBX01", "fresh")

const cut = new TransportError({ operation: "session.loginV2", reason: "connection-lost", mayHaveExecuted: true })

const closed = { _tag: "AuthError", operation: "session.renewal", reason: "closed" }
const notSignedIn = { _tag: "AuthError", operation: "session.renewal", reason: "not-signed-in" }

const answered = (operation: string, status: number, action: ApiError["action"]) =>
  new ApiError({ operation, status, action })

describe("what IG surely has not executed", () => {
  const errors: ReadonlyArray<readonly [error: IgError, expected: boolean]> = [
    [new NotSentError({ operation: "o", reason: "would-wait", detail: "d" }), true],
    [new DecodeError({ operation: "o", paths: ["p"] }), false],
    [new AuthError({ operation: "o", reason: "tokens-missing" }), false]
  ]
  for (const [error, expected] of errors) {
    it(`is ${expected ? "" : "not "}told by ${error._tag}`, () => {
      expect(wasNotExecuted(error)).toBe(expected)
    })
  }
})

describe("what has become of a session meanwhile", () => {
  const becomes = (slot: Slot, from: Session) => overtaken(slot, from) ?? Effect.die("it is what it was")

  it.effect("is said as a failure once its layer has closed", () =>
    Effect.gen(function* () {
      const { main } = yield* makeInternals(old)
      yield* main.exchanges.close
      expect(yield* Effect.flip(becomes(main, old))).toMatchObject(closed)
    })
  )

  it.effect("is said as a failure once it was signed out", () =>
    Effect.gen(function* () {
      const { main } = yield* makeInternals(new SignedOut())
      expect(yield* Effect.flip(becomes(main, old))).toMatchObject(notSignedIn)
    })
  )

  it.effect("is said as a failure of another account's once its login is nobody's any more", () =>
    Effect.gen(function* () {
      const { main } = yield* makeInternals(old)
      const slot = makeSlot(main.exchanges, "SBX02", () => undefined)
      expect(yield* Effect.flip(becomes(slot, old))).toMatchObject(notSignedIn)
    })
  )

  it.effect("is the session that has come instead; and nothing where it is the same", () =>
    Effect.gen(function* () {
      const { main } = yield* makeInternals(fresh)
      expect(yield* becomes(main, old)).toBe(fresh)
      expect(overtaken(main, fresh)).toBeUndefined()
    })
  )
})

describe("a renewal", () => {
  it.effect("that waits for its turn when the layer closes says so, and tells nobody of a loss", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const internals = yield* signedIn(bearer, never)
      const { exchanges } = internals.main
      const events = yield* PubSub.subscribe(internals.events)
      // A renewal that only asked for the next way would be told to wait.
      internals.logins.failed(cut, values, 0)
      const release = yield* busy(internals)
      const climbing = yield* climb(internals, internals.main, bearer, "refused").pipe(
        Effect.flip,
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => void lines.push(message))
          )
        ),
        Effect.fork
      )
      yield* settled
      yield* exchanges.close
      yield* release
      expect(yield* Fiber.join(climbing)).toMatchObject(closed)
      expect(lines).toEqual([])
      expect([...(yield* Queue.takeAll(events))]).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )

  it.effect("that finds the session signed out tells nobody of a loss", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, { ...never, again: undefined })
      const events = yield* PubSub.subscribe(internals.events)
      yield* internals.main.exchanges.run("logout", (turn) => turn.settle(new SignedOut()))
      expect(yield* Effect.flip(climb(internals, internals.main, old, "refused"))).toMatchObject(notSignedIn)
      expect([...(yield* Queue.takeAll(events))]).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )

  it.effect("has a span of its own, whoever asked for it", () =>
    Effect.gen(function* () {
      const spans: Array<readonly [name: string, isRoot: boolean]> = []
      const tracer = yield* Effect.tracer
      const watching = Tracer.make({
        ...tracer,
        span: (name, parent, ...more) => {
          spans.push([name, Option.isNone(parent)])
          return tracer.span(name, parent, ...more)
        }
      })
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.succeed(fresh))
      )
      yield* climb(internals, internals.main, old, "refused").pipe(Effect.withSpan("mine"), Effect.withTracer(watching))
      expect(spans).toEqual([
        ["mine", true],
        ["Ig.session.renewal", true]
      ])
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("the session of another account that was opened", () => {
  it.effect("is told as a login, and not as a renewal", () =>
    Effect.gen(function* () {
      const internals = yield* makeInternals(old)
      const events = yield* PubSub.subscribe(internals.events)
      yield* told(internals, "opening", "login", tokens("SBX02", "other"))
      expect([...(yield* Queue.takeAll(events))]).toEqual([
        SessionEvent.LoggedIn({ at: 0, accountId: "SBX02", loggedInBy: "loginV2" })
      ])
    }).pipe(Effect.scoped)
  )
})

describe("a login out of a cache", () => {
  it.effect("is not feared of one that lies in the future, by a clock that was set back", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.succeed(fresh))
      )
      yield* TestClock.setTime(600_000)
      yield* born(internals, internals.main, old)
      yield* TestClock.setTime(300_000)
      expect(yield* climb(internals, internals.main, old, "refused")).toBe(fresh)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is told with what was tried in vain, however often it is asked for", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(bearer, never)
      yield* born(internals, internals.main, bearer)
      for (let time = 1; time <= 3; time++) {
        const error = yield* Effect.flip(climb(internals, internals.main, bearer, "refused"))
        expect(error).toMatchObject({
          reason: "session-lost",
          retryAt: 60_000,
          causes: [{ operation: "session.refresh" }]
        })
      }
      expect(yield* requests()).toEqual(["POST /session/refresh-token 1 401"])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("and a login that failed besides: the later end counts, and both are told", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, never)
      const refusal = answered("session.refresh", 401, "renew")
      internals.main.born = { key: keyOf(old), at: 0, causes: [refusal] }
      internals.logins.failed(cut, values, 0)
      yield* TestClock.adjust("30 seconds")
      for (const [at, retryAt] of [
        [10_000, 70_000],
        [-10_000, 60_000]
      ] as const) {
        internals.main.born = { key: keyOf(old), at, causes: [refusal] }
        expect(yield* Effect.flip(climb(internals, internals.main, old, "refused"))).toMatchObject({
          reason: "session-lost",
          retryAt,
          causes: [cut, refusal]
        })
      }
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a renewal by login", () => {
  it.effect("is given up when the credentials are not supplied, and says so", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, loginBy(never.again.open, Effect.never))
      const climbing = yield* Effect.fork(Effect.flip(climb(internals, internals.main, old, "refused")))
      yield* TestClock.adjust("2 minutes")
      expect(yield* Fiber.join(climbing)).toMatchObject({
        reason: "session-lost",
        causes: [{ reason: "credentials-unavailable", detail: "They were not supplied in time." }]
      })
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("with credentials that IG has refused says that it waits for others", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, never)
      internals.logins.failed(
        new ApiError({
          operation: "session.loginV2",
          status: 401,
          errorCode: "error.security.invalid-details",
          action: "fix"
        }),
        values,
        0
      )
      expect(yield* Effect.flip(climb(internals, internals.main, old, "refused"))).toMatchObject({
        reason: "session-lost",
        causes: [
          {
            reason: "credentials-unavailable",
            detail: "IG has refused these; they are not sent again until they change."
          }
        ]
      })
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("ends with the session that was logged in while the credentials were waited for", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, loginBy(never.again.open, Effect.never))
      const climbing = yield* Effect.fork(climb(internals, internals.main, old, "refused"))
      yield* settled
      yield* internals.main.exchanges.run("login", (turn) => turn.settle(fresh))
      expect(yield* Fiber.join(climbing)).toBe(fresh)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("asks for no credentials again when the session was logged in during its pause", () =>
    Effect.gen(function* () {
      let asked = 0
      const credentials = Effect.sync(() => {
        asked += 1
        return values
      })
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.fail(cut), credentials)
      )
      const climbing = yield* Effect.fork(climb(internals, internals.main, old, "refused"))
      yield* settled
      expect(asked).toBe(1)
      yield* internals.main.exchanges.run("login", (turn) => turn.settle(fresh))
      expect(yield* Fiber.join(climbing)).toBe(fresh)
      expect(asked).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("ends at IG what it has opened when the layer closes meanwhile", () =>
    Effect.gen(function* () {
      const opening = yield* Deferred.make<SignedIn>()
      const internals = yield* signedIn(
        old,
        loginBy(() => Deferred.await(opening))
      )
      const climbing = yield* Effect.fork(Effect.flip(climb(internals, internals.main, old, "refused")))
      yield* settled
      yield* internals.main.exchanges.close
      yield* Deferred.succeed(opening, fresh)
      expect(yield* Fiber.join(climbing)).toMatchObject(closed)
      expect(yield* requests()).toEqual(["DELETE /session 1 401"])
      expect(internals.main.exchanges.current()).toBe(old)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("of another account waits for its turn among the logins, and for what IG says to the one before", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, never)
      const slot = yield* beside(internals, "SBX02", never)
      const release = yield* busy(internals)
      const climbing = yield* Effect.fork(Effect.flip(climb(internals, slot, new SignedOut(), "opening")))
      yield* settled
      internals.logins.failed(cut, values, 0)
      yield* release
      expect(yield* Fiber.join(climbing)).toMatchObject({ reason: "session-lost", retryAt: 60_000, causes: [cut] })
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a login has to end", () => {
  /** Where a login is asked to go. */
  const asked = () => {
    const destinations: Array<Option.Option<Destination>> = []
    const login = loginBy((_, to) => {
      destinations.push(to)
      return Effect.succeed(fresh)
    })
    return { destinations, login }
  }

  it.effect("on the account of the session, by PUT, whatever other accounts have", () =>
    Effect.gen(function* () {
      const { destinations, login } = asked()
      const internals = yield* signedIn(old, login)
      yield* beside(internals, "SBX02", login, tokens("SBX02", "other"))
      yield* climb(internals, internals.main, old, "refused")
      expect(destinations).toEqual([Option.some({ accountId: "SBX01", byHeader: false, inUse: [] })])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("on the other account, in no session that is in use by anybody else", () =>
    Effect.gen(function* () {
      const { destinations, login } = asked()
      const internals = yield* signedIn(old, login)
      const dead = tokens("SBX02", "dead")
      const used = tokens("SBX03", "used")
      const slot = yield* beside(internals, "SBX02", login, dead)
      yield* beside(internals, "SBX03", login, used)
      yield* beside(internals, "SBX04", login)
      yield* climb(internals, slot, dead, "refused")
      expect(destinations).toEqual([Option.some({ accountId: "SBX02", byHeader: false, inUse: [old, used] })])
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("an account that cannot be had", () => {
  const errors: ReadonlyArray<readonly [what: string, error: IgError, isOfAccount: boolean]> = [
    [
      "IG answers for another account",
      new AuthError({ operation: "session.switchAccount", reason: "wrong-account" }),
      true
    ],
    ["IG refuses the switch", answered("session.switchAccount", 412, "fix"), true],
    ["IG fails at the switch", answered("session.switchAccount", 500, "query"), false],
    ["IG refuses the login", answered("session.loginV2", 400, "fix"), false],
    ["the answer is not as expected", new DecodeError({ operation: "session.switchAccount", paths: ["p"] }), false]
  ]

  for (const [what, error, isOfAccount] of errors) {
    it.effect(`${isOfAccount ? "is remembered" : "may be had later"}, when ${what}`, () =>
      Effect.gen(function* () {
        const login = loginBy(() => Effect.fail(error))
        const internals = yield* signedIn(old, login)
        const slot = yield* beside(internals, "SBX02", login)
        const opening = yield* Effect.fork(Effect.flip(climb(internals, slot, new SignedOut(), "opening")))
        yield* TestClock.adjust("5 minutes")
        const failed = yield* Fiber.join(opening)
        expect(slot.unavailable).toBe(isOfAccount ? error : undefined)
        if (isOfAccount) expect(failed).toBe(error)
        else expect(failed).toMatchObject({ reason: "session-lost" })
      }).pipe(Effect.provide(inMemory()))
    )
  }

  it.effect("is nothing to remember of the session itself, which has to come back", () =>
    Effect.gen(function* () {
      const refusal = answered("session.switchAccount", 412, "fix")
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.fail(refusal))
      )
      expect(yield* Effect.flip(climb(internals, internals.main, old, "refused"))).toMatchObject({
        reason: "session-lost",
        causes: [refusal]
      })
      expect(internals.main.unavailable).toBeUndefined()
    }).pipe(Effect.provide(inMemory()))
  )
})

/** By which less time of day has passed than time. */
const lagging = (clock: Clock.Clock, lag: () => number): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() - lag(),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - lag()),
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

it.effect("a pause that was sat through is over, though the time of day is behind by then", () =>
  Effect.gen(function* () {
    let lag = 0
    let tries = 0
    const login = loginBy(() => (tries++ === 0 ? Effect.fail(cut) : Effect.succeed(fresh)))
    const renewed = Effect.flatMap(signedIn(old, login), (internals) =>
      climb(internals, internals.main, old, "refused")
    )
    const climbing = yield* Effect.fork(
      Effect.withClock(
        renewed,
        lagging(yield* Effect.clock, () => lag)
      )
    )
    yield* settled
    lag = 5
    yield* TestClock.adjust("1 minute")
    expect(yield* Fiber.join(climbing)).toBe(fresh)
  }).pipe(Effect.provide(inMemory()))
)
