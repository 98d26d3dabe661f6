/** A server of raw bytes on loopback: it does to its clients what networks do, and tells what reached it and what is open. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as TestServices from "effect/TestServices"
import * as Net from "node:net"
import * as Tls from "node:tls"
import { selfSigned } from "./selfSigned.ts"

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What can be done with a connection on which a whole request has come. */
export interface Reply {
  /** This is the whole answer; the connection may serve another request. */
  readonly whole: (bytes: Uint8Array) => void
  /** More is to come, and never does. */
  readonly part: (bytes: Uint8Array) => void
  /** As a process that ends: no more bytes, in good order. */
  readonly close: (bytes?: Uint8Array) => void
  /** As a process that crashes. */
  readonly reset: () => void
}

export interface FaultyServer {
  readonly port: number
  /** Where IG's gateway would be. */
  readonly baseUrl: string
  /** Whole requests, in the order in which they came. */
  readonly received: ReadonlyArray<Received>
  /** Every byte that can be read here, in one text. */
  readonly heard: () => string
  /** How many connections were ever made. */
  readonly connections: () => number
  /** Waits for the next connection, or the next whole request. */
  readonly connected: Effect.Effect<void>
  readonly requested: Effect.Effect<void>
  /** Waits until no connection is open. */
  readonly closed: Effect.Effect<void>
  /** Waits until no connection is open but such as have answered in full. */
  readonly idle: Effect.Effect<void>
  /** Resets every connection. */
  readonly reset: Effect.Effect<void>
}

export interface Options {
  readonly tls?: boolean
  /** What its clients are told; with `https` and without `tls` they are told wrong. */
  readonly protocol?: "http" | "https"
  /** Once for each whole request. */
  readonly answer?: (reply: Reply, request: Received) => void
  /** Of a server that does not speak HTTP: once for each piece that comes. */
  readonly bytes?: (socket: Net.Socket) => void
}

/** The first whole request in these bytes, and what is left. */
const takeRequest = (bytes: Buffer): readonly [request: Received, rest: Buffer] | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end < 0) return undefined
  const [start = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n")
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })
  )
  const bodyEnd = end + 4 + Number(headers["content-length"] ?? 0)
  if (bytes.length < bodyEnd) return undefined
  const [method = "", path = ""] = start.split(" ")
  return [{ method, path, headers, body: bytes.toString("utf8", end + 4, bodyEnd) }, bytes.subarray(bodyEnd)]
}

/** Whoever waits for what never happens is told so, and not only by the clock of the test. */
const soon = <A>(self: Effect.Effect<A>): Effect.Effect<A> =>
  Effect.orDie(TestServices.provideLive(Effect.timeout(self, "10 seconds")))

export const faultyServer = (options: Options): Effect.Effect<FaultyServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const connected = yield* Queue.unbounded<void>()
    const requested = yield* Queue.unbounded<void>()
    const received: Array<Received> = []
    const pieces: Array<Buffer> = []
    const open = new Set<Net.Socket>()
    const busy = new Set<Net.Socket>()
    const watchers = new Set<() => void>()
    let connections = 0

    const changed = () => {
      for (const watcher of watchers) watcher()
    }

    const until = (isSo: () => boolean): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        const look = () => {
          if (!isSo()) return
          watchers.delete(look)
          resume(Effect.void)
        }
        watchers.add(look)
        look()
        return Effect.sync(() => void watchers.delete(look))
      })

    const accept = (socket: Net.Socket) => {
      connections += 1
      open.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => {
        open.delete(socket)
        changed()
      })
      Queue.unsafeOffer(connected, undefined)
    }

    const speak = (socket: Net.Socket) => {
      let unread: Buffer = Buffer.alloc(0)
      const reply: Reply = {
        whole: (bytes) => {
          socket.write(bytes)
          busy.delete(socket)
          changed()
        },
        part: (bytes) => socket.write(bytes),
        close: (bytes = new Uint8Array()) => socket.end(bytes),
        reset: () => socket.resetAndDestroy()
      }
      socket.on("error", () => undefined)
      socket.on("close", () => {
        busy.delete(socket)
        changed()
      })
      socket.on("data", (bytes: Buffer) => {
        pieces.push(bytes)
        busy.add(socket)
        options.bytes?.(socket)
        if (options.answer === undefined) return
        unread = Buffer.concat([unread, bytes])
        for (let next = takeRequest(unread); next !== undefined; next = takeRequest(unread)) {
          unread = next[1]
          received.push(next[0])
          Queue.unsafeOffer(requested, undefined)
          options.answer(reply, next[0])
        }
      })
    }

    const server = options.tls === true ? Tls.createServer(selfSigned) : Net.createServer()
    server.on("connection", accept)
    server.on(options.tls === true ? "secureConnection" : "connection", speak)
    server.on("tlsClientError", () => undefined)

    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          if (typeof address === "object" && address !== null) resume(Effect.succeed(address.port))
        })
      }),
      () =>
        Effect.sync(() => {
          for (const socket of open) socket.destroy()
          server.close()
        })
    )

    return {
      port,
      baseUrl: `${options.protocol ?? "http"}://127.0.0.1:${port}/gateway/deal`,
      received,
      heard: () => Buffer.concat(pieces).toString("latin1"),
      connections: () => connections,
      connected: soon(Queue.take(connected)),
      requested: soon(Queue.take(requested)),
      closed: soon(until(() => open.size === 0)),
      idle: soon(until(() => busy.size === 0)),
      reset: Effect.sync(() => {
        for (const socket of open) socket.resetAndDestroy()
      })
    }
  })

/** A port that is taken, so that nobody else gets it, and on which nobody listens. */
export const deafPort: Effect.Effect<number, never, Scope.Scope> = Effect.gen(function* () {
  const server = yield* faultyServer({})
  return yield* Effect.acquireRelease(
    Effect.async<Net.Socket>((resume) => {
      const socket = Net.connect(server.port, "127.0.0.1", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.map((socket) => socket.localPort ?? 0))
})

/** An answer on the wire, with no header but these. */
export const answer = (
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: string | Uint8Array = ""
): Uint8Array =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} -\r\n`),
    ...Object.entries(headers).map(([name, value]) => Buffer.from(`${name}: ${value}\r\n`)),
    Buffer.from("\r\n"),
    Buffer.from(body)
  ])

/** The same with its length. */
export const sized = (
  status: number,
  headers: Readonly<Record<string, string | number>>,
  body: string | Uint8Array = ""
): Uint8Array => answer(status, { ...headers, "content-length": Buffer.byteLength(body) }, body)

/** The same in one chunk, not ended. */
export const chunk = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")])
