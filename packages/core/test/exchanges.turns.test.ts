/** Whose turn it is to change a session, by itself: without IG, and without what asks for turns. */
import { SignedOut, TokenSession } from "@effect-ig/core/SessionState"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { describe } from "vitest"
import { type LoggedIn, makeExchanges, type Needs } from "../src/internal/exchanges.ts"
import { inMemory } from "./utils/ig.ts"

const exchanges = makeExchanges(new SignedOut(), constVoid)

const session = new TokenSession({
  accountId: "ABC12",
  clientId: "100000001",
  lightstreamerEndpoint: Option.none(),
  loggedInBy: "loginV2",
  cst: Redacted.make("a-cst"),
  securityToken: Redacted.make("an-xst")
})

const login: LoggedIn = { who: { identifier: "somebody" }, again: undefined }

/** Lets every fiber go as far as it gets. */
const settled = Effect.repeatN(Effect.yieldNow(), 20)

const closed = { _tag: "AuthError", reason: "closed" }

describe("an exchange", () => {
  it.effect("has no turn once they are closed", () =>
    Effect.gen(function* () {
      const { close, run } = yield* exchanges
      yield* close
      expect(yield* Effect.flip(run("late", () => Effect.die("it has begun")))).toMatchObject(closed)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("that is cut has failed for whoever waits for it, and the next one goes", () =>
    Effect.gen(function* () {
      const { cut, run } = yield* exchanges
      const waiting = yield* Effect.fork(run("hanging", () => Effect.never))
      yield* settled
      yield* cut
      expect(yield* Effect.flip(Fiber.join(waiting))).toMatchObject(closed)
      expect(yield* run("next", () => Effect.succeed("done"))).toBe("done")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("that is none cannot be cut, which is no failure", () =>
    Effect.gen(function* () {
      const { cut } = yield* exchanges
      expect(yield* Effect.exit(cut)).toEqual(Exit.void)
    })
  )

  it.effect("that signs out leaves no login behind", () =>
    Effect.gen(function* () {
      const kept = yield* exchanges
      yield* kept.run("login", ({ settle }) => settle(session, login))
      expect([kept.current(), kept.login()]).toEqual([session, login])
      yield* kept.run("refresh", ({ settle }) => settle(session))
      expect(kept.login()).toBe(login)
      yield* kept.run("logout", ({ settle }) => settle(new SignedOut()))
      expect(kept.login()).toBeUndefined()
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("leaves them idle when it has ended, and no sooner", () =>
    Effect.gen(function* () {
      const { begin, isIdle } = yield* exchanges
      const over = yield* Deferred.make<void>()
      const waiting = yield* Effect.fork(begin(yield* Effect.context<Needs>(), Deferred.await(over), constVoid))
      yield* settled
      expect(isIdle()).toBe(false)
      yield* Deferred.succeed(over, undefined)
      yield* Fiber.join(waiting)
      expect(isIdle()).toBe(true)
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("while something urgent goes on", () => {
  /** Until it is let go. */
  const urgent = (urgently: <A>(self: Effect.Effect<A>) => Effect.Effect<A>) =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(urgently(Deferred.await(over)))
      yield* settled
      return Effect.zipRight(Deferred.succeed(over, undefined), Fiber.join(fiber))
    })

  it.effect("only what is urgent has a turn, until the last of it has ended", () =>
    Effect.gen(function* () {
      const { run, urgently } = yield* exchanges
      const endFirst = yield* urgent(urgently)
      const endSecond = yield* urgent(urgently)
      const order: Array<string> = []
      const does = (name: string) => () => Effect.sync(() => void order.push(name))
      const usual = yield* Effect.fork(run("usual", does("usual")))
      yield* settled
      yield* run("urgent", does("urgent"), "urgent")
      yield* endFirst
      yield* settled
      expect(order).toEqual(["urgent"])
      yield* endSecond
      yield* Fiber.join(usual)
      expect(order).toEqual(["urgent", "usual"])
    }).pipe(Effect.provide(inMemory()))
  )
})
