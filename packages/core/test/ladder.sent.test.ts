/** What a renewal sends, how often, and for how long it goes on. */
import type { Credentials } from "@effect-ig/core/Credentials"
import { TransportError } from "@effect-ig/core/IgError"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import * as Session from "@effect-ig/core/Session"
import { OAuthSession, type SignedIn, TokenSession } from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import type { Again, Needs } from "../src/internal/exchanges.ts"
import { climb } from "../src/internal/ladder.ts"
import { type Internals, makeInternals } from "../src/internal/slot.ts"
import { inMemory } from "./utils/ig.ts"
import { count, requests } from "./utils/state.ts"

const values: Credentials.Values = { identifier: "somebody", password: Redacted.make("a-password-of-nobodys") }

/** Beside the client's own session the same one, whose renewal can be looked at. */
const signedIn = (session: SignedIn, open: Again["open"] = () => Effect.die("a login was sent")) => {
  const again = { credentials: Effect.succeed(values), open, asksForKey: false }
  return Effect.tap(makeInternals(session), ({ main }) =>
    main.exchanges.run("login", (turn) => turn.settle(session, { who: { identifier: values.identifier }, again }))
  )
}

const renewal = (internals: Internals, session: SignedIn) => climb(internals, internals.main, session, "refused")

/** Lets every fiber go as far as it gets. */
const settled = Effect.repeatN(Effect.yieldNow(), 50)

class Failure extends Error {
  readonly code: string
  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Each request fails after so long, of what surely never left. */
const unsent = (code: string, after: Duration.DurationInput = 0) => {
  const tries: Array<number> = []
  const client = HttpClient.make((request) =>
    Effect.gen(function* () {
      tries.push((yield* Clock.currentTimeMillis) / 1000)
      yield* Effect.sleep(after)
      return yield* new HttpClientError.RequestError({ request, reason: "Transport", cause: new Failure(code) })
    })
  )
  const within = <A, E>(self: Effect.Effect<A, E, Needs>) =>
    self.pipe(
      Effect.provideService(HttpClient.HttpClient, client),
      Effect.provideService(ReadRetry.ReadRetry, Option.some(Schedule.recurs(9)))
    )
  return { tries, within }
}

describe("a refresh that cannot be sent", () => {
  it.effect("is not tried again once 30 seconds have passed, by a policy that never pauses", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const internals = yield* signedIn(session)
      const { tries, within } = unsent("ECONNREFUSED", "15 seconds")
      const renewing = yield* Effect.fork(Effect.flip(within(renewal(internals, session))))
      yield* TestClock.adjust("3 minutes")
      expect(yield* Fiber.join(renewing)).toMatchObject({ operation: "session.refresh", reason: "unreachable" })
      // It has failed at 15 seconds for the first time, and at 45 for the last.
      expect(tries).toEqual([0, 15, 30])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is not tried again once the layer closes, by a policy that never pauses", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const internals = yield* signedIn(session)
      const { tries, within } = unsent("ECONNREFUSED", "10 seconds")
      const renewing = yield* Effect.fork(Effect.flip(within(renewal(internals, session))))
      yield* TestClock.adjust("5 seconds")
      yield* internals.main.exchanges.close
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(renewing)).toMatchObject({ operation: "session.refresh", reason: "unreachable" })
      expect(tries).toEqual([0])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("for want of a secure connection is not tried again: that does not pass", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const internals = yield* signedIn(session)
      const { tries, within } = unsent("CERT_HAS_EXPIRED")
      const renewing = yield* Effect.fork(Effect.flip(within(renewal(internals, session))))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(renewing)).toMatchObject({ operation: "session.refresh", reason: "tls" })
      expect(tries).toEqual([0])
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a refresh", () => {
  it.effect("keeps what has come to the session while its turn was waited for", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const internals = yield* signedIn(session)
      const ended = yield* Deferred.make<void>()
      const moved = new OAuthSession({ ...session, accountId: "SBX02", switchesByHeader: true })
      yield* internals.main.exchanges
        .run("switch", (turn) => Effect.zipRight(Deferred.await(ended), turn.settle(moved)))
        .pipe(Effect.fork)
      yield* settled
      const renewing = yield* Effect.fork(renewal(internals, session))
      yield* settled
      yield* Deferred.succeed(ended, undefined)
      expect(yield* Fiber.join(renewing)).toMatchObject({ accountId: "SBX02", switchesByHeader: true })
      expect(yield* requests(1)).toEqual(["POST /session/refresh-token 1 200"])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("whose answer is none has spent its token: it is followed by a login", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const fresh = new OAuthSession({ ...session, accessToken: Redacted.make("a-bearer-of-nobodys") })
      const internals = yield* signedIn(session, () => Effect.succeed(fresh))
      yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text: "<html>", path: "/session/refresh-token" })
      expect(yield* renewal(internals, session)).toBe(fresh)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("without an allowance is no loss of the session", () =>
    Effect.gen(function* () {
      const session = yield* Session.login
      const internals = yield* signedIn(session)
      const events = yield* PubSub.subscribe(internals.events)
      yield* (yield* Sandbox).inject({ kind: "allowance", allowance: "api-key", path: "/session/refresh-token" })
      expect(yield* Effect.flip(renewal(internals, session))).toMatchObject({ _tag: "ApiError", action: "wait" })
      expect([...(yield* Queue.takeAll(events))]).toEqual([])
    }).pipe(Effect.scoped, Effect.provide(inMemory()))
  )
})

describe("after a login that IG did not answer, it is first asked for its key", () => {
  /** In a session whose last login was cut, a minute later; with how many logins were sent since. */
  const inDoubt = Effect.gen(function* () {
    const session = yield* Session.loginV2
    let opened = 0
    const internals = yield* signedIn(session, () =>
      Effect.sync(() => {
        opened += 1
        return new TokenSession({ ...session, cst: Redacted.make("a-cst-of-nobodys") })
      })
    )
    const error = new TransportError({
      operation: "session.loginV2",
      reason: "connection-lost",
      mayHaveExecuted: true
    })
    internals.logins.failed(error, values, 0)
    yield* TestClock.adjust("1 minute")
    return { session, internals, opened: () => opened, seen: yield* count }
  })

  it.effect("whose refusal shows that it is there", () =>
    Effect.gen(function* () {
      const { internals, opened, seen, session } = yield* inDoubt
      const refusal = { kind: "answer", status: 403, errorCode: "error.security.api-key-invalid" } as const
      yield* (yield* Sandbox).inject({ ...refusal, path: "/session/encryptionKey" })
      yield* renewal(internals, session)
      expect(yield* requests(seen)).toEqual(["GET /session/encryptionKey 1 403"])
      expect(opened()).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("and while that fails with 500, no login is sent", () =>
    Effect.gen(function* () {
      const { internals, opened, seen, session } = yield* inDoubt
      yield* (yield* Sandbox).inject({ kind: "answer", status: 500, path: "/session/encryptionKey" })
      const renewing = yield* Effect.fork(renewal(internals, session))
      yield* TestClock.adjust("4 seconds")
      expect(opened()).toBe(0)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(renewing)
      expect(yield* requests(seen)).toEqual(["GET /session/encryptionKey 1 500", "GET /session/encryptionKey 1 200"])
      expect(opened()).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )
})
