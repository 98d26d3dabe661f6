/** An `HttpClient` that talks to the gateway in memory: no sockets, no promises, under whatever `Clock` is in scope. */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import type { Gateway, Outcome } from "./gateway.ts"
import { below, empty, type GatewayResponse, prefix } from "./http.ts"

/** In one piece, or as it arrives. */
type Body = Uint8Array | Stream.Stream<Uint8Array, "cut">

/** A response of our own: `HttpClientResponse.fromWeb` reads bodies by promise, which no virtual clock can wait for. */
class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly cookies: Cookies.Cookies = Cookies.empty
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly #body: Body

  constructor(request: HttpClientRequest.HttpClientRequest, response: GatewayResponse, body: Body) {
    super()
    this.request = request
    this.status = response.status
    this.headers = Headers.setAll(joined([["content-length", String(response.body.length)]]), joined(response.headers))
    this.#body = body
  }

  #fail(description: string) {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", description })
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return this.#body instanceof Uint8Array
      ? Stream.succeed(this.#body)
      : Stream.mapError(this.#body, () => this.#fail("the connection was reset in the body"))
  }

  get #bytes(): Effect.Effect<Uint8Array, HttpClientError.ResponseError> {
    return this.#body instanceof Uint8Array
      ? Effect.succeed(this.#body)
      : Effect.map(Stream.runCollect(this.stream), (chunks) => new Uint8Array(Buffer.concat([...chunks])))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.map(this.#bytes, (bytes) => new Uint8Array(bytes).buffer)
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.#bytes, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.tryMap(this.text, {
      try: (text): unknown => (text === "" ? null : JSON.parse(text)),
      catch: () => this.#fail("not JSON")
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.fail(this.#fail("not form data"))
  }

  toJSON(): unknown {
    return { _id: "@effect-ig/sandbox/MemoryResponse", status: this.status }
  }
}

/** A header that is sent twice arrives joined, as from every real client. */
const joined = (pairs: GatewayResponse["headers"]): Headers.Headers => {
  const found = new Map<string, string>()
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    const before = found.get(key)
    found.set(key, before === undefined ? value : `${before}, ${value}`)
  }
  return Headers.fromInput(found)
}

/** The body as it arrives, by what has become of it on the way. */
const bodyFrom = ({ delivered, delivery, response }: Outcome): Body => {
  if (delivery.kind === "whole") return response.body
  const half = Math.ceil(response.body.length / 2)
  const first = Stream.succeed(response.body.subarray(0, half))
  const rest = Stream.succeed(response.body.subarray(half))
  if (delivery.kind === "cutBody") return Stream.concat(first, Stream.fail("cut" as const))
  if (delivery.kind !== "held") return response.body
  const gate = Stream.drain(Stream.fromEffect(Effect.zipRight(delivery.gate.pass, Effect.sync(delivered))))
  switch (delivery.gate.point) {
    case "headers":
      return Stream.concat(gate, Stream.succeed(response.body))
    case "body":
      return Stream.concat(first, Stream.concat(gate, rest))
    case "before":
    case "after":
      return response.body
  }
}

/** What a client would see of this, as far as the headers. */
const arrive = (
  request: HttpClientRequest.HttpClientRequest,
  outcome: Outcome
): Effect.Effect<MemoryResponse, HttpClientError.RequestError> =>
  Effect.suspend((): Effect.Effect<MemoryResponse, HttpClientError.RequestError> => {
    const { delivered, delivery, response } = outcome
    const headers = Effect.sync(() => new MemoryResponse(request, response, bodyFrom(outcome)))
    switch (delivery.kind) {
      case "never":
        return Effect.never
      case "cutHeaders":
        return new HttpClientError.RequestError({
          request,
          reason: "Transport",
          description: "the connection was reset before the headers"
        })
      case "held":
        if (delivery.gate.point !== "after") return headers
        return Effect.zipRight(Effect.zipRight(delivery.gate.pass, Effect.sync(delivered)), headers)
      case "cutBody":
        return headers
      case "whole":
        delivered()
        return headers
    }
  })

const bodyOf = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<Uint8Array, HttpClientError.RequestError> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(empty)
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Stream":
      return Stream.runCollect(body.stream).pipe(
        Effect.map((chunks) => new Uint8Array(Buffer.concat([...chunks]))),
        Effect.mapError((cause) => new HttpClientError.RequestError({ request, reason: "Encode", cause }))
      )
    case "Raw":
      if (typeof body.body === "string") return Effect.succeed(new TextEncoder().encode(body.body))
      if (body.body instanceof Uint8Array) return Effect.succeed(body.body)
      break
    case "FormData":
      break
  }
  const description = `the sandbox takes no body of this kind in memory: ${body._tag}`
  return new HttpClientError.RequestError({ request, reason: "Encode", description })
}

const notFound = (request: HttpClientRequest.HttpClientRequest): MemoryResponse =>
  new MemoryResponse(request, { status: 404, headers: [], body: empty }, empty)

export const makeClient = (gateway: Gateway): Effect.Effect<HttpClient.HttpClient> =>
  Effect.map(Effect.runtime<never>(), (runtime) =>
    HttpClient.make((request, url) =>
      Effect.suspend(() => {
        const path = below(url.pathname, prefix)
        if (path === undefined) return Effect.succeed(notFound(request))
        return Effect.flatMap(bodyOf(request), (body) => {
          const query = Object.fromEntries(url.searchParams)
          const received = { method: request.method, path, query, headers: { ...request.headers }, body }
          // In a fiber of the gateway's own: a request that was received is worked to its end, whoever hangs up.
          const worked = Runtime.runFork(runtime)(gateway.handle(received))
          return Effect.flatMap(Effect.flatten(Fiber.await(worked)), (outcome) => arrive(request, outcome))
        })
      })
    )
  )
