/** One renewal, whoever needs it: many callers at once, late refusals, other exchanges in between, other accounts. */
import type { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import type { Switches } from "@effect-ig/sandbox/Switches"
import { type RecordedRequest, Sandbox, type TokenKind } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent } from "@effect/platform-node/Undici"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { describe } from "vitest"
import { keptInMemory, keptOverHttp } from "./utils/ig.ts"
import { held } from "./utils/state.ts"

type Stack = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

type Options = Parameters<typeof keptInMemory>

/**
 * In memory and in virtual time; without the throttle, whose cost with so many callers is another matter, and without
 * spans.
 */
const virtually = <A, E>(effect: Effect.Effect<A, E, Stack>, ...[client, sandbox]: Options) =>
  Effect.flatMap(
    Simulation.run(effect.pipe(Effect.provide(Layer.merge(keptInMemory(client, sandbox), Throttle.off)))),
    (outcome) => (outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`))
  )

/** More than are ever held up, and not one for each call: to open sockets would be most of what these tests cost. */
const sockets = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
  Layer.provide(
    Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(
        Effect.sync(() => new Agent({ connections: 250 })),
        (agent) => Effect.promise(() => agent.destroy())
      )
    )
  )
)

/** Over sockets, in real time that can be moved on. */
const overSockets = <A, E>(effect: (jump: Pass) => Effect.Effect<A, E, Stack>, ...[client, sandbox]: Options) =>
  Effect.suspend(() => {
    const real = Clock.make()
    let ahead = 0
    const now = () => real.unsafeCurrentTimeMillis() + ahead
    const nanos = () => BigInt(now()) * 1_000_000n
    const clock: Clock.Clock = {
      ...real,
      sleep: (duration) => real.sleep(duration),
      unsafeCurrentTimeMillis: now,
      unsafeCurrentTimeNanos: nanos,
      currentTimeMillis: Effect.sync(now),
      currentTimeNanos: Effect.sync(nanos)
    }
    const jump: Pass = (duration) =>
      Effect.sync(() => {
        ahead += Duration.toMillis(duration)
      })
    return effect(jump).pipe(Effect.provide(keptOverHttp(sockets, client, sandbox)), Effect.withClock(clock))
  })

type Pass = (duration: Duration.DurationInput) => Effect.Effect<void>

interface Family {
  readonly name: string
  readonly login: Effect.Effect<unknown, IgError, Session.Ig | Credentials>
  /** What dies at once, without anybody knowing. */
  readonly kinds: ReadonlyArray<TokenKind>
  /** Where it is renewed. */
  readonly path: string
  /** What is held after so many renewals, of a session that was never on another account. */
  readonly held: (renewals: number) => string
}

const oauth: Family = {
  name: "OAuth",
  login: Session.login,
  kinds: ["access"],
  path: "/session/refresh-token",
  held: (renewals) => `SBX01 access-${renewals + 1} refresh-${renewals + 1}`
}

const cst: Family = {
  name: "CST",
  login: Session.loginV2,
  kinds: ["cst", "xst"],
  path: "/session",
  held: (renewals) => `SBX01 cst-${renewals + 1} xst-${renewals + 1}`
}

const families = [oauth, cst] as const

const isOf = (method: string, path: string) => (request: RecordedRequest) =>
  request.method === method && request.path === path

const isRefused = ({ status }: RecordedRequest) => status === 401

const isCall = isOf("GET", "/session")

const record = Effect.flatMap(Sandbox, (sandbox) => sandbox.record)

/** Logged in, and used once. */
const signedIn = ({ login }: Family) => Effect.zipRight(login, Session.read())

/** How often it was renewed since `signedIn`; by logging in where that is the way, and never otherwise. */
const renewals = ({ path }: Family) =>
  Effect.map(record, (requests) => {
    const [first, ...later] = requests.filter(({ method }) => method === "POST")
    expect(first?.path).toBe("/session")
    expect(later.filter((request) => request.path !== path)).toEqual([])
    return later.length
  })

const expire = ({ kinds }: Family) => Effect.flatMap(Sandbox, (sandbox) => sandbox.expire(...kinds))

const hold = (method: string, path: string) => Effect.flatMap(Sandbox, ({ hold }) => hold("after", { method, path }))

const forkAll = <A, E, R>(length: number, effect: (index: number) => Effect.Effect<A, E, R>) =>
  Effect.forEach(Array.from({ length }), (_, index) => Effect.fork(effect(index)))

const atOnce = (length: number) =>
  Effect.forEach(Array.from({ length }), () => Session.read(), { concurrency: "unbounded", discard: true })

/** Everything that can move without time, moves. */
const settle = Effect.sleep("1 second")

/* ---- many callers, three shapes -------------------------------------------- */

interface Scale {
  readonly calls: number
  /** How many of them are refused late. */
  readonly late: number
  /** Over how many ms the refusals arrive, and the other callers with them. */
  readonly over: number
}

/** Less than the margin is left. */
const expiring = ({ calls }: Scale, pass: Pass) =>
  Effect.gen(function* () {
    yield* signedIn(oauth)
    yield* pass("51 seconds")
    yield* atOnce(calls)
    const requests = yield* record
    expect(requests.filter(isRefused)).toEqual([])
    expect(requests.filter(isCall)).toHaveLength(1 + calls)
    expect(yield* renewals(oauth)).toBe(1)
    expect(yield* held).toBe(oauth.held(1))
  })

const pieces = 50

/** Refusals come one after the other, while it is renewed and long after; and so do the other callers. */
const trickling = (family: Family, { calls, late, over }: Scale) =>
  Effect.gen(function* () {
    const { inject } = yield* Sandbox
    yield* signedIn(family)
    yield* expire(family)
    const arrivals = Array.from({ length: pieces }, (_, piece) => ((piece + 1) * over) / pieces)
    for (const millis of arrivals) {
      yield* inject({ kind: "slow", method: "GET", path: "/session", millis, times: late / pieces })
    }
    yield* inject({ kind: "slow", method: "POST", path: family.path, millis: over / 6 })
    yield* Effect.zip(
      atOnce(late),
      Effect.forEach(arrivals, (millis) => Effect.delay(atOnce((calls - late) / pieces), millis), {
        concurrency: "unbounded",
        discard: true
      }),
      { concurrent: true }
    )
    const requests = yield* record
    const refused = requests.filter(isRefused)
    expect(refused.length).toBeGreaterThanOrEqual(late)
    expect(requests.filter(isCall)).toHaveLength(1 + calls + refused.length)
    expect(yield* renewals(family)).toBe(1)
    expect(yield* held).toBe(family.held(1))
  })

/** Requests with the first tokens are still on their way when the session has been renewed twice. */
const belated = (
  family: Family,
  { calls, late }: Scale,
  reached: (late: number) => Effect.Effect<void, never, Stack>
) =>
  Effect.gen(function* () {
    const { inject, release } = yield* Sandbox
    yield* signedIn(family)
    yield* expire(family)
    yield* inject({ kind: "hold", point: "after", method: "GET", path: "/session", times: late })
    const waiting = yield* forkAll(late, () => Session.read())
    yield* reached(late)
    yield* Session.read()
    yield* expire(family)
    yield* Session.read()
    expect(yield* renewals(family)).toBe(2)
    yield* Effect.zip(release, atOnce(calls - late), { concurrent: true })
    yield* Fiber.joinAll(waiting)
    const refused = (yield* record).filter(isRefused)
    const carried = refused.map(({ headers }) => headers["authorization"] ?? headers["cst"])
    expect(carried.filter((token) => token?.endsWith("-1") === true)).toHaveLength(late + 1)
    expect(refused).toHaveLength(late + 2)
    expect(yield* renewals(family)).toBe(2)
    expect(yield* held).toBe(family.held(2))
  })

/** Not looked at in each turn: what there is to see grows with the calls. */
const areRefused = (late: number): Effect.Effect<void, never, Stack> =>
  Effect.flatMap(record, (requests) =>
    requests.filter(isRefused).length === late
      ? Effect.void
      : Effect.suspend(() => Effect.delay(areRefused(late), "20 millis"))
  )

const minute = 60_000

/** Bearers that outlive the refusals, and requests that may take so long. */
const patient = [{ requestTimeout: "5 minutes" }, { switches: { accessTtl: 10 * minute } }] as const

const long = 180_000

describe("10,000 calls over an expiry, in memory", () => {
  const scale: Scale = { calls: 10_000, late: 1_000, over: minute }

  it.live(
    "OAuth, with little time left: one refresh, and nobody is refused",
    () => virtually(expiring(scale, Effect.sleep)),
    long
  )

  for (const family of families) {
    it.live(
      `${family.name}, with refusals that arrive over a minute: one renewal, and all succeed`,
      () => virtually(trickling(family, scale), ...patient),
      long
    )

    it.live(
      `${family.name}, with refusals that arrive two renewals later: they renew nothing, and all succeed`,
      () =>
        virtually(
          belated(family, scale, () => settle),
          ...patient
        ),
      long
    )
  }
})

describe("1,000 calls over an expiry, over HTTP", () => {
  // Not a minute, as in memory: here it is waited for.
  const scale: Scale = { calls: 1_000, late: 200, over: 2_000 }

  it.live(
    "OAuth, with little time left: one refresh, and nobody is refused",
    () => overSockets((jump) => expiring(scale, jump)),
    long
  )

  for (const family of families) {
    it.live(
      `${family.name}, with refusals that arrive one after the other: one renewal, and all succeed`,
      () => overSockets(() => trickling(family, scale), ...patient),
      long
    )

    it.live(
      `${family.name}, with refusals that arrive two renewals later: they renew nothing, and all succeed`,
      () => overSockets(() => belated(family, scale, areRefused), ...patient),
      long
    )
  }
})

/* ---- one flight --------------------------------------------------------------- */

const many = 1_000

describe("a renewal", () => {
  for (const family of families) {
    it.live(`of ${family.name} happens once for each expiry: five for five`, () =>
      virtually(
        Effect.gen(function* () {
          yield* signedIn(family)
          for (const expiry of [1, 2, 3, 4, 5]) {
            yield* expire(family)
            yield* atOnce(400)
            expect(yield* renewals(family)).toBe(expiry)
            expect(yield* held).toBe(family.held(expiry))
          }
        })
      )
    )

    it.live(`of ${family.name} goes on when half of those who wait leave, the first of them included`, () =>
      virtually(
        Effect.gen(function* () {
          yield* signedIn(family)
          yield* expire(family)
          const { reached, release } = yield* hold("POST", family.path)
          const callers = yield* forkAll(many, () => Session.read())
          yield* reached
          yield* settle
          yield* Fiber.interruptAll(callers.filter((_, index) => index % 2 === 0))
          yield* release
          const exits = yield* Effect.forEach(callers, (caller) => Fiber.await(caller))
          expect(exits.map(Exit.isSuccess)).toEqual(exits.map((_, index) => index % 2 === 1))
          expect(exits.filter(Exit.isInterrupted)).toHaveLength(many / 2)
          expect(yield* renewals(family)).toBe(1)
          expect(yield* held).toBe(family.held(1))
        })
      )
    )

    it.live(`of ${family.name} that fails gives all who wait the same error, and the next call begins another`, () =>
      virtually(
        Effect.gen(function* () {
          const { inject } = yield* Sandbox
          yield* signedIn(family)
          yield* expire(family)
          yield* inject({ kind: "allowance", allowance: "api-key", method: "POST", path: family.path })
          const [first, ...others] = yield* Effect.forEach(
            Array.from({ length: many }),
            () => Effect.flip(Session.read()),
            {
              concurrency: "unbounded"
            }
          )
          expect(first?.message).toContain("exceeded-api-key-allowance")
          for (const other of others) expect(other).toBe(first)
          expect(yield* renewals(family)).toBe(1)
          yield* atOnce(many)
          expect(yield* renewals(family)).toBe(2)
        }).pipe(Effect.provide(Throttle.off))
      )
    )
  }

  it.live("of OAuth that ends nowhere gives all who wait the same error, and so does the next one", () =>
    virtually(
      Effect.gen(function* () {
        const { inject, purge } = yield* Sandbox
        const wrong = { kind: "answer", status: 401, errorCode: "error.security.invalid-details" } as const
        yield* signedIn(oauth)
        yield* purge
        yield* inject({ ...wrong, method: "POST", path: "/session" })
        const errors = () =>
          Effect.forEach(Array.from({ length: many }), () => Effect.flip(Session.read()), { concurrency: "unbounded" })
        const first = yield* errors()
        const second = yield* errors()
        expect(new Set(first).size).toBe(1)
        expect(new Set(second).size).toBe(1)
        expect(first[0]).toMatchObject({ _tag: "AuthError", reason: "session-lost", causes: { length: 2 } })
        expect(second[0]).toMatchObject({ _tag: "AuthError", reason: "session-lost" })
        expect(second[0]).not.toBe(first[0])
        expect((yield* record).filter(({ method }) => method === "POST").map(({ path }) => path)).toEqual([
          "/session",
          "/session/refresh-token",
          "/session"
        ])
      })
    )
  )

  for (const family of families) {
    it.live(`of ${family.name} is not begun by a refusal of tokens that are not in use any more`, () =>
      virtually(
        Effect.gen(function* () {
          yield* signedIn(family)
          yield* expire(family)
          const { inject, release } = yield* Sandbox
          yield* inject({ kind: "hold", point: "after", method: "GET", path: "/session", times: many })
          const late = yield* forkAll(many, () => Session.read())
          yield* settle
          yield* Session.read()
          expect(yield* renewals(family)).toBe(1)
          yield* release
          const answers = yield* Fiber.joinAll(late)
          expect(answers.every(({ accountId }) => accountId === "SBX01")).toBe(true)
          expect((yield* record).filter(isRefused)).toHaveLength(many + 1)
          expect(yield* renewals(family)).toBe(1)
        })
      )
    )
  }

  it.live("that was asked for ten times at once is one refresh", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(oauth)
        const sessions = yield* Effect.all(
          Array.from({ length: 10 }, () => Session.refresh),
          {
            concurrency: "unbounded"
          }
        )
        expect(new Set(sessions).size).toBe(1)
        expect(yield* renewals(oauth)).toBe(1)
        yield* Session.refresh
        expect(yield* renewals(oauth)).toBe(2)
      })
    )
  )

  it.live("that was asked for joins the one under way, and is joined by calls with little time left", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(oauth)
        for (const [done, [first, second]] of [
          [Session.read(), Session.refresh],
          [Session.refresh, Session.read()]
        ].entries()) {
          yield* Effect.sleep("51 seconds")
          const { reached, release } = yield* hold("POST", oauth.path)
          const leading = yield* Effect.fork(first ?? Effect.void)
          yield* reached
          const joining = yield* Effect.fork(second ?? Effect.void)
          yield* settle
          yield* release
          yield* Fiber.joinAll<unknown, IgError>([leading, joining])
          expect(yield* renewals(oauth)).toBe(done + 1)
        }
      })
    )
  )
})

/* ---- between other exchanges --------------------------------------------------- */

interface Between {
  readonly name: string
  readonly family: Family
  readonly operation: Effect.Effect<unknown, IgError, Session.Ig>
  /** Where its answer is held. */
  readonly at: readonly [method: string, path: string]
  readonly switches?: Partial<Switches>
  /** What is held in the end. */
  readonly after: string
}

const fetching = Session.read({ fetchTokens: true })

const switching = Session.switchAccount("SBX02")

const betweens: ReadonlyArray<Between> = [
  {
    name: "streaming tokens that are fetched",
    family: oauth,
    operation: fetching,
    at: ["GET", "/session"],
    after: "SBX01 access-2 refresh-2 + cst-1 xst-1"
  },
  {
    name: "a switch by IG",
    family: oauth,
    operation: switching,
    at: ["PUT", "/session"],
    switches: { putUnderBearer: "works" },
    after: "SBX02 access-2 refresh-2"
  },
  {
    name: "a switch by header, at the PUT",
    family: oauth,
    operation: switching,
    at: ["PUT", "/session"],
    after: "SBX02 access-2 refresh-2"
  },
  {
    name: "a switch by header, at the proof",
    family: oauth,
    operation: switching,
    at: ["GET", "/session"],
    after: "SBX02 access-2 refresh-2"
  }
]

const causes: ReadonlyArray<readonly [name: string, renewal: Effect.Effect<unknown, IgError, Session.Ig>]> = [
  ["a call with little time left", Session.read()],
  ["Session.refresh", Session.refresh]
]

describe("neither is lost", () => {
  for (const { after, at, family, name, operation, switches } of betweens) {
    const options = [{ requestTimeout: "5 minutes" }, { switches }] as const

    for (const [how, renewal] of causes) {
      it.live(`of ${name} and a renewal by ${how} that was under way before`, () =>
        virtually(
          Effect.gen(function* () {
            yield* signedIn(family)
            yield* Effect.sleep("51 seconds")
            const { reached, release } = yield* hold("POST", family.path)
            const renewing = yield* Effect.fork(renewal)
            yield* reached
            const other = yield* Effect.fork(operation)
            yield* settle
            yield* release
            yield* Fiber.joinAll<unknown, IgError>([renewing, other])
            expect(yield* held).toBe(after)
            expect(yield* renewals(family)).toBe(1)
            yield* Session.read()
          }),
          ...options
        )
      )

      it.live(`of ${name} and a renewal by ${how} that came after`, () =>
        virtually(
          Effect.gen(function* () {
            yield* signedIn(family)
            yield* Effect.sleep("40 seconds")
            const { reached, release } = yield* hold(...at)
            const other = yield* Effect.fork(operation)
            yield* reached
            yield* Effect.sleep("11 seconds")
            const renewing = yield* Effect.fork(renewal)
            yield* settle
            expect(yield* renewals(family)).toBe(0)
            yield* release
            yield* Fiber.joinAll<unknown, IgError>([renewing, other])
            expect(yield* held).toBe(after)
            expect(yield* renewals(family)).toBe(1)
            yield* Session.read()
          }),
          ...options
        )
      )
    }
  }

  it.live("of a switch under CST and a login that was under way before", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(cst)
        yield* expire(cst)
        const { reached, release } = yield* hold("POST", "/session")
        const renewing = yield* Effect.fork(Session.read())
        yield* reached
        const other = yield* Effect.fork(switching)
        yield* settle
        yield* release
        yield* Fiber.joinAll<unknown, IgError>([renewing, other])
        expect(yield* held).toBe("SBX02 cst-2 xst-3")
        expect(yield* renewals(cst)).toBe(1)
      })
    )
  )

  it.live("of a switch under CST and calls whose tokens it killed: nothing is renewed", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(cst)
        const { reached, release } = yield* hold("PUT", "/session")
        const other = yield* Effect.fork(switching)
        yield* reached
        const callers = yield* forkAll(10, () => Session.read())
        yield* settle
        yield* release
        yield* Fiber.joinAll<unknown, IgError>([other, ...callers])
        expect(yield* held).toBe("SBX02 cst-1 xst-2")
        expect(yield* renewals(cst)).toBe(0)
      })
    )
  )

  it.live("of new tokens under CST and calls that are refused for the old ones: nothing is renewed", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(cst)
        const { inject } = yield* Sandbox
        const { reached, release } = yield* hold("GET", "/session")
        const other = yield* Effect.fork(fetching)
        yield* reached
        const refusal = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
        yield* inject({ ...refusal, method: "GET", path: "/session", times: 10 })
        const callers = yield* forkAll(10, () => Session.read())
        yield* settle
        expect((yield* record).filter(isRefused)).toHaveLength(10)
        yield* release
        yield* Fiber.joinAll<unknown, IgError>([other, ...callers])
        expect(yield* held).toBe("SBX01 cst-2 xst-2")
        expect(yield* renewals(cst)).toBe(0)
        expect((yield* record).filter(isRefused)).toHaveLength(10)
      }),
      {},
      { switches: { fetchUnderCst: "renewed" } }
    )
  )

  it.live("of new tokens under CST and a login that was under way before", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(cst)
        yield* expire(cst)
        const { reached, release } = yield* hold("POST", "/session")
        const renewing = yield* Effect.fork(Session.read())
        yield* reached
        const other = yield* Effect.fork(fetching)
        yield* settle
        yield* release
        yield* Fiber.joinAll<unknown, IgError>([renewing, other])
        expect(yield* held).toBe("SBX01 cst-3 xst-3")
        expect(yield* renewals(cst)).toBe(1)
      }),
      {},
      { switches: { fetchUnderCst: "renewed" } }
    )
  )
})

/* ---- other accounts -------------------------------------------------------------- */

const whoami = Endpoint.make({
  name: "test.whoami",
  method: "GET",
  path: "/session",
  version: 1,
  query: Schema.Struct({ as: Schema.String }),
  answer: Schema.Struct({ accountId: Schema.String })
})

const accounts = ["SBX01", "SBX02"] as const

/** Says in its query which account is meant. */
const ask = (as: string) => Effect.map(Endpoint.call(whoami, { query: { as } }), ({ accountId }) => accountId)

const accountOf = (tokens: ReadonlyMap<string, string>, { headers }: RecordedRequest): string | undefined =>
  headers["ig-account-id"] ?? tokens.get(headers["x-security-token"] ?? "")

/** Of every such request, which account was meant and which one the gateway acted on. */
const mistaken = Effect.gen(function* () {
  const { issued } = yield* Sandbox
  const tokens = new Map((yield* issued).map(({ accountId, label }) => [label, accountId]))
  const asked = (yield* record).filter(({ query }) => query["as"] !== undefined)
  return {
    asked: asked.length,
    mistaken: asked.filter((request) => accountOf(tokens, request) !== request.query["as"])
  }
})

describe("calls of other accounts", () => {
  it.live("under CST have a renewal of their own: when both die, each is logged in once", () =>
    virtually(
      Effect.gen(function* () {
        yield* signedIn(cst)
        yield* withAccount("SBX02")(Session.read())
        const seen = (yield* record).length
        yield* (yield* Sandbox).expire("all")
        const answers = yield* Effect.forEach(
          Array.from({ length: 200 }, (_, index) => accounts[index % 2] ?? ""),
          (account) => Effect.map(withAccount(account)(ask(account)), (answer) => [account, answer] as const),
          { concurrency: "unbounded" }
        )
        expect(answers.filter(([account, answer]) => account !== answer)).toEqual([])
        const later = (yield* record).slice(seen)
        expect(later.filter(isOf("POST", "/session"))).toHaveLength(2)
        expect(later.filter(isOf("PUT", "/session"))).toHaveLength(1)
        expect(yield* mistaken).toEqual({ asked: 400, mistaken: [] })
        expect(yield* (yield* Sandbox).liveSessions).toBe(2)
        expect(yield* held).toMatch(/^SBX01 /)
      })
    )
  )

  it.live("under CST leave each other alone: one dies, and the other is not renewed", () =>
    virtually(
      Effect.gen(function* () {
        const { inject } = yield* Sandbox
        yield* signedIn(cst)
        yield* withAccount("SBX02")(Session.read())
        const seen = (yield* record).length
        const refusal = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
        yield* inject({ ...refusal, method: "GET", path: "/session" })
        expect(yield* withAccount("SBX02")(ask("SBX02"))).toBe("SBX02")
        expect(yield* ask("SBX01")).toBe("SBX01")
        const later = (yield* record).slice(seen).map(({ method, status }) => `${method} ${status}`)
        expect(later).toEqual(["GET 401", "POST 200", "PUT 200", "GET 200", "GET 200"])
        expect(yield* held).toBe("SBX01 cst-1 xst-1")
        expect(yield* mistaken).toEqual({ asked: 3, mistaken: [] })
      })
    )
  )

  for (const family of families) {
    it.live(`under ${family.name} never see each other's account, through five expiries`, () =>
      virtually(
        Effect.gen(function* () {
          yield* signedIn(family)
          yield* Effect.forEach(
            accounts,
            (account) =>
              Effect.gen(function* () {
                for (let call = 0; call < 100; call++) {
                  expect(yield* ask(account)).toBe(account)
                  yield* Effect.sleep("500 millis")
                }
              }).pipe(withAccount(account)),
            { concurrency: "unbounded" }
          ).pipe(
            Effect.zip(
              Effect.forEach([1, 2, 3, 4, 5], () => Effect.delay(expire(family), "9 seconds"), { discard: true }),
              { concurrent: true }
            )
          )
          expect((yield* mistaken).mistaken).toEqual([])
          expect((yield* mistaken).asked).toBeGreaterThan(200)
          expect((yield* record).filter(isRefused).length).toBeGreaterThanOrEqual(5)
        }),
        ...patient
      )
    )

    it.live(`under ${family.name} include those of forked fibers`, () =>
      virtually(
        Effect.gen(function* () {
          yield* signedIn(family)
          yield* expire(family)
          const answered = yield* Deferred.make<string, IgError>()
          const answers = yield* Effect.gen(function* () {
            const child = yield* Effect.fork(ask("SBX02"))
            yield* Effect.forkDaemon(Effect.intoDeferred(ask("SBX02"), answered))
            const several = yield* Effect.all([ask("SBX02"), ask("SBX02")], { concurrency: "unbounded" })
            const back = yield* withAccount("SBX01")(ask("SBX01"))
            return [...several, yield* Fiber.join(child), yield* Deferred.await(answered), back]
          }).pipe(withAccount("SBX02"))
          expect(answers).toEqual(["SBX02", "SBX02", "SBX02", "SBX02", "SBX01"])
          expect(yield* ask("SBX01")).toBe("SBX01")
          expect((yield* mistaken).mistaken).toEqual([])
        })
      )
    )
  }
})
