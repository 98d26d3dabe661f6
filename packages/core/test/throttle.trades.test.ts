/** A trade waits for nothing but its own allowance. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { isHurried } from "./utils/effort.ts"
import {
  demo,
  lasting,
  live,
  minute,
  queued,
  received,
  receivedAt,
  refusedFor,
  trade,
  virtually,
  waiting
} from "./utils/throttled.ts"

/** Of reads, so that to look through all of them each time would show. */
const many = isHurried ? 300 : 10_000

/** A session on another account than its login gives. */
const onOther = Effect.zipRight(Session.loginV2, Session.switchAccount("SBX02"))

describe("a trade", () => {
  /** At moments of a bearer's life and of the minutes of the allowance. */
  const moments = [1, 30, 55, 59.999, 60, 60.001, 75, 110, 120, 125, 170, 180, 233]

  const tradesAt = (seconds: ReadonlyArray<number>) =>
    Effect.forEach(seconds, (at) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.sleep(Math.max(0, at * 1000 - now)).pipe(
          Effect.zipRight(lasting(trade)),
          Effect.map((waited) => [at, waited])
        )
      )
    )

  it.live("waits for none of 10,000 reads, nor does the renewal that it needs; and of those any may leave", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const reads = yield* queued(many)
        const before = yield* waiting
        expect(before).toBeGreaterThan(many - 50)
        expect(yield* tradesAt(moments)).toEqual(moments.map((at) => [at, 0]))
        expect((yield* receivedAt("POST", "/session/refresh-token")).length).toBeGreaterThan(2)
        expect((yield* received).filter(({ status }) => status !== 200)).toEqual([])
        // Whoever leaves has no place any more, and whoever stays has not lost its own.
        const gone = yield* waiting
        const waiters = reads.slice(-gone)
        const stays = waiters.filter((_, index) => index % (many * 0.3) === 1)
        yield* Fiber.interruptAll(waiters.filter((_, index) => index % (many * 0.3) !== 1))
        expect(yield* waiting).toBe(stays.length)
        expect(yield* lasting(Fiber.joinAll(stays))).toBeLessThanOrEqual(minute)
        expect(yield* waiting).toBe(0)
        yield* Effect.sleep(minute)
        expect(Option.getOrThrow(yield* Throttle.status).key.left).toBe(8)
      }),
      demo
    )
  )

  it.live("waits for none of many reads of two accounts, nor does the renewal that it needs", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const reads = yield* queued(300)
        const others = yield* withAccount("SBX02")(queued(300))
        const early = moments.filter((at) => at < 121)
        expect(yield* tradesAt(early)).toEqual(early.map((at) => [at, 0]))
        expect((yield* receivedAt("POST", "/session/refresh-token")).length).toBe(2)
        expect((yield* received).filter(({ status }) => status !== 200)).toEqual([])
        yield* Fiber.interruptAll([...reads, ...others])
      }),
      live
    )
  )

  const full = Effect.zipRight(Effect.fork(withAccount("SBX02")(queued(100))), queued(100))

  for (const [name, login, kill, renewal] of [
    ["the bearer", Session.login, "access", ["POST /session/refresh-token"]],
    ["the bearer and its refresh token", Session.login, "all", ["POST /session/refresh-token", "POST /session"]],
    ["the CST", Session.loginV2, "all", ["POST /session"]],
    ["the CST of a session that was switched", onOther, "all", ["POST /session", "PUT /session"]]
  ] as const) {
    it.live(`waits for nothing when IG kills ${name} early, where places are kept for that`, () =>
      virtually(
        Effect.gen(function* () {
          yield* login
          const reads = yield* full
          yield* Effect.sleep("20 seconds")
          yield* (yield* Sandbox).expire(kill)
          const before = (yield* received).length
          expect(yield* lasting(trade)).toBe(0)
          const sent = (yield* received).slice(before).map(({ method, path }) => `${method} ${path}`)
          expect(sent).toEqual(["POST /positions/otc", ...renewal, "POST /positions/otc"])
          yield* Fiber.interruptAll(reads)
        }),
        live
      )
    )
  }

  it.live("waits for the next place, and for no read, when IG kills its tokens early and the allowance is small", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* Effect.sleep("10 seconds")
        const reads = yield* queued(100)
        yield* (yield* Sandbox).expire("all")
        const before = (yield* received).length
        // The place of the login that began the session is the first to come back.
        expect(yield* lasting(trade)).toBe(minute - 10_001)
        const sent = (yield* received).slice(before).map(({ method, path }) => `${method} ${path}`)
        expect(sent.slice(0, 3)).toEqual(["POST /positions/otc", "POST /session", "POST /positions/otc"])
        yield* Fiber.interruptAll(reads)
      }),
      demo
    )
  )

  it.live("that needs a renewal while IG refuses the key goes with the one request that IG is tried with first", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("api-key", "/positions")
        const reads = yield* queued(20)
        yield* (yield* Sandbox).expire("all")
        const before = (yield* received).length
        expect(yield* lasting(trade)).toBe(minute - 1)
        const sent = (yield* received).slice(before).map(({ method, path }) => `${method} ${path}`)
        expect(sent.slice(0, 2)).toEqual(["POST /positions/otc", "POST /session"])
        yield* Fiber.interruptAll(reads)
      }),
      live
    )
  )

  it.live("whose bearer still lives does not wait for a renewal while IG refuses the key", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        yield* refusedFor("api-key", "/positions")
        const reads = yield* queued(20)
        expect(yield* tradesAt([55, 59.9])).toEqual([
          [55, 0],
          [59.9, 0]
        ])
        yield* Fiber.interruptAll(reads)
      }),
      live
    )
  )

  it.live("that needs a renewal does not wait while only its account is refused reads", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("account", "/positions")
        const reads = yield* queued(20)
        yield* (yield* Sandbox).expire("all")
        expect(yield* lasting(trade)).toBe(0)
        yield* Fiber.interruptAll(reads)
      }),
      live
    )
  )

  it.live("waits for nothing while the lanes of the reads are closed", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("api-key", "/session/encryptionKey")
        yield* refusedFor("account", "/positions")
        const reads = yield* queued(20)
        const asking = yield* Effect.fork(Session.encryptionKey)
        yield* Effect.sleep("1 second")
        const { accounts, key } = Option.getOrThrow(yield* Throttle.status)
        expect([key.isClosed, accounts[0]?.reads.isClosed, accounts[0]?.trades.isClosed]).toEqual([true, true, false])
        expect(yield* lasting(trade)).toBe(0)
        yield* Fiber.interruptAll([...reads, asking])
      }),
      live
    )
  )

  it.live("waits for its own allowance, in order, and is sent by the account that it is for", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        const times = yield* Effect.forEach(Array.from({ length: 5 }), () => lasting(trade), {
          concurrency: "unbounded"
        })
        expect(times).toEqual([0, 0, minute, minute, 2 * minute])
        expect(yield* lasting(withAccount("SBX02")(trade))).toBe(0)
        expect((yield* received).filter(({ status }) => status === 403)).toEqual([])
      }),
      {
        throttle: Throttle.layer({ key: 60, account: 30, trading: 2 }),
        sandbox: { switches: { perAccountTrading: 2, windowShape: "sliding" } }
      }
    )
  )
})
