import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { constFalse, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { describe } from "vitest"
import * as Endpoint from "../src/internal/endpoints.ts"
import { send } from "../src/internal/send.ts"
import { anyBody, changed, clients, ig, type Operation, spell } from "./utils/clients.ts"
import { answer, faultyServer, sized } from "./utils/faultyServer.ts"

const operations: ReadonlyArray<Operation> = [Session.read(), Session.switchAccount("ACC2"), Session.login]

const isTracing = (name: string): boolean => /^(b3|x-b3-.*|traceparent|tracestate|baggage)$/.test(name)

for (const client of clients) {
  describe(`over ${client.name}`, () => {
    it.scoped("a client with filterStatusOk does not hide IG's code", () =>
      Effect.gen(function* () {
        const refusal = `{"errorCode":"error.public-api.exceeded-api-key-allowance"}`
        const server = yield* faultyServer({ answer: ({ whole }) => whole(sized(403, {}, refusal)) })
        const outcomes = yield* Effect.forEach(operations, Effect.either).pipe(
          Effect.provide(ig(changed(client.http, HttpClient.filterStatusOk), server.baseUrl))
        )
        const expected = "`ApiError` 403 error.public-api.exceeded-api-key-allowance"
        expect(outcomes.map(spell)).toEqual([expected, expected, expected])
      })
    )

    it.scoped("a logout that is answered 204 ends the session", () =>
      Effect.gen(function* () {
        const server = yield* faultyServer({ answer: ({ whole }) => whole(answer(204, {})) })
        yield* Effect.gen(function* () {
          yield* Session.logout
          expect((yield* SessionState.get)._tag).toBe("SignedOut")
        }).pipe(Effect.provide(ig(client.http, server.baseUrl)))
        expect(server.received.map(({ method }) => method)).toEqual(["DELETE"])
      })
    )

    it.scoped("no tracing header reaches IG, however much a client traces, and platform makes no span", () =>
      Effect.gen(function* () {
        const spans: Array<string> = []
        const native = yield* Effect.tracer
        const tracer = Tracer.make({
          span: (...span) => {
            spans.push(span[0])
            return native.span(...span)
          },
          context: (run, fiber) => native.context(run, fiber)
        })
        const server = yield* faultyServer({ answer: ({ whole }) => whole(sized(200, {}, anyBody)) })
        const tracing = changed(client.http, (client) =>
          client.pipe(
            HttpClient.withTracerPropagation(true),
            HttpClient.withTracerDisabledWhen(constFalse),
            HttpClient.transformResponse(Effect.withSpan("theirs"))
          )
        )
        const headersOf = (index: number) => Object.keys(server.received[index]?.headers ?? {})
        yield* Effect.gen(function* () {
          for (const operation of operations) yield* Effect.ignore(operation)
          expect(spans.filter((name) => name.startsWith("http"))).toEqual([])
          // What shows that it would be seen: the same client, without us.
          yield* Effect.ignore(HttpClient.get(server.baseUrl))
          expect(spans.filter((name) => name.startsWith("http"))).toEqual(["http.client GET"])
        }).pipe(
          Effect.withSpan("program"),
          Effect.provide(Layer.merge(ig(tracing, server.baseUrl), tracing)),
          Effect.withTracer(tracer)
        )
        expect([0, 1, 2].flatMap(headersOf).filter(isTracing)).toEqual([])
        expect(headersOf(3).filter(isTracing)).toEqual(["b3", "traceparent"])
      })
    )
  })
}

describe("a RequestInit of the user's", () => {
  const theirs: RequestInit = { headers: { "x-theirs": "kept" }, redirect: "follow" }
  const toLayer = FetchHttpClient.layer.pipe(Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, theirs)))

  for (const given of ["to the layer of fetch", "to the program", "to both"]) {
    it.scoped(`given ${given} is kept, but for redirects`, () =>
      Effect.gen(function* () {
        const stranger = yield* faultyServer({ answer: ({ whole }) => whole(sized(200, {}, anyBody)) })
        const location = `http://localhost:${stranger.port}/gateway/deal/session`
        const server = yield* faultyServer({ answer: ({ whole }) => whole(sized(307, { location }, "moved")) })
        const http = given === "to the program" ? FetchHttpClient.layer : toLayer
        const program = Effect.gen(function* () {
          const outcomes = yield* Effect.forEach(operations, Effect.either)
          expect(outcomes.map(spell)).toEqual(["`ApiError` 307", "`ApiError` 307", "`ApiError` 307"])
        })
        yield* program.pipe(
          given === "to the layer of fetch" ? identity : Effect.provideService(FetchHttpClient.RequestInit, theirs),
          Effect.provide(ig(http, server.baseUrl))
        )
        expect(server.received.map(({ headers }) => headers["x-theirs"])).toEqual(["kept", "kept", "kept"])
        expect(stranger.connections()).toBe(0)
      })
    )
  }
})

it.effect("nothing that a send sets is left behind in its caller", () =>
  Effect.gen(function* () {
    // The clients of platform put the context back by themselves, and so do our spans.
    const http = HttpClient.make((request) =>
      Effect.succeed(HttpClientResponse.fromWeb(request, new Response(anyBody)))
    )
    const seen = Effect.all([
      Effect.serviceOption(FetchHttpClient.RequestInit),
      FiberRef.get(HttpClient.currentTracerDisabledWhen),
      FiberRef.get(HttpClient.currentTracerPropagation)
    ])
    yield* Effect.gen(function* () {
      const before = yield* seen
      yield* send(Endpoint.read)
      expect(yield* seen).toEqual(before)
    }).pipe(Effect.provide(ig(Layer.succeed(HttpClient.HttpClient, http), "https://ig.invalid")))
  })
)

describe("what a client says of a connection", () => {
  const cases: ReadonlyArray<readonly [cause: unknown, outcome: string]> = [
    [{ code: "EHOSTUNREACH", syscall: "connect" }, "`unreachable`, nothing sent"],
    [{ code: "EHOSTUNREACH", syscall: "read" }, "`connection-lost`, may have executed"],
    [{ code: "ENETUNREACH", syscall: "write" }, "`connection-lost`, may have executed"],
    [{ code: "ETIMEDOUT", syscall: "connect" }, "`unreachable`, nothing sent"],
    [{ code: "ETIMEDOUT", syscall: "read" }, "`connection-lost`, may have executed"],
    [{ code: "UND_ERR_CONNECT_TIMEOUT" }, "`unreachable`, nothing sent"],
    [{ errors: [{ code: "ECONNREFUSED", syscall: "connect" }] }, "`unreachable`, nothing sent"],
    [{ cause: { cause: { code: "EAI_AGAIN", syscall: "getaddrinfo" } } }, "`dns`, nothing sent"],
    [{ code: "CERT_HAS_EXPIRED" }, "`tls`, nothing sent"],
    [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "`tls`, nothing sent"],
    [{ code: "INVALID_PURPOSE" }, "`tls`, nothing sent"],
    [{ code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" }, "`tls`, may have executed"],
    [{ code: "EPROTO", syscall: "write" }, "`tls`, may have executed"],
    [{ code: "ECONNRESET", syscall: "read" }, "`connection-lost`, may have executed"],
    [undefined, "`connection-lost`, may have executed"]
  ]

  for (const [cause, outcome] of cases) {
    it.effect(`${JSON.stringify(cause)}: ${outcome}`, () =>
      Effect.gen(function* () {
        const http = HttpClient.make((request) =>
          Effect.fail(new HttpClientError.RequestError({ request, reason: "Transport", cause }))
        )
        const layer = ig(Layer.succeed(HttpClient.HttpClient, http), "https://ig.invalid")
        expect(spell(yield* Effect.either(Session.switchAccount("ACC2")).pipe(Effect.provide(layer)))).toBe(outcome)
      })
    )
  }
})
