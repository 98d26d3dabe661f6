/** What leaves, and what a client of the user's sees of it and may do with it: in memory, as over sockets. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Tracer from "effect/Tracer"
import { describe } from "vitest"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { changed } from "./utils/life.ts"
import { count, requests } from "./utils/state.ts"
import { read, refusedFor, virtually } from "./utils/throttled.ts"

describe("a client of the user's that fails where the status is no 2xx", () => {
  it.effect("leaves it IG's answer", () =>
    Effect.gen(function* () {
      yield* (yield* Sandbox).inject({ kind: "answer", status: 403, errorCode: "error.a.b", path: "/session" })
      expect(yield* Effect.flip(Session.login)).toMatchObject({ _tag: "ApiError", status: 403, errorCode: "error.a.b" })
    }).pipe(Effect.provide(changed(HttpClient.filterStatusOk).pipe(Layer.provideMerge(inMemory()))))
  )

  it.effect("is not taken at its word where it fails for what is in the answer", () => {
    const failing = changed((client) =>
      HttpClient.transform(client, (answer, request) =>
        Effect.flatMap(answer, (response) =>
          Effect.fail(new HttpClientError.ResponseError({ request, response, reason: "Decode" }))
        )
      )
    )
    return Effect.gen(function* () {
      expect(yield* Effect.flip(Session.login)).toMatchObject({ _tag: "TransportError", reason: "body-cut" })
    }).pipe(Effect.provide(failing.pipe(Layer.provideMerge(inMemory()))))
  })
})

describe("a client of the user's that tries again", () => {
  const again = changed(HttpClient.retry({ times: 2 }))

  it.effect("does not get to send a second time what changes something", () =>
    Effect.gen(function* () {
      yield* (yield* Sandbox).inject({ kind: "cutHeaders", path: "/session", times: 3 })
      expect(yield* Effect.flip(Session.login)).toMatchObject({
        _tag: "TransportError",
        operation: "session.login",
        reason: "repeated",
        mayHaveExecuted: true
      })
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(again.pipe(Layer.provideMerge(inMemory()))))
  )

  it.effect("may do so with a read", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).inject({ kind: "cutHeaders", method: "GET", times: 2 })
      yield* Session.read()
      expect(yield* requests(1)).toHaveLength(3)
    }).pipe(Effect.provide(again.pipe(Layer.provideMerge(inMemory()))))
  )

  it.live("is told what the caller is told, when there is no place for that", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* Effect.replicateEffect(read, 2)
        yield* (yield* Sandbox).inject({ kind: "answer", status: 503, path: "/positions" })
        const repeating = Layer.effect(
          HttpClient.HttpClient,
          Effect.map(HttpClient.HttpClient, HttpClient.retryTransient({ times: 1 }))
        )
        const limited = Throttle.waitAtMost("1 second")(read)
        expect(yield* Effect.flip(Effect.provide(limited, repeating))).toMatchObject({
          _tag: "NotSentError",
          operation: "positions.list",
          reason: "would-wait"
        })
      }),
      { throttle: Throttle.layer({ key: 4, account: 30, trading: 100 }) }
    )
  )
})

describe("while a request is on its way", () => {
  interface Seen {
    readonly request: HttpClientRequest.HttpClientRequest
    readonly init: RequestInit | undefined
    readonly names: ReadonlyArray<string | RegExp>
    readonly isPropagating: boolean
  }

  const watching = (seen: Array<Seen>) =>
    changed((client) =>
      HttpClient.transform(client, (answer, request) =>
        Effect.gen(function* () {
          const context = yield* Effect.context<never>()
          seen.push({
            request,
            init: Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
            names: yield* FiberRef.get(Headers.currentRedactedNames),
            isPropagating: yield* FiberRef.get(HttpClient.currentTracerPropagation)
          })
          return yield* answer
        })
      )
    )

  it.effect("no redirect is followed, no tracing header sent, and every secret header masked", () => {
    const seen: Array<Seen> = []
    return Effect.gen(function* () {
      const before = yield* FiberRef.get(Headers.currentRedactedNames)
      yield* Session.login
      yield* Effect.provideService(Session.read(), FetchHttpClient.RequestInit, { cache: "no-store" })
      expect(seen.map(({ init }) => init)).toEqual([{ redirect: "manual" }, { cache: "no-store", redirect: "manual" }])
      for (const { isPropagating, names } of seen) {
        expect(names).toEqual([...before, "x-ig-api-key", "cst", "x-security-token", "authorization"])
        expect(isPropagating).toBe(false)
      }
      // As it was, for whatever the program does besides.
      expect(yield* FiberRef.get(Headers.currentRedactedNames)).toEqual(before)
      expect(yield* FiberRef.get(HttpClient.currentTracerPropagation)).toBe(true)
    }).pipe(Effect.provide(watching(seen).pipe(Layer.provideMerge(inMemory()))))
  })

  it.effect("its body is bytes of no type that anybody prints", () => {
    const seen: Array<Seen> = []
    return Effect.gen(function* () {
      yield* Session.login
      expect(seen.map(({ request }) => request.body)).toMatchObject([
        { _tag: "Uint8Array", contentType: "application/octet-stream" }
      ])
      expect(seen[0]?.request.headers["content-type"]).toBe("application/json; charset=UTF-8")
    }).pipe(Effect.provide(watching(seen).pipe(Layer.provideMerge(inMemory()))))
  })
})

describe("the spans of a call", () => {
  interface Made {
    readonly name: string
    readonly kind: Tracer.SpanKind
    readonly isTraced: boolean | (() => string | undefined) | undefined
    readonly attributes: ReadonlyMap<string, unknown>
  }

  const watched = (made: Array<Made>) =>
    Layer.unwrapEffect(
      Effect.map(Effect.tracer, (tracer) =>
        Layer.setTracer(
          Tracer.make({
            span: (name, parent, context, links, startTime, kind, options) => {
              const span = tracer.span(name, parent, context, links, startTime, kind, options)
              made.push({ name, kind, isTraced: options?.captureStackTrace, attributes: span.attributes })
              return span
            },
            context: (f, fiber) => tracer.context(f, fiber)
          })
        )
      )
    )

  it.effect("are one of the operation and one of the request, and none looks for where it was made", () => {
    const made: Array<Made> = []
    return Effect.gen(function* () {
      yield* Session.login
      made.length = 0
      yield* Session.read()
      expect(made.map(({ isTraced, kind, name }) => [name, kind, isTraced])).toEqual([
        ["Ig.session.read", "internal", false],
        ["Ig.send", "client", false]
      ])
    }).pipe(Effect.provide(watched(made)), Effect.provide(inMemory()))
  })

  it.live("say how long a request has waited, and nothing where it has not", () => {
    const made: Array<Made> = []
    return virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("api-key", "/positions")
        yield* read
        const sent = made.filter(({ name }) => name === "Ig.send")
        expect(sent.map(({ attributes }) => attributes.get("ig.waited_ms"))).toEqual([undefined, 60_000])
        expect(sent.map(({ attributes }) => attributes.has("ig.waited_ms"))).toEqual([false, true])
      }).pipe(Effect.provide(watched(made))),
      { throttle: Throttle.layer("live") }
    )
  })
})

it.effect("price history with the API key alone spends no account's points", () => {
  const prices = Endpoint.make({
    name: "prices.get",
    method: "GET",
    path: "/session/encryptionKey",
    version: 1,
    session: false,
    allowance: "history",
    answer: Schema.Unknown
  })
  return Effect.gen(function* () {
    yield* Endpoint.call(prices)
    const status = Option.getOrThrow(yield* Throttle.status)
    expect(status.accounts).toEqual([])
    expect(status.key.left).toBe(7)
  }).pipe(Effect.provide(Throttle.layer("demo")), Effect.provide(keptInMemory()))
})
