import * as Session from "@effect-ig/core/Session"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent } from "@effect/platform-node/Undici"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import { setImmediate } from "node:timers/promises"
import { describe } from "vitest"
import { anyBody, changed, clients, type Http, ig, spell } from "./utils/clients.ts"
import { answer, chunk, type FaultyServer, faultyServer, type Reply, sized } from "./utils/faultyServer.ts"
import { selfSigned } from "./utils/selfSigned.ts"

/** What would have ended a process that has no test runner around it. */
const crashes: Effect.Effect<ReadonlyArray<unknown>, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const seen: Array<unknown> = []
    const note = (error: unknown) => void seen.push(error)
    process.on("uncaughtExceptionMonitor", note)
    process.on("unhandledRejection", note)
    return { seen, note }
  }),
  ({ note }) =>
    Effect.sync(() => {
      process.off("uncaughtExceptionMonitor", note)
      process.off("unhandledRejection", note)
    })
).pipe(Effect.map(({ seen }) => seen))

const aFewTurns = Effect.promise(async () => {
  for (let turn = 0; turn < 5; turn++) await setImmediate()
})

interface Point {
  readonly name: string
  readonly protocol?: "https"
  /** What comes of the request before it is interrupted. */
  readonly answer: (reply: Reply) => void
  readonly reached: (server: FaultyServer, headers: Queue.Dequeue<void>) => Effect.Effect<void>
}

const points: ReadonlyArray<Point> = [
  { name: "before it can have left", answer: () => undefined, reached: () => Effect.yieldNow() },
  { name: "in the TLS handshake", protocol: "https", answer: () => undefined, reached: ({ connected }) => connected },
  { name: "before the headers", answer: () => undefined, reached: ({ requested }) => requested },
  {
    name: "in the body",
    answer: ({ part }) => part(answer(200, { "content-length": 100 }, anyBody.slice(0, 20))),
    reached: (_, headers) => Queue.take(headers)
  },
  {
    name: "in a chunked body",
    answer: ({ part }) => part(answer(200, { "transfer-encoding": "chunked" }, chunk(Buffer.from(anyBody)))),
    reached: (_, headers) => Queue.take(headers)
  }
]

for (const client of clients) {
  describe(`over ${client.name}`, () => {
    for (const point of points) {
      it.scoped(`a request interrupted ${point.name} closes its connection and crashes nothing`, () =>
        Effect.gen(function* () {
          const seen = yield* crashes
          let isOver = false
          const server = yield* faultyServer({
            protocol: point.protocol ?? "http",
            answer: (reply) => (isOver ? reply.whole(sized(200, {}, anyBody)) : point.answer(reply))
          })
          const headers = yield* Queue.unbounded<void>()
          const watched = changed(
            client.http,
            HttpClient.tap(() => Queue.offer(headers, undefined))
          )

          yield* Effect.gen(function* () {
            const running = yield* Effect.fork(Session.read())
            yield* point.reached(server, headers)
            expect(Exit.isInterrupted(yield* Fiber.interrupt(running))).toBe(true)
            yield* aFewTurns
            if (point.protocol === "https") return
            yield* server.closed
            isOver = true
            expect(Either.isRight(yield* Effect.either(Session.read()))).toBe(true)
          }).pipe(Effect.provide(ig(watched, server.baseUrl)))

          // undici and fetch go on connecting for their pools, for up to 10 seconds, even when the pool has gone.
          if (point.protocol === "https" && client.name !== "Node http") yield* server.reset
          yield* client.keepsIdle ? server.idle : server.closed
          yield* aFewTurns
          expect(seen).toEqual([])
        })
      )
    }
  })
}

/** Passes bytes on, both ways, until it is told to speak for the server. */
const between = (server: FaultyServer) =>
  Effect.gen(function* () {
    const toClient = new Set<Net.Socket>()
    const toServer = new Set<Net.Socket>()
    const proxy = Net.createServer((client) => {
      const upstream = Net.connect(server.port, "127.0.0.1")
      toClient.add(client)
      toServer.add(upstream)
      for (const socket of [client, upstream]) socket.on("error", () => undefined)
      client.pipe(upstream)
      upstream.pipe(client)
    })
    yield* Effect.acquireRelease(
      Effect.async<void>((resume) => {
        proxy.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.sync(() => {
          for (const socket of [...toClient, ...toServer]) socket.destroy()
          proxy.close()
        })
    )
    const address = proxy.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      baseUrl: `https://127.0.0.1:${port}`,
      say: (bytes: Uint8Array) => {
        for (const socket of toServer) socket.unpipe()
        for (const socket of toClient) socket.end(bytes)
      }
    }
  })

const trusting = { ca: selfSigned.cert }

const trustingUndici = Effect.acquireRelease(
  Effect.sync(() => new Agent({ connect: trusting })),
  (agent) => Effect.promise(() => agent.destroy())
)

const trustingClients: ReadonlyArray<readonly [name: string, reason: string, http: Http]> = [
  [
    "undici",
    "connection-lost",
    NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
      Layer.provide(Layer.scoped(NodeHttpClient.Dispatcher, trustingUndici))
    )
  ],
  ["Node http", "tls", NodeHttpClient.layerWithoutAgent.pipe(Layer.provide(NodeHttpClient.makeAgentLayer(trusting)))],
  [
    "fetch",
    "connection-lost",
    FetchHttpClient.layer.pipe(
      Layer.provide(
        Layer.scoped(
          FetchHttpClient.RequestInit,
          Effect.map(trustingUndici, (dispatcher) => ({ dispatcher, keepalive: false }))
        )
      )
    )
  ]
]

describe("a peer that breaks TLS after it took the request", () => {
  for (const [name, reason, http] of trustingClients) {
    it.scoped(`may have executed it: ${name}`, () =>
      Effect.gen(function* () {
        let answerTo = (reply: Reply) => reply.whole(sized(200, {}, anyBody))
        const server = yield* faultyServer({ tls: true, answer: (reply) => answerTo(reply) })
        const proxy = yield* between(server)
        yield* Effect.gen(function* () {
          expect(spell(yield* Effect.either(Session.read()))).toBe("the answer")
          answerTo = () => proxy.say(sized(200, {}, anyBody))
          const outcome = yield* Effect.either(Session.switchAccount("ACC2"))
          expect(spell(outcome)).toBe(`\`${reason}\`, may have executed`)
        }).pipe(Effect.provide(ig(http, proxy.baseUrl)))
        expect(server.received.map(({ method }) => method)).toEqual(["GET", "PUT"])
      })
    )
  }
})
