/** The gateway over real HTTP, and the control endpoint beside it. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Control } from "./control.ts"
import { admitPages, isPreflight, permit } from "./cors.ts"
import type { Gateway, Outcome } from "./gateway.ts"
import { answer, below, type GatewayRequest, type GatewayResponse, prefix } from "./http.ts"

const controlPrefix = "/_sandbox"

const largestBody = 10 * 1024 * 1024

export interface Options {
  readonly port: number
  readonly host: string
  readonly remoteControl: boolean
  readonly cors: boolean
}

/* ---- in ------------------------------------------------------------------- */

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

/** The path and the query; nothing that a client can write here is an error. */
const target = (request: IncomingMessage): { readonly path: string; readonly query: Record<string, string> } => {
  const [path = "/", ...rest] = (request.url ?? "/").replace(/^https?:\/\/[^/?]*/i, "").split("?")
  return { path, query: Object.fromEntries(new URLSearchParams(rest.join("?"))) }
}

/* ---- out ------------------------------------------------------------------ */

const writeHead = (to: ServerResponse, { body, headers, status }: GatewayResponse): void => {
  for (const [name, value] of headers) to.appendHeader(name, value)
  if (status !== 204) to.setHeader("content-length", body.length)
  to.writeHead(status)
  to.flushHeaders()
}

/** `finish` comes when the last byte is with the system; for a client that has gone it does not come. */
const end = (to: ServerResponse, piece: Uint8Array, delivered: () => void): void => {
  to.once("finish", delivered)
  to.end(piece)
}

const write = (to: ServerResponse, response: GatewayResponse, delivered: () => void = () => {}): void => {
  writeHead(to, response)
  end(to, response.body, delivered)
}

const reset = (to: ServerResponse): void => void to.socket?.resetAndDestroy()

const deliver = (to: ServerResponse, { delivered, delivery, response }: Outcome): Effect.Effect<void> =>
  Effect.gen(function* () {
    const half = Math.ceil(response.body.length / 2)
    switch (delivery.kind) {
      case "never":
        return
      case "cutHeaders":
        return reset(to)
      case "cutBody":
        writeHead(to, response)
        to.write(response.body.subarray(0, half), () => reset(to))
        return
      case "whole":
        return write(to, response, delivered)
      case "held": {
        const { pass, point } = delivery.gate
        if (point !== "after") writeHead(to, response)
        if (point === "body") to.write(response.body.subarray(0, half))
        yield* pass
        if (point === "after") writeHead(to, response)
        end(to, point === "body" ? response.body.subarray(half) : response.body, delivered)
      }
    }
  })

/* ---- who may control ------------------------------------------------------- */

const isLoopbackName = (name: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(name)

const isLoopbackAddress = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address)

/** A page of another origin can make a browser send requests here, by its own name for this machine too. */
const mayControl = (request: IncomingMessage, { remoteControl }: Options): boolean => {
  const { host, origin } = request.headers
  if (origin !== undefined && origin !== `http://${host}`) return false
  return remoteControl || (isLoopbackName(host ?? "") && isLoopbackAddress(request.socket.remoteAddress))
}

/* ---- the server ------------------------------------------------------------ */

const serve = (
  gateway: Gateway,
  control: Control,
  options: Options,
  request: IncomingMessage,
  to: ServerResponse
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { path, query } = target(request)
    const toControl = below(path, controlPrefix)
    const toGateway = below(path, prefix)
    if (toControl !== undefined && !mayControl(request, options)) {
      return write(to, answer(403, { error: "the control endpoint is for this machine only" }))
    }
    if (options.cors && toGateway !== undefined) {
      admitPages(to)
      if (isPreflight(request)) return write(to, permit(request))
    }
    const body = yield* readBody(request)
    const data: GatewayRequest = {
      method: request.method ?? "GET",
      path: toControl ?? toGateway ?? path,
      query,
      headers: headersOf(request),
      body
    }
    if (toControl !== undefined) return write(to, yield* control.handle(data))
    if (toGateway === undefined) return write(to, answer(404, { error: `the gateway is below ${prefix}` }))
    yield* deliver(to, yield* gateway.handle(data))
  }).pipe(
    Effect.catchAll((reason) =>
      Effect.sync(() => {
        if (reason === "too large") write(to, answer(413, { error: "a body may have 10 MB" }))
      })
    ),
    // Nothing that goes wrong here may leave a client waiting.
    Effect.onError(() => Effect.sync(() => reset(to)))
  )

const listen = (server: Server, { host, port }: Options): Effect.Effect<AddressInfo, Error> =>
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

/** Whoever dawdles over a request is cut off, so that half-open sockets cost nothing that lasts. */
const patience = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000
}

/** Serves until the scope closes, and answers with the port. */
export const start = (
  gateway: Gateway,
  control: Control,
  options: Options
): Effect.Effect<number, Error, Scope.Scope> =>
  Effect.gen(function* () {
    // Fibers of the gateway's own: a client that hangs up does not stop the work; the end of the gateway does.
    const fork = yield* FiberSet.makeRuntime<never>()
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer(patience, (request, to) => {
          fork(serve(gateway, control, options, request, to))
        })
      ),
      (server) =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return (yield* listen(server, options)).port
  })
