/** Whether a session has to be renewed, for whom, and who waits for that: with logins and allowances that are not IG's. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import { TransportError } from "@effect-ig/core/IgError"
import { type Session, type SignedIn, SignedOut } from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { type Circumstances, isAlive, isExpiring, isReady, ready, renew } from "../src/internal/renewal.ts"
import { makeInternals, makeSlot, type Slot } from "../src/internal/slot.ts"
import { type Governor, makeGovernor } from "../src/internal/throttleGovernor.ts"
import { keyOf } from "../src/internal/tokens.ts"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { bearer, becomes, busy, loginBy, never, settled, signedIn, tokens, values } from "./utils/slots.ts"

const old = tokens("SBX01", "old")
const fresh = tokens("SBX01", "fresh")
const newest = tokens("SBX01", "newest")

/** Allowances for which a renewal has to wait so long, in ms. */
const governed = (wait: number, isExchangeWaiting = false) =>
  Effect.map(makeGovernor({ key: 1, account: 1, trading: 1 }), (governor): Governor => ({
    ...governor,
    renewalWait: () => wait,
    isExchangeWaiting: () => isExchangeWaiting
  }))

/** For a caller who waits no longer than that. */
const whoWaits =
  (limit: Duration.DurationInput, governor: Governor) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(
      Throttle.waitAtMost(limit)(self),
      Throttle.Throttle,
      Option.some({ status: governor.status, events: Stream.never, governor })
    )

const closed = { _tag: "AuthError", operation: "session.renewal", reason: "closed" }
const notSignedIn = { _tag: "AuthError", operation: "session.renewal", reason: "not-signed-in" }

const read = Endpoint.make({ name: "read", method: "GET", path: "/read", version: 1, answer: Schema.Unknown })

const trade = Endpoint.make({
  name: "trade",
  method: "POST",
  path: "/trade",
  version: 1,
  allowance: "trading",
  answer: Schema.Unknown
})

describe("a caller who waits no longer than a second", () => {
  it.effect("joins the renewal under way, which waits for nothing, however long another one would have to", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const login = loginBy(() => Effect.as(Deferred.await(gate), fresh))
      const internals = yield* signedIn(old, login)
      const first = yield* Effect.fork(renew(internals, internals.main, old, "refused"))
      yield* settled
      const second = yield* renew(internals, internals.main, old, "refused").pipe(
        whoWaits("1 second", yield* governed(5_000)),
        Effect.fork
      )
      yield* settled
      yield* Deferred.succeed(gate, undefined)
      expect((yield* Effect.all([Fiber.join(first), Fiber.join(second)])).map(keyOf)).toEqual([
        keyOf(fresh),
        keyOf(fresh)
      ])
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )

  it.effect("does not join a renewal under way that itself waits for longer", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.never)
      )
      yield* Effect.fork(renew(internals, internals.main, old, "refused"))
      yield* settled
      const second = renew(internals, internals.main, old, "refused").pipe(
        whoWaits("1 second", yield* governed(5_000, true)),
        Effect.flip
      )
      expect(yield* second).toMatchObject({ _tag: "NotSentError", reason: "would-wait", retryAfter: 5_000 })
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )

  for (const [wait, isRenewed] of [
    [0, true],
    [1_000, true],
    [1_001, false]
  ] as const) {
    it.effect(`${isRenewed ? "gets" : "does not get"} a renewal that has to wait for ${wait} ms`, () =>
      Effect.gen(function* () {
        const internals = yield* signedIn(
          old,
          loginBy(() => Effect.succeed(fresh))
        )
        const outcome = yield* renew(internals, internals.main, old, "refused").pipe(
          whoWaits("1 second", yield* governed(wait)),
          Effect.map(keyOf),
          Effect.either
        )
        expect(outcome).toMatchObject(isRenewed ? { right: keyOf(fresh) } : { left: { reason: "would-wait" } })
      }).pipe(Effect.scoped, Effect.provide(inMemory()))
    )
  }
})

describe("a renewal that is asked for", () => {
  it.effect("after the session was signed out says so", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, never)
      yield* becomes(internals, new SignedOut())
      expect(yield* Effect.flip(renew(internals, internals.main, old, "refused"))).toMatchObject(notSignedIn)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("after its layer has closed says so, and not that logins have to wait", () =>
    Effect.gen(function* () {
      const internals = yield* signedIn(old, never)
      const cut = new TransportError({ operation: "session.loginV2", reason: "connection-lost", mayHaveExecuted: true })
      internals.logins.failed(cut, values, 0)
      yield* internals.main.exchanges.close
      expect(yield* Effect.flip(renew(internals, internals.main, old, "refused"))).toMatchObject(closed)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("while that of an older session still ends asks for the password once, however many want it", () =>
    Effect.gen(function* () {
      // Somebody who is asked, and whom nothing takes back.
      const gates = [yield* Deferred.make<void>(), yield* Deferred.make<void>()] as const
      let asked = 0
      const credentials = Effect.uninterruptible(
        Effect.suspend(() => Effect.as(Deferred.await(gates[asked++ === 0 ? 0 : 1]), values))
      )
      const internals = yield* signedIn(
        old,
        loginBy(() => Effect.succeed(newest), credentials)
      )
      const wanted = (from: SignedIn) =>
        Effect.zipLeft(Effect.fork(renew(internals, internals.main, from, "refused")), settled)
      const ofOld = yield* wanted(old)
      yield* becomes(internals, fresh)
      const first = yield* wanted(fresh)
      yield* Deferred.succeed(gates[0], undefined)
      expect(yield* Fiber.join(ofOld)).toBe(fresh)
      const second = yield* wanted(fresh)
      yield* Deferred.succeed(gates[1], undefined)
      expect((yield* Effect.all([Fiber.join(first), Fiber.join(second)])).map(keyOf)).toEqual([
        keyOf(newest),
        keyOf(newest)
      ])
      expect(asked).toBe(2)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("to open the session of another account is told as a login", () =>
    Effect.gen(function* () {
      const login = loginBy(() => Effect.succeed(tokens("SBX02", "another")))
      const internals = yield* signedIn(old, login)
      const slot = makeSlot(yield* internals.main.exchanges.another(new SignedOut(), login), "SBX02", () => login)
      const events = yield* PubSub.subscribe(internals.events)
      yield* ready(internals, slot, read)
      expect([...(yield* Queue.takeAll(events))]).toMatchObject([{ _tag: "LoggedIn", accountId: "SBX02" }])
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )
})

describe("a bearer that nears its end", () => {
  it("is to be renewed in the last third of its life, whenever it was asked for, though the margin is longer", () => {
    const settings = { isOn: true, margin: Duration.minutes(5) }
    const session = bearer("somebody", 1_000_000)
    expect([1_000_000, 1_040_000, 1_040_001].map((now) => isExpiring(session, settings, now))).toEqual([
      false,
      false,
      true
    ])
  })

  it.effect("does not go out as it is when the layer has closed while its renewal was waited for", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("55 seconds")
      const internals = yield* signedIn(bearer("somebody"), never)
      const release = yield* busy(internals)
      const waiting = yield* Effect.fork(Effect.flip(ready(internals, internals.main, read)))
      yield* settled
      yield* internals.main.exchanges.close
      yield* release
      expect(yield* Fiber.join(waiting)).toMatchObject(closed)
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("does not go out as it is when the session was signed out while its renewal was waited for", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("55 seconds")
      const internals = yield* signedIn(bearer("somebody"), never)
      const release = yield* busy(internals)
      const leaving = yield* Effect.fork(becomes(internals, new SignedOut()))
      yield* settled
      const waiting = yield* Effect.fork(Effect.flip(ready(internals, internals.main, read)))
      yield* settled
      yield* release
      yield* Fiber.join(leaving)
      expect(yield* Fiber.join(waiting)).toMatchObject(notSignedIn)
    }).pipe(Effect.provide(keptInMemory()))
  )

  interface Case {
    readonly name: string
    readonly endpoint: Endpoint.Description
    readonly now: number
    /** How long a renewal has to wait, where there are allowances. */
    readonly wait: number | undefined
    readonly goes: boolean
  }

  const cases: ReadonlyArray<Case> = [
    { name: "a trade does without a renewal that has to wait", endpoint: trade, now: 59_999, wait: 1, goes: true },
    { name: "a trade does not do without one that is had at once", endpoint: trade, now: 59_999, wait: 0, goes: false },
    { name: "a trade does not go once it is dead", endpoint: trade, now: 60_000, wait: 1, goes: false },
    { name: "a trade waits where nothing has to", endpoint: trade, now: 59_999, wait: undefined, goes: false },
    { name: "a read waits for a renewal that has to wait", endpoint: read, now: 59_999, wait: 1, goes: false },
    { name: "a read waits for it once it is dead", endpoint: read, now: 60_000, wait: 1, goes: false }
  ]
  for (const { endpoint, goes, name, now, wait } of cases) {
    it.effect(`and ${name}`, () =>
      Effect.gen(function* () {
        const { main } = yield* makeInternals(bearer("somebody"))
        const known: Circumstances = {
          settings: { isOn: true, margin: Duration.seconds(10) },
          governor: wait === undefined ? undefined : yield* governed(wait)
        }
        expect(isReady(endpoint, main, known, now)).toBe(goes)
      }).pipe(Effect.scoped)
    )
  }
})

describe("a session that was to be renewed in vain", () => {
  const session = bearer("somebody")

  interface Case {
    readonly name: string
    readonly of: SignedIn
    readonly current?: Session
    readonly dead?: SignedIn
    readonly now: number
    readonly lives: boolean
  }

  const cases: ReadonlyArray<Case> = [
    { name: "lives until its bearer ends", of: session, now: 59_999, lives: true },
    { name: "lives, whatever IG has refused before it", of: session, dead: bearer("another"), now: 0, lives: true },
    { name: "has died when its bearer ends", of: session, now: 60_000, lives: false },
    { name: "has died once IG has refused it", of: session, dead: session, now: 0, lives: false },
    { name: "is over when there is another one", of: session, current: bearer("another"), now: 0, lives: false },
    { name: "is over when it was signed out", of: session, current: new SignedOut(), now: 0, lives: false },
    { name: "lives for no time that is known where it has no bearer", of: old, now: 0, lives: false }
  ]
  for (const { current, dead, lives, name, now, of } of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { main } = yield* makeInternals(current ?? of)
        const slot: Slot = { ...main, dead: dead === undefined ? undefined : keyOf(dead) }
        expect(isAlive(slot, of, now)).toBe(lives)
      })
    )
  }
})
