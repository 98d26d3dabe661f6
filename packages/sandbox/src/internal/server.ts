/** The gateway over real HTTP. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Gateway, Outcome } from "./gateway.ts"
import type { GatewayRequest, GatewayResponse } from "./http.ts"

const prefix = "/gateway/deal"

const largestBody = 10 * 1024 * 1024

const readBody = (request: IncomingMessage): Effect.Effect<Uint8Array, "gone" | "too large"> =>
  Effect.async((resume) => {
    const chunks: Array<Buffer> = []
    let size = 0
    request.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size > largestBody) resume(Effect.fail("too large"))
      else chunks.push(chunk)
    })
    request.once("end", () => resume(Effect.succeed(new Uint8Array(Buffer.concat(chunks)))))
    request.once("error", () => resume(Effect.fail("gone")))
    request.once("close", () => resume(Effect.fail("gone")))
  })

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]]
    )
  )

const toGateway = (request: IncomingMessage, url: URL, body: Uint8Array): GatewayRequest => ({
  method: request.method ?? "GET",
  path: url.pathname.slice(prefix.length) || "/",
  query: Object.fromEntries(url.searchParams),
  headers: headersOf(request),
  body
})

const writeHead = (to: ServerResponse, { body, headers, status }: GatewayResponse): void => {
  for (const [name, value] of headers) to.appendHeader(name, value)
  if (status !== 204) to.setHeader("content-length", body.length)
  to.writeHead(status)
  to.flushHeaders()
}

const end = (to: ServerResponse, piece: Uint8Array, delivered: () => void): void => {
  to.end(piece, delivered)
}

const deliver = (to: ServerResponse, { delivered, delivery, response }: Outcome): Effect.Effect<void> =>
  Effect.gen(function* () {
    const half = Math.ceil(response.body.length / 2)
    switch (delivery.kind) {
      case "never":
        return
      case "cutHeaders":
        return void to.socket?.resetAndDestroy()
      case "cutBody":
        writeHead(to, response)
        to.write(response.body.subarray(0, half), () => to.socket?.resetAndDestroy())
        return
      case "whole":
        writeHead(to, response)
        return end(to, response.body, delivered)
      case "held": {
        const { point, reached, released } = delivery.gate
        if (point !== "after") writeHead(to, response)
        if (point === "body") to.write(response.body.subarray(0, half))
        yield* Deferred.succeed(reached, undefined)
        yield* Deferred.await(released)
        if (point === "after") writeHead(to, response)
        return end(to, point === "body" ? response.body.subarray(half) : response.body, delivered)
      }
    }
  })

const serve = (gateway: Gateway, request: IncomingMessage, to: ServerResponse): Effect.Effect<void> =>
  Effect.gen(function* () {
    const url = new URL(request.url ?? "/", "http://sandbox")
    if (url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`)) return void to.writeHead(404).end()
    const body = yield* readBody(request)
    yield* deliver(to, yield* gateway.handle(toGateway(request, url, body)))
  }).pipe(Effect.catchAll((reason) => Effect.sync(() => void (reason === "too large" && to.writeHead(413).end()))))

const listen = (server: Server, port: number, host: string): Effect.Effect<AddressInfo, Error> =>
  Effect.async((resume) => {
    server.once("error", (error) => resume(Effect.fail(error)))
    server.listen(port, host, () => {
      const address = server.address()
      resume(
        typeof address === "object" && address !== null
          ? Effect.succeed(address)
          : Effect.fail(new Error("the sandbox listens on no port"))
      )
    })
  })

/** Serves until the scope closes, and answers with the port. */
export const start = (gateway: Gateway, port: number, host: string): Effect.Effect<number, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const runtime = yield* Effect.runtime<never>()
    const server = yield* Effect.acquireRelease(
      // A fiber of the gateway's own: a client that hangs up does not stop the work.
      Effect.sync(() => createServer((request, to) => void Runtime.runFork(runtime)(serve(gateway, request, to)))),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return (yield* listen(server, port, host)).port
  })
