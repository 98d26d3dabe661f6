import * as IgClient from "@effect-ig/core/IgClient"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import { SessionEvent } from "@effect-ig/core/SessionEvent"
import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import { describe } from "vitest"
import { keptInMemory } from "./utils/ig.ts"
import { requests } from "./utils/state.ts"

describe("Session.status", () => {
  it.effect("says as what the session is signed in, until when, and whether it is being renewed or lost", () =>
    Effect.gen(function* () {
      const { expire, hold, inject } = yield* Sandbox
      expect(yield* Session.status).toEqual(Session.Status.SignedOut())
      yield* Session.login
      const alive = {
        accountId: "SBX01",
        clientId: "100000001",
        loggedInBy: "login",
        expiresAt: Option.some(60_000),
        isRenewing: false,
        isLost: false
      } as const
      expect(yield* Session.status).toEqual(Session.Status.SignedIn(alive))
      yield* Session.read()
      yield* expire("access")
      const { reached, release } = yield* hold("after", { path: "/session/refresh-token" })
      const reading = yield* Effect.fork(Session.read())
      yield* reached
      expect(yield* Session.status).toMatchObject({ isRenewing: true, isLost: false })
      yield* release
      yield* Fiber.join(reading)
      expect(yield* Session.status).toEqual(Session.Status.SignedIn(alive))

      yield* expire("all")
      yield* inject({ kind: "nonJson403", method: "POST", path: "/session" })
      yield* Effect.flip(Session.read())
      expect(yield* Session.status).toMatchObject({ _tag: "SignedIn", isRenewing: false, isLost: true })
      yield* Session.loginV2
      expect(yield* Session.status).toMatchObject({ loggedInBy: "loginV2", expiresAt: Option.none(), isLost: false })
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("Session.events", () => {
  it.effect("tell what happened and why, in order, and end with the layer", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(SessionState.layer), scope)
      yield* Effect.gen(function* () {
        const following = yield* Effect.fork(Stream.runCollect(Session.events))
        yield* Effect.yieldNow()
        yield* Session.login
        yield* Session.switchAccount("SBX02")
        yield* TestClock.adjust("51 seconds")
        yield* Session.read()
        yield* expire("access")
        yield* Session.read()
        yield* Session.refresh
        yield* expire("access", "refresh")
        yield* Session.read()
        yield* expire("all")
        const refusal = { kind: "answer", status: 401, errorCode: "error.security.invalid-details" } as const
        yield* inject({ ...refusal, method: "POST", path: "/session" })
        yield* Effect.either(Session.read())
        yield* Session.logout.pipe(Effect.either)
        yield* Scope.close(scope, Exit.void)
        const told = [...(yield* Fiber.join(following))].map(({ _tag, at, ...more }) => {
          const { by, errorCode, why } = { by: "", errorCode: "", why: "", ...more }
          return [at / 1000, _tag, by, why, errorCode].filter((part) => part !== "" && part !== undefined).join(" ")
        })
        expect(told).toEqual([
          "0 LoggedIn",
          "0 Switched",
          "51 Renewed refresh expiring",
          "51 Refused error.security.oauth-token-invalid",
          "51 Renewed refresh refused",
          "51 Renewed refresh asked",
          "51 Refused error.security.oauth-token-invalid",
          "51 Renewed login refused",
          "51 Refused error.security.oauth-token-invalid",
          "51 Lost",
          "51 LoggedOut"
        ])
      }).pipe(Effect.provide(context))
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("tell of a refresh that was asked for where renewal is off, too", () =>
    Effect.gen(function* () {
      const following = yield* Effect.fork(Stream.runCollect(Stream.take(Session.events, 2)))
      yield* Effect.yieldNow()
      yield* Session.login
      yield* Session.refresh
      expect([...(yield* Fiber.join(following))]).toEqual([
        SessionEvent.LoggedIn({ at: 0, accountId: "SBX01", loggedInBy: "login" }),
        SessionEvent.Renewed({ at: 0, accountId: "SBX01", by: "refresh", why: "asked" })
      ])
    }).pipe(Effect.provide(Renewal.off), Effect.provide(keptInMemory()))
  )

  it.effect("tell of a session that is lost, with the causes", () =>
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      const lost = yield* Session.events.pipe(
        Stream.filter((event) => event._tag === "Lost"),
        Stream.runHead,
        Effect.fork
      )
      yield* Effect.yieldNow()
      yield* Session.login
      yield* Session.read()
      yield* expire("all")
      yield* inject({
        kind: "answer",
        status: 401,
        errorCode: "error.security.invalid-details",
        method: "POST",
        path: "/session"
      })
      const error = yield* Effect.flip(Session.read())
      const event = Option.getOrThrow(yield* Fiber.join(lost))
      expect(event.error).toEqual(error)
      expect(
        event.error.causes?.map((cause) => `${cause.operation} ${"errorCode" in cause && cause.errorCode}`)
      ).toEqual(["session.refresh error.security.oauth-token-invalid", "session.login error.security.invalid-details"])
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("IgClient.layerSignedIn", () => {
  it.effect("logs in when it is built, and out when it closes", () =>
    Effect.gen(function* () {
      yield* Session.read().pipe(Effect.provide(IgClient.layerSignedIn(Session.loginV2)))
      expect(yield* requests()).toEqual(["POST /session 2 200", "GET /session 1 200", "DELETE /session 1 204"])
      expect(yield* (yield* Sandbox).liveSessions).toBe(0)
    }).pipe(Effect.provide(keptInMemory()))
  )
})

describe("spans and metrics", () => {
  it.effect("there is a span for each operation, for each request of it, and for a renewal by itself", () =>
    Effect.gen(function* () {
      const spans: Array<readonly [name: string, parent: string, about: unknown]> = []
      const tracer = yield* Effect.tracer
      const watching = Tracer.make({
        ...tracer,
        span: (name, parent, ...more) => {
          const span = tracer.span(name, parent, ...more)
          const from = Option.match(parent, {
            onNone: () => "nothing",
            onSome: (one) => (one._tag === "Span" ? one.name : "outside")
          })
          const end = span.end.bind(span)
          return Object.assign(span, {
            end: (...args: Parameters<typeof end>) => {
              const { attributes } = span
              spans.push([name, from, attributes.get("http.response.status_code") ?? attributes.get("ig.reason")])
              end(...args)
            }
          })
        }
      })
      yield* Effect.gen(function* () {
        yield* Session.login
        yield* Session.read()
        yield* (yield* Sandbox).expire("access", "refresh")
        spans.length = 0
        yield* Session.read()
      }).pipe(Effect.provide(keptInMemory()), Effect.withTracer(watching))
      expect(spans).toEqual([
        ["Ig.send", "Ig.session.read", 401],
        ["Ig.send", "nothing", 401],
        ["Ig.send", "nothing", 200],
        ["Ig.session.renewal", "nothing", "refused"],
        ["Ig.send", "Ig.session.read", 200],
        ["Ig.session.read", "nothing", undefined]
      ])
    })
  )

  it.effect("there is none where nobody has a tracer, and the caller's own is left as it is", () =>
    Effect.gen(function* () {
      yield* Session.login
      const attributes = yield* Effect.useSpan("mine", (span) =>
        Effect.as(Effect.withParentSpan(Session.read(), span), span.attributes)
      )
      expect(attributes.size).toBe(0)
      const parents: Array<string> = []
      const noting = HttpClient.tapRequest(() =>
        Effect.map(Effect.option(Effect.currentSpan), (span) => {
          parents.push(Option.match(span, { onNone: () => "none", onSome: ({ name }) => name }))
        })
      )
      yield* Session.read().pipe(Effect.updateService(HttpClient.HttpClient, noting), Effect.withSpan("mine"))
      expect(parents).toEqual(["mine"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("are counted: logins, refreshes, refusals by code, calls sent again, and the time that was waited", () =>
    Effect.gen(function* () {
      const counts = Effect.map(Metric.snapshot, (pairs) => {
        const counted = new Map<string, number>()
        for (const { metricKey, metricState } of pairs) {
          const labels = metricKey.tags.map(({ key, value }) => `${key}=${value}`).toSorted()
          const name = [metricKey.name, ...labels].join(" ")
          const count = "count" in metricState ? Number(metricState.count) : 0
          counted.set(name, (counted.get(name) ?? 0) + count)
        }
        return counted
      })
      const { expire, inject } = yield* Sandbox
      const before = yield* counts
      yield* Session.login
      yield* Session.read()
      yield* expire("access")
      yield* Session.read()
      yield* expire("access", "refresh")
      yield* Effect.all([Session.read(), Session.read()], { concurrency: "unbounded" })
      yield* inject({ kind: "answer", status: 503, path: "/session", method: "GET" })
      const reading = yield* Effect.fork(Session.read())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(reading)
      yield* Session.loginV2
      yield* Session.read()
      yield* expire("cst")
      yield* inject({
        kind: "answer",
        status: 401,
        errorCode: "error.security.invalid-details",
        path: "/session",
        method: "POST"
      })
      yield* Effect.flip(Session.read())
      const after = yield* counts
      const wanted = [
        "ig_logins_total",
        "ig_refreshes_total",
        "ig_token_refusals_total",
        "ig_resends_total",
        "ig_renewal_wait_ms"
      ]
      const grown = [...after].flatMap(([name, count]) => {
        const more = count - (before.get(name) ?? 0)
        return more > 0 && wanted.some((one) => name.startsWith(one)) ? [[name, more] as const] : []
      })
      expect(Object.fromEntries(grown)).toEqual({
        "ig_logins_total operation=session.login outcome=success": 2,
        "ig_logins_total operation=session.loginV2 outcome=failure": 1,
        "ig_logins_total operation=session.loginV2 outcome=success": 1,
        "ig_refreshes_total outcome=failure": 1,
        "ig_refreshes_total outcome=success": 1,
        "ig_token_refusals_total code=error.security.client-token-invalid": 1,
        "ig_token_refusals_total code=error.security.oauth-token-invalid": 3,
        "ig_resends_total reason=renewed": 3,
        "ig_resends_total reason=retried": 1,
        ig_renewal_wait_ms: 4
      })
    }).pipe(Effect.provide(keptInMemory()))
  )
})
