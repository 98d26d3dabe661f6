/** An `HttpClient` that talks to the gateway in memory: no sockets, no promises, under whatever `Clock` is in scope. */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import type { Delivery } from "./faults.ts"
import type { Gateway, Outcome } from "./gateway.ts"
import { empty, type GatewayRequest, type GatewayResponse } from "./http.ts"

/** A response of our own: `HttpClientResponse.fromWeb` reads bodies by promise, which no virtual clock can wait for. */
class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly cookies: Cookies.Cookies = Cookies.empty
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly #pieces: Stream.Stream<Uint8Array, "cut">

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    response: GatewayResponse,
    pieces: Stream.Stream<Uint8Array, "cut">
  ) {
    super()
    this.request = request
    this.status = response.status
    this.headers = joined(response.headers)
    this.#pieces = pieces
  }

  #fail(description: string) {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode", description })
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.mapError(this.#pieces, () => this.#fail("the connection was reset in the body"))
  }

  get #bytes(): Effect.Effect<Uint8Array, HttpClientError.ResponseError> {
    return Effect.map(Stream.runCollect(this.stream), (chunks) => new Uint8Array(Buffer.concat([...chunks])))
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

const passed = (gate: Extract<Delivery, { kind: "held" }>["gate"]): Effect.Effect<void> =>
  Effect.zipRight(Deferred.succeed(gate.reached, undefined), Deferred.await(gate.released))

const pieces = ({ delivered, delivery, response }: Outcome): Stream.Stream<Uint8Array, "cut"> => {
  const { body } = response
  const done = Stream.drain(Stream.sync(delivered))
  const half = Math.ceil(body.length / 2)
  const rest = Stream.concat(Stream.succeed(body.subarray(half)), done)
  if (delivery.kind === "cutBody")
    return Stream.concat(Stream.succeed(body.subarray(0, half)), Stream.fail("cut" as const))
  if (delivery.kind !== "held") return Stream.concat(Stream.succeed(body), done)
  const gate = Stream.drain(Stream.fromEffect(passed(delivery.gate)))
  switch (delivery.gate.point) {
    case "headers":
      return Stream.concat(gate, Stream.concat(Stream.succeed(body), done))
    case "body":
      return Stream.concat(Stream.succeed(body.subarray(0, half)), Stream.concat(gate, rest))
    case "before":
    case "after":
      return Stream.concat(Stream.succeed(body), done)
  }
}

const bodyOf = (request: HttpClientRequest.HttpClientRequest): Uint8Array =>
  request.body._tag === "Uint8Array" ? request.body.body : empty

const toGateway = (request: HttpClientRequest.HttpClientRequest, url: URL): GatewayRequest => ({
  method: request.method,
  path: url.pathname.replace(/^\/gateway\/deal/, "") || "/",
  query: Object.fromEntries(url.searchParams),
  headers: { ...request.headers },
  body: bodyOf(request)
})

export const makeClient = (gateway: Gateway): Effect.Effect<HttpClient.HttpClient> =>
  Effect.map(Effect.runtime<never>(), (runtime) =>
    HttpClient.make((request, url) =>
      Effect.gen(function* () {
        const outcome = Deferred.unsafeMake<Outcome>(FiberId.none)
        // In a fiber of the gateway's own: a request that was received is worked to its end, whoever hangs up.
        Runtime.runFork(runtime)(Effect.intoDeferred(gateway.handle(toGateway(request, url)), outcome))
        const received = yield* Deferred.await(outcome)
        switch (received.delivery.kind) {
          case "never":
            return yield* Effect.never
          case "cutHeaders":
            return yield* new HttpClientError.RequestError({ request, reason: "Transport", description: "reset" })
          case "held":
            if (received.delivery.gate.point === "after") yield* passed(received.delivery.gate)
        }
        return new MemoryResponse(request, received.response, pieces(received))
      })
    )
  )
