/**
 * A session kept for a week of virtual time, with a call every 20 seconds: by itself, over the weekend, after silence,
 * while IG is down, and by a clock that is set. What is expected is counted by hand, from the settings.
 */
import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { beforeAll, describe } from "vitest"
import { shown } from "./utils/output.ts"
import { keptInMemory } from "./utils/ig.ts"

type Stack = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const week = 7 * day

const every = 20 * second

/** How long the gateway takes a refresh token from its issue on: to 10 minutes beyond the end of the bearer. */
const refreshable = 11 * minute

/** How long it keeps a CST that is not used. */
const idle = 6 * hour

beforeAll(() => {
  // Each lost session is a warning.
  shown.isOn = false
})

const long = 180_000

/** Sunday, 06:00. Times are in ms since then. */
const sunday = Date.UTC(2026, 0, 4, 6)

const elapsed = Effect.map(Clock.currentTimeMillis, (now) => now - sunday)

const virtually = <A, E>(life: Effect.Effect<A, E, Stack>) =>
  Effect.flatMap(Simulation.run(Effect.provide(life, keptInMemory()), { start: sunday }), (outcome) =>
    outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now - sunday} ms`)
  )

/** One at each multiple of 20 seconds, from the next one on, and what is left of the time. */
const callsUntil = <A, E, R>(end: number, call: Effect.Effect<A, E, R>): Effect.Effect<void, E, R> =>
  Effect.flatMap(elapsed, (now) => {
    const next = now - (now % every) + every
    if (next > end) return Effect.sleep(end - now)
    return Effect.zipRight(Effect.sleep(next - now), Effect.zipRight(call, callsUntil(end, call)))
  })

interface Family {
  readonly name: "OAuth" | "CST"
  readonly login: Effect.Effect<unknown, IgError, Session.Ig | Credentials>
}

const oauth: Family = { name: "OAuth", login: Session.login }

const cst: Family = { name: "CST", login: Session.loginV2 }

const families = [oauth, cst] as const

/* ---- what the gateway saw ----------------------------------------------------- */

interface Request {
  readonly at: number
  /** `POST /session` */
  readonly what: string
  readonly status: number
}

const recorded = Effect.map(
  Effect.flatMap(Sandbox, ({ record }) => record),
  (requests) =>
    requests.map(({ method, path, receivedAt, status }): Request => ({
      at: receivedAt - sunday,
      what: `${method} ${path}`,
      status
    }))
)

const isLogin = ({ what }: Request) => what === "POST /session"

const isRefresh = ({ what }: Request) => what === "POST /session/refresh-token"

const isKey = ({ what }: Request) => what === "GET /session/encryptionKey"

const isCall = ({ what }: Request) => what === "GET /session"

const isRefused = ({ status }: Request) => status === 401

const times = (events: ReadonlyArray<{ readonly at: number }>) => events.map(({ at }) => at)

/** What it took: when it logged in, how often IG refreshed, what was sent for the calls, and which times were refused. */
const taken = Effect.map(recorded, (requests) => ({
  logins: times(requests.filter(isLogin)),
  refreshes: requests.filter((request) => isRefresh(request) && request.status === 200).length,
  calls: requests.filter(isCall).length,
  refusedRefreshes: times(requests.filter((request) => isRefresh(request) && isRefused(request))),
  refusedCalls: times(requests.filter((request) => isCall(request) && isRefused(request)))
}))

/** Of 20,000 tokens none is searched for in what was printed: in a week without failures that is nothing. */
const forget = Effect.flatMap(Sandbox, ({ reset }) => reset)

/* ---- the week ------------------------------------------------------------------- */

/** IG's maintenance, with which this week ends. */
const purge = Effect.flatMap(Sandbox, (sandbox) => sandbox.purge)

/** What it took by the end of the week, and an hour after the purge. */
const weekOf = ({ login }: Family) =>
  virtually(
    Effect.gen(function* () {
      yield* login
      yield* callsUntil(week, Session.read())
      const byItself = yield* taken
      yield* purge
      yield* callsUntil(week + hour, Session.read())
      const purged = yield* taken
      yield* forget
      return [byItself, purged]
    })
  )

describe("a week of calls, which are 30,240, and an hour after the purge at its end, with 180", () => {
  it.live(
    "OAuth: a refresh a minute and no login; after the purge one login, and no call fails",
    () =>
      Effect.gen(function* () {
        // 20 s before its end a bearer has more left than the margin, and at the next call it is over: a refresh for
        // each 60 s, the first at 60 s and the last with the call that ends the week. 604,800 / 60 = 10,080.
        const byItself = { logins: [0], refreshes: 10_080, calls: 30_240, refusedRefreshes: [], refusedCalls: [] }
        // The next call is refused, and so is the refresh; it is sent again after the login. From there on there are
        // 3,580 s left, which are 59 minutes and a piece.
        const next = week + every
        const purged = {
          logins: [0, next],
          refreshes: 10_080 + 59,
          calls: 30_240 + 180 + 1,
          refusedRefreshes: [next],
          refusedCalls: [next]
        }
        expect(yield* weekOf(oauth)).toEqual([byItself, purged])
      }),
    long
  )

  it.live(
    "CST: a login every 72 hours, however much it is used; after the purge one more, and no call fails",
    () =>
      Effect.gen(function* () {
        // The call at 72 h is refused, and so is the one 72 h after the login that followed; both are sent again.
        const ends = [72 * hour, 144 * hour]
        const none = { refreshes: 0, refusedRefreshes: [] }
        const byItself = { ...none, logins: [0, ...ends], calls: 30_240 + 2, refusedCalls: ends }
        // At 168 h the third session is 24 h old, and would live on.
        const refused = [...ends, week + every]
        const purged = { ...none, logins: [0, ...refused], calls: 30_240 + 180 + 3, refusedCalls: refused }
        expect(yield* weekOf(cst)).toEqual([byItself, purged])
      }),
    long
  )
})

/* ---- silence ---------------------------------------------------------------------- */

const before = 20 * minute

/** Twenty minutes of calls, then none for so long after the last one, then twenty minutes from that one on. */
const silent = ({ login }: Family, gap: number) =>
  virtually(
    Effect.gen(function* () {
      yield* login
      yield* callsUntil(before, Session.read())
      yield* Effect.sleep(gap - every)
      yield* callsUntil(before + gap + 20 * minute, Session.read())
      return yield* taken
    })
  )

/** Those before, the first after it, and those that follow. */
const callsAround = 60 + 1 + 60

/** One at the end of each of the minutes, the last at the end of the 20: there the gap begins. */
const refreshesAround = 20 + 20

describe("silence", () => {
  for (const [name, gap] of [
    ["5 minutes", 5 * minute],
    ["20 seconds less than 11 minutes", refreshable - every]
  ] as const) {
    it.live(`OAuth, ${name}: a refresh brings it back`, () =>
      Effect.gen(function* () {
        expect(yield* silent(oauth, gap)).toEqual({
          logins: [0],
          refreshes: refreshesAround + 1,
          calls: callsAround,
          refusedRefreshes: [],
          refusedCalls: []
        })
      })
    )
  }

  for (const [name, gap] of [
    ["11 minutes", refreshable],
    ["6 hours", 6 * hour],
    ["a weekend", 2 * day]
  ] as const) {
    it.live(`OAuth, ${name}: the refresh token is dead, and one login brings it back`, () =>
      Effect.gen(function* () {
        expect(yield* silent(oauth, gap)).toEqual({
          logins: [0, before + gap],
          refreshes: refreshesAround,
          calls: callsAround,
          refusedRefreshes: [before + gap],
          refusedCalls: []
        })
      })
    )
  }

  it.live("CST, 20 seconds less than 6 hours: nothing has to be done", () =>
    Effect.gen(function* () {
      expect(yield* silent(cst, idle - every)).toEqual({
        logins: [0],
        refreshes: 0,
        calls: callsAround,
        refusedRefreshes: [],
        refusedCalls: []
      })
    })
  )

  for (const [name, gap] of [
    ["6 hours", idle],
    ["a weekend", 2 * day]
  ] as const) {
    it.live(`CST, ${name}: one login brings it back`, () =>
      Effect.gen(function* () {
        expect(yield* silent(cst, gap)).toEqual({
          logins: [0, before + gap],
          refreshes: 0,
          calls: callsAround + 1,
          refusedRefreshes: [],
          refusedCalls: [before + gap]
        })
      })
    )
  }
})

/* ---- IG is down for an hour ---------------------------------------------------------- */

/** It goes down 15 s after the call at `from`, and so it has 180 calls: 20 s after `from` to an hour after it. */
const from = 3 * minute
const down = from + 15 * second
const up = down + hour

const always = 1_000_000

const alone = { method: "POST", path: "/session" } as const

interface Way {
  readonly name: string
  readonly fault: Fault | "refused"
}

const ways = {
  unavailable: { name: "answers 503", fault: { kind: "answer", status: 503, times: always } },
  cut: { name: "cuts each connection", fault: { kind: "cutHeaders", workDone: false, times: always } },
  refused: { name: "refuses each connection", fault: "refused" },
  never: { name: "answers nothing", fault: { kind: "never", workDone: false, times: always } },
  loginAlone: { name: "answers logins by 503", fault: { kind: "answer", status: 503, times: always, ...alone } }
} as const satisfies Record<string, Way>

interface Call {
  readonly at: number
  /** `done`, or how it failed. */
  readonly outcome: string
  readonly retryAt: number | undefined
}

const outcomeOf = (error: IgError): Omit<Call, "at"> => {
  switch (error._tag) {
    case "ApiError":
      return { outcome: `${error.operation} ${error.status}`, retryAt: undefined }
    case "TransportError":
      return { outcome: `${error.operation} ${error.reason}`, retryAt: undefined }
    case "AuthError":
      return { outcome: error.reason, retryAt: error.retryAt === undefined ? undefined : error.retryAt - sunday }
    case "NotSentError":
      return { outcome: error.reason, retryAt: undefined }
    case "DecodeError":
      return { outcome: "undecodable", retryAt: undefined }
  }
}

class Refusal extends Error {
  readonly code = "ECONNREFUSED"
}

/** What the client tries is noted; while nothing listens, nothing of it leaves. */
const makeLine = (client: HttpClient.HttpClient) => {
  const tried: Array<Request> = []
  const line = { isDown: false }
  const through = HttpClient.make((request, url) =>
    Effect.flatMap(elapsed, (at) => {
      if (!line.isDown) return client.execute(request)
      tried.push({ at, what: `${request.method} ${url.pathname.replace("/gateway/deal", "")}`, status: 0 })
      return new HttpClientError.RequestError({ request, reason: "Transport", cause: new Refusal() })
    })
  )
  return { tried, line, through }
}

/** Calls by callers of their own, whatever becomes of those before: from 3 minutes before it to some 40 minutes after it. */
const outage = ({ login }: Family, way: Way, options = { purged: false }) =>
  virtually(
    Effect.gen(function* () {
      const { clearFaults, inject, purge } = yield* Sandbox
      const { line, through, tried } = makeLine(yield* HttpClient.HttpClient)
      const callers: Array<Fiber.Fiber<Call>> = []
      const call = Effect.gen(function* () {
        const at = yield* elapsed
        const caller = Session.read().pipe(
          Effect.provideService(HttpClient.HttpClient, through),
          Effect.match({
            onSuccess: (): Call => ({ at, outcome: "done", retryAt: undefined }),
            onFailure: (error): Call => ({ at, ...outcomeOf(error) })
          })
        )
        callers.push(yield* Effect.fork(caller))
      })

      yield* login
      yield* callsUntil(down, call)
      if (options.purged) yield* purge
      if (way.fault === "refused") line.isDown = true
      else yield* inject(way.fault)
      yield* callsUntil(up, call)
      line.isDown = false
      yield* clearFaults
      yield* callsUntil(from + 100 * minute, call)

      const calls = yield* Fiber.join(Fiber.all(callers))
      const requests = [...(yield* recorded), ...tried]
      const failed = calls.filter(({ outcome }) => outcome !== "done")
      return {
        calls,
        failed,
        during: requests.filter(({ at }) => at > down && at < up),
        after: requests.filter(({ at }) => at > up)
      }
    })
  )

const tally = (calls: ReadonlyArray<Call>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of calls) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** So many calls, from the first one that IG is down for. */
const callsWhileDown = (count: number) => Array.from({ length: count }, (_, index) => from + (index + 1) * every)

/** The first call when IG is back. */
const back = from + hour + every

interface Expected {
  readonly way: Way
  readonly outcomes: Readonly<Record<string, number>>
  /** What is sent in that hour: logins, refreshes, and questions for the key, by which it sees whether IG is there. */
  readonly logins: number
  readonly refreshes: number
  readonly keys: number
}

describe("IG is down for an hour, and there are 180 calls in it", () => {
  /*
   * The bearer of `from` has 40 s and 20 s left at the first two calls, which fail by themselves; at 60 s it is over.
   * Then the refresh token is spent, and one login is sent. Nobody knows what became of it: IG is asked for its key
   * after a minute, and again 5 s later, and the flight is over at 125 s. From 140 s on each call asks for the key three
   * times within 10 s and sends no login; the last of those at 3,600 s, so that the next may ask from 3,615 s on. That is
   * 3,460 / 20 + 1 = 174 calls.
   */
  const broken = { logins: 1, refreshes: 1, keys: 2 + 3 * 174 }
  const oauthTable: ReadonlyArray<Expected> = [
    { ...broken, way: ways.unavailable, outcomes: { "session.read 503": 2, "session-lost": 178 } },
    { ...broken, way: ways.cut, outcomes: { "session.read connection-lost": 2, "session-lost": 178 } },
    /*
     * Nothing of a refresh has left: it is tried five times by each of the 178 calls, none of which goes on to a login.
     */
    {
      way: ways.refused,
      outcomes: { "session.read unreachable": 2, "session.refresh unreachable": 178 },
      logins: 0,
      refreshes: 5 * 178,
      keys: 0
    },
    /*
     * The call at 20 s is repeated when its 30 s are over, at 50 s and a fifth of a second, give or take 40 ms. Then the
     * bearer has less than 10 s left: the refresh is not answered until 80.2 s, the login not until 110.2 s, the key not
     * from 170.2 s to 200.2 s nor from 205.2 s to 235.2 s, and until 240.2 s nothing may be sent. The call at 260 s asks
     * for the key from 260 s, 295 s and 330 s on, and the next that may ask is the one at 380 s; so it goes on, two
     * minutes each, 28 times, and the last ends at 260 + 28 * 120 - 20 = 3,600 s.
     */
    { ...broken, way: ways.never, outcomes: { "session-lost": 180 }, keys: 2 + 3 * 28 }
  ]

  for (const { way, outcomes, logins, refreshes, keys } of oauthTable) {
    it.live(
      `OAuth, it ${way.name}: ${logins === 0 ? "no" : "one"} login is sent in it, and the first call after it succeeds`,
      () =>
        Effect.gen(function* () {
          const { after, during, failed } = yield* outage(oauth, way)
          expect(tally(failed)).toEqual(outcomes)
          expect(times(failed)).toEqual(callsWhileDown(180))
          expect(during.filter(isLogin)).toHaveLength(logins)
          expect(during.filter(isRefresh)).toHaveLength(refreshes)
          expect(during.filter(isKey)).toHaveLength(keys)
          expect(times(after.filter(isLogin))).toEqual([back])
        })
    )
  }

  /*
   * Its tokens outlive that hour, unless IG has purged them meanwhile. Each call is sent five times, within 4 s.
   */
  const cstTable: ReadonlyArray<
    Pick<Expected, "way" | "outcomes"> & { readonly failing: number; readonly sent: number }
  > = [
    { way: ways.unavailable, outcomes: { "session.read 503": 180 }, failing: 180, sent: 5 * 180 },
    { way: ways.cut, outcomes: { "session.read connection-lost": 180 }, failing: 180, sent: 5 * 180 },
    { way: ways.refused, outcomes: { "session.read unreachable": 180 }, failing: 180, sent: 5 * 180 },
    /*
     * After 30 s it is sent once more, and not a third time, since more than 30 s have passed since the first failure.
     * The second time of the call at 3,560 s and before is while IG is down: 178 calls, and the one at 3,580 s, whose
     * second time is at 3,610.2 s. The one at 3,600 s is sent again when IG is back, and succeeds.
     */
    { way: ways.never, outcomes: { "session.read timeout": 179 }, failing: 179, sent: 180 + 179 }
  ]

  for (const { way, outcomes, failing, sent } of cstTable) {
    for (const purged of [false, true]) {
      const after = purged ? "the first call after it logs in" : "the session is there after it"
      it.live(`CST${purged ? ", purged" : ""}, it ${way.name}: no login is sent in it, and ${after}`, () =>
        Effect.gen(function* () {
          const { after, during, failed } = yield* outage(cst, way, { purged })
          expect(tally(failed)).toEqual(outcomes)
          expect(times(failed)).toEqual(callsWhileDown(failing))
          expect(during.filter(isCall)).toHaveLength(sent)
          expect(during.filter((request) => !isCall(request))).toEqual([])
          expect(times(after.filter(isLogin))).toEqual(purged ? [back] : [])
        })
      )
    }
  }

  for (const family of families) {
    it.live(`${family.name}, it answers logins by 503: a session that lives does not notice`, () =>
      Effect.gen(function* () {
        const { after, during, failed } = yield* outage(family, ways.loginAlone)
        expect(failed).toEqual([])
        expect([...during, ...after].filter(isLogin)).toEqual([])
      })
    )

    it.live(
      `${family.name}, purged, it answers logins by 503: six are sent, and the first call that may succeeds`,
      () =>
        Effect.gen(function* () {
          const { after, calls, during, failed } = yield* outage(family, ways.loginAlone, { purged: true })
          // The first call is refused and logs in, at 20 s. That flight sits through two pauses of a minute. Then they
          // are of 5, 15, 30 and 30 minutes, and a call comes at the end of each.
          const pauses = [1, 1, 5, 15, 30, 30].map((minutes) => minutes * minute)
          const logins = pauses.reduce((all, pause) => [...all, (all.at(-1) ?? 0) + pause], [from + every])
          const inSeconds = [20, 80, 140, 440, 1_340, 3_140, 4_940]
          expect(logins).toEqual(inSeconds.map((seconds) => from + seconds * second))
          expect(times(during.filter(isLogin))).toEqual(logins.slice(0, 6))
          expect(times(after.filter(isLogin))).toEqual(logins.slice(6))

          // Whoever fails is told when it is tried again, which is the first login after its call that no flight waits for.
          const tries = logins.slice(3)
          expect(failed).toEqual(
            callsWhileDown(246).map((at) => ({
              at,
              outcome: "session-lost",
              retryAt: tries.find((login) => login > at)
            }))
          )
          // 4,940 / 20 = 247 calls from then on, of which the last succeeds, and so do all after it.
          expect(calls.find(({ at }) => at === logins.at(-1))?.outcome).toBe("done")
        })
    )
  }
})

/* ---- a clock that is set --------------------------------------------------------------- */

/** A clock of the client's own; what sleeps goes by the time that passes. */
const settable = Effect.map(Effect.clock, (base) => {
  let offset = 0
  const now = () => base.unsafeCurrentTimeMillis() + offset
  const clock: Clock.Clock = { ...base, unsafeCurrentTimeMillis: now, currentTimeMillis: Effect.sync(now) }
  const set = (by: number) =>
    Effect.sync(() => {
      offset = by
    })
  return { clock, set }
})

/** A client beside the gateway, by that clock. */
const clientBy = (clock: Clock.Clock) =>
  Effect.gen(function* () {
    const { apiKey, baseUrl, identifier, password } = yield* Sandbox
    const client = yield* Effect.withClock(
      Layer.build(
        IgClient.layer({
          environment: baseUrl,
          apiKey: Redacted.make(apiKey),
          identifier,
          password: Redacted.make(password)
        })
      ),
      clock
    )
    return <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.withClock(Effect.provide(self, client), clock)
  })

/** Six hours, in which the client's clock is set after the calls at 2:00 and at 4:00. */
const setAfter = ({ login }: Family, first: number, second: number) =>
  virtually(
    Effect.scoped(
      Effect.gen(function* () {
        const { clock, set } = yield* settable
        const client = yield* clientBy(clock)
        const call = client(Session.read())
        yield* client(login)
        yield* callsUntil(2 * hour, call)
        yield* set(first)
        yield* callsUntil(4 * hour, call)
        yield* set(second)
        yield* callsUntil(6 * hour, call)
        return yield* taken
      })
    )
  )

describe("a client whose clock is set by an hour", () => {
  /** Without that: one at the end of each minute, 21,600 / 60. */
  const refreshes = 360
  const calls = 1_080

  it.live("OAuth, forth and back: not one refresh more, and no call fails", () =>
    Effect.gen(function* () {
      // 120 until 2:00:00. That bearer seems to be over at 2:00:20, and from there on there is one a minute: of 7,200 s
      // to 14,400 s that is 1 + 119, the last at 14,360 s. That bearer seems to have an hour when the clock is set back,
      // and is refused when it is over, at 14,420 s; from there on to 21,600 s that is 1 + 119.
      expect(120 + (1 + 119) + (1 + 119)).toBe(refreshes)
      expect(yield* setAfter(oauth, hour, 0)).toEqual({
        logins: [0],
        refreshes,
        calls: calls + 1,
        refusedRefreshes: [],
        refusedCalls: [4 * hour + every]
      })
    })
  )

  it.live("OAuth, back and forth: not one refresh more, and no call fails", () =>
    Effect.gen(function* () {
      // The bearer of 2:00:00 is refused at its end, 2:01:00, when it had to be refreshed anyway: 240 until 4:00:00. That
      // one seems to be over at 4:00:20, and from there on to 21,600 s that is 1 + 119.
      expect(240 + (1 + 119)).toBe(refreshes)
      expect(yield* setAfter(oauth, -hour, 0)).toEqual({
        logins: [0],
        refreshes,
        calls: calls + 1,
        refusedRefreshes: [],
        refusedCalls: [2 * hour + minute]
      })
    })
  )

  for (const [name, first] of [
    ["forth and back", hour],
    ["back and forth", -hour]
  ] as const) {
    it.live(`CST, ${name}: nothing comes of it`, () =>
      Effect.gen(function* () {
        expect(yield* setAfter(cst, first, 0)).toEqual({
          logins: [0],
          refreshes: 0,
          calls,
          refusedRefreshes: [],
          refusedCalls: []
        })
      })
    )
  }
})
