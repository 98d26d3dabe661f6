/** What is told of a session that was to be taken up: to whoever counts, to whoever asked, and to nobody else. */
import { Credentials } from "@effect-ig/core/Credentials"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { clientLayer } from "./utils/ig.ts"
import { bareRun, expire, run, store, stored, world } from "./utils/runs.ts"
import { held, requests } from "./utils/state.ts"

const nextRun = run(Session.login, Effect.void)

const counts = Effect.map(
  Metric.snapshot,
  (pairs) =>
    new Map(
      pairs.flatMap(({ metricKey: { name, tags }, metricState }) =>
        name === "ig_resumes_total" && MetricState.isCounterState(metricState)
          ? [[tags.map(({ value }) => value).join(), Number(metricState.count)] as const]
          : []
      )
    )
)

/** By outcome; what was counted before is of others. */
const countedIn = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* counts
    yield* Effect.exit(self)
    const more = [...(yield* counts)].map(([outcome, count]) => [outcome, count - (before.get(outcome) ?? 0)] as const)
    return more.filter(([, count]) => count > 0)
  })

describe("a session that is to be resumed is counted once", () => {
  it.effect("as nothing, where nothing is stored", () =>
    Effect.gen(function* () {
      expect(yield* countedIn(nextRun)).toEqual([["nothing", 1]])
    }).pipe(Effect.provide(world()))
  )

  it.effect("as resumed, where IG takes it", () =>
    Effect.gen(function* () {
      yield* nextRun
      expect(yield* countedIn(nextRun)).toEqual([["resumed", 1]])
    }).pipe(Effect.provide(world()))
  )

  it.effect("as ignored, where it cannot be read", () =>
    Effect.gen(function* () {
      yield* store("garbage")
      expect(yield* countedIn(nextRun)).toEqual([["ignored", 1]])
    }).pipe(Effect.provide(world()))
  )

  it.effect("as ignored, where it is of somebody else, or of another login", () =>
    Effect.gen(function* () {
      yield* nextRun
      const { password } = yield* Sandbox
      const somebody = Effect.succeed({ identifier: "somebody", password: Redacted.make(password) })
      const theirs = Effect.provideService(Session.login, Credentials, somebody)
      expect(yield* countedIn(run(theirs, Effect.void))).toEqual([["ignored", 1]])
      expect(yield* countedIn(run(Session.loginV2, Effect.void))).toEqual([["ignored", 1]])
    }).pipe(Effect.provide(world()))
  )

  it.effect("as dead, where IG does not take it any more", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* expire("access", "refresh")
      expect(yield* countedIn(nextRun)).toEqual([["dead", 1]])
    }).pipe(Effect.provide(world()))
  )

  it.effect("as a failure, where IG cannot be asked", () =>
    Effect.gen(function* () {
      yield* nextRun
      const errorCode = "error.public-api.exceeded-api-key-allowance"
      yield* (yield* Sandbox).inject({ kind: "answer", status: 403, errorCode })
      expect(yield* countedIn(nextRun)).toEqual([["failure", 1]])
    }).pipe(Effect.provide(world()))
  )
})

describe("without credentials", () => {
  it.effect("nothing stored is told in words", () =>
    Effect.gen(function* () {
      expect((yield* bareRun(Effect.void)).end).toMatchObject({
        left: { reason: "not-signed-in", detail: "Nothing is stored that could be resumed." }
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("a session by tokens that IG refuses is lost for what IG said", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      yield* expire("cst", "xst")
      const { end, sent } = yield* bareRun(Effect.void)
      expect(sent).toEqual(["GET /session 1 401"])
      expect(end).toMatchObject({
        left: { reason: "session-lost", causes: [{ operation: "session.read" }, { reason: "no-login-kept" }] }
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("a bearer that IG refuses is lost for that and for the refresh that came after it", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* expire("access", "refresh")
      expect((yield* bareRun(Effect.void)).end).toMatchObject({
        left: {
          reason: "session-lost",
          causes: [{ operation: "session.read" }, { operation: "session.refresh" }, { reason: "no-login-kept" }]
        }
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("a bearer that IG refuses, and whose refresh token was spent, is lost for the refusal", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* store(((yield* stored) ?? "").replace(`"isSpent":false`, `"isSpent":true`))
      yield* expire("access")
      const { end, sent } = yield* bareRun(Effect.void)
      expect(sent).toEqual(["GET /session 1 401"])
      expect(end).toMatchObject({
        left: { reason: "session-lost", causes: [{ operation: "session.read" }, { reason: "no-login-kept" }] }
      })
    }).pipe(Effect.provide(world()))
  )
})

it.effect("a session on the account of the configuration is not moved there once more", () =>
  Effect.gen(function* () {
    yield* run(Session.loginV2, Effect.void)
    const { sent } = yield* run(Session.loginV2, Effect.void, { accountId: "SBX01" })
    expect(sent).toEqual(["GET /session 1 200"])
  }).pipe(Effect.provide(world()))
)

describe("in a scope that has closed already", () => {
  const late = Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Scope.close(scope, Exit.void)
    return yield* Scope.extend(Session.resume, scope)
  })

  it.effect("a session is taken up, and nobody keeps it", () =>
    Effect.gen(function* () {
      yield* nextRun
      const before = yield* stored
      const seen = (yield* requests()).length
      yield* Effect.gen(function* () {
        yield* late
        yield* Session.refresh
        expect(yield* held).toBe("SBX01 access-2 refresh-2")
      }).pipe(Effect.provide(clientLayer()))
      expect(yield* requests(seen)).toEqual(["GET /session 1 200", "POST /session/refresh-token 1 200"])
      expect(yield* stored).toBe(before)
    }).pipe(Effect.provide(world()))
  )

  it.effect("what its refresh dies of is told as it is, and nothing beside it", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* TestClock.adjust("2 minutes")
      const broken = HttpClient.mapRequestEffect(yield* HttpClient.HttpClient, (request) =>
        request.url.endsWith("/session/refresh-token") ? Effect.die("a bug of the client's") : Effect.succeed(request)
      )
      const exit = yield* late.pipe(
        Effect.provideService(HttpClient.HttpClient, broken),
        Effect.exit,
        Effect.provide(clientLayer())
      )
      const defects = Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.defects(exit.cause)) : []
      expect(defects).toEqual(["a bug of the client's"])
    }).pipe(Effect.provide(world()))
  )
})
