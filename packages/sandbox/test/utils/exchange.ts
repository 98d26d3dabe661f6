/** One request at a time, and what has come of its answer so far: by Node's own client, or by the client in memory. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { request as send } from "node:http"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import { eventually, inMemory } from "./raw.ts"

export interface Sent {
  readonly method?: HttpMethod.HttpMethod
  readonly path?: string
  /** Names go out as they are spelt. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Seen {
  /** `undefined` until the headers have come. */
  readonly status: number | undefined
  /** Names as they came. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Buffer
  readonly end: "none yet" | "whole" | "cut"
}

export interface Exchange {
  readonly seen: () => Seen
  readonly end: Effect.Effect<Seen>
  readonly hangUp: Effect.Effect<void>
}

const nothing: Seen = { status: undefined, headers: [], body: Buffer.alloc(0), end: "none yet" }

const ended = (seen: () => Seen): Effect.Effect<Seen> =>
  Effect.map(eventually(Effect.sync(() => seen().end !== "none yet")), seen)

const inPairs = (flat: ReadonlyArray<string>): Seen["headers"] =>
  flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? ""] as const] : []))

export const byNode = ({ body = "", headers = {}, method = "GET", path = "/session" }: Sent) =>
  Effect.map(Sandbox.Sandbox, ({ baseUrl }): Exchange => {
    let state = nothing
    const change = (patch: Partial<Seen>) => {
      state = { ...state, ...patch }
    }
    const cut = () => {
      if (state.end === "none yet") change({ end: "cut" })
    }
    const request = send(`${baseUrl}${path}`, { method, headers, agent: false })
    request.on("error", cut)
    request.on("response", (response) => {
      change({ status: response.statusCode, headers: inPairs(response.rawHeaders) })
      response.on("data", (piece: Buffer) => change({ body: Buffer.concat([state.body, piece]) }))
      response.on("end", () => change({ end: "whole" }))
      response.on("error", cut)
    })
    request.end(body)
    const seen = () => state
    return { seen, end: ended(seen), hangUp: Effect.sync(() => void request.destroy()) }
  })

export const byMemory = ({ body, headers = {}, method = "GET", path = "/session" }: Sent) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const client = yield* HttpClient.HttpClient
    let state = nothing
    const change = (patch: Partial<Seen>) => {
      state = { ...state, ...patch }
    }
    const bare = HttpClientRequest.make(method)(`${baseUrl}${path}`, { headers })
    const request = body === undefined ? bare : HttpClientRequest.bodyText(bare, body)
    const fiber = yield* client.execute(request).pipe(
      Effect.tap(({ headers, status }) => Effect.sync(() => change({ status, headers: Object.entries(headers) }))),
      Effect.flatMap(({ stream }) =>
        Stream.runForEach(stream, (piece) =>
          Effect.sync(() => change({ body: Buffer.concat([state.body, Buffer.from(piece)]) }))
        )
      ),
      Effect.match({ onFailure: () => change({ end: "cut" }), onSuccess: () => change({ end: "whole" }) }),
      Effect.forkDaemon
    )
    const seen = () => state
    return { seen, end: ended(seen), hangUp: Effect.asVoid(Fiber.interrupt(fiber)) } satisfies Exchange
  })

type Options = Sandbox.Sandbox.Options

export interface Form<R> {
  readonly name: string
  readonly layer: (options?: Options) => Layer.Layer<R | Sandbox.Sandbox, Sandbox.SandboxError>
  readonly exchange: (sent: Sent) => Effect.Effect<Exchange, never, R | Sandbox.Sandbox>
}

const memory: Form<HttpClient.HttpClient> = { name: "in memory", layer: inMemory, exchange: byMemory }
const http: Form<never> = { name: "over HTTP", layer: Sandbox.layer, exchange: byNode }

export const inEach = (describe: <R>(form: Form<R>) => void): void => {
  describe(memory)
  describe(http)
}

/** As IG's own clients send it. */
export const loginOf = ({ apiKey, identifier, password }: Sandbox.Sandbox.Service, version = 3): Sent => ({
  method: "POST",
  headers: { "X-IG-API-KEY": apiKey, "Content-Type": "application/json; charset=UTF-8", Version: String(version) },
  body: JSON.stringify({ identifier, password })
})
