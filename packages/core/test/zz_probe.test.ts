import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Option from "effect/Option"
import * as Net from "node:net"
import { expect } from "vitest"
import * as IgConfig from "../src/IgConfig.ts"
import * as Session from "../src/Session.ts"
import * as SessionState from "../src/SessionState.ts"

const session = new SessionState.TokenSession({
  accountId: "A1",
  clientId: "1",
  lightstreamerEndpoint: Option.none(),
  loggedInBy: "loginV2",
  cst: Redacted.make("cst-1"),
  securityToken: Redacted.make("xst-1")
})
process.on("uncaughtException", (e) => console.log("UNCAUGHT", e.message, (e as any).code))
const clients = { undici: NodeHttpClient.layerUndici, node: NodeHttpClient.layer, fetch: FetchHttpClient.layer }
const listen = (f: (s: Net.Socket) => void) =>
  Effect.acquireRelease(
    Effect.async<{ port: number; server: Net.Server; sockets: Set<Net.Socket> }>((resume) => {
      const sockets = new Set<Net.Socket>()
      const server = Net.createServer((s) => {
        sockets.add(s)
        s.on("close", () => sockets.delete(s))
        s.on("error", () => {})
        f(s)
      })
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed({ port: (server.address() as any).port, server, sockets }))
      )
    }),
    (x) =>
      Effect.sync(() => {
        x.sockets.forEach((s) => s.destroy())
        x.server.close()
      })
  )

for (const [name, client] of Object.entries(clients)) {
  it.scoped(name + " interrupt before headers", () =>
    Effect.gen(function* () {
      let saw: () => void = () => {}
      const seen = new Promise<void>((r) => {
        saw = r
      })
      const s = yield* listen((socket) => socket.on("data", () => saw()))
      const env = Layer.mergeAll(
        client,
        SessionState.layerTest(session),
        IgConfig.layer({ environment: `http://127.0.0.1:${s.port}/x`, apiKey: Redacted.make("k") })
      )
      const r = yield* Effect.gen(function* () {
        const f = yield* Effect.fork(Effect.either(Session.read()))
        yield* Effect.promise(() => seen)
        yield* TestClock.adjust("30 seconds")
        return yield* Fiber.join(f)
      }).pipe(Effect.provide(env))
      yield* Effect.promise(() => new Promise((r) => setTimeout(r, 100)))
      console.log(name, JSON.stringify(r), s.sockets.size)
      expect(1).toBe(1)
    })
  )
  it.scoped(name + " reset in body", () =>
    Effect.gen(function* () {
      const s = yield* listen((socket) =>
        socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc", () =>
            setTimeout(() => socket.resetAndDestroy(), 50)
          )
        )
      )
      const env = Layer.mergeAll(
        client,
        SessionState.layerTest(session),
        IgConfig.layer({ environment: `http://127.0.0.1:${s.port}/x`, apiKey: Redacted.make("k") })
      )
      const r = yield* Effect.either(Session.read()).pipe(Effect.provide(env))
      yield* Effect.promise(() => new Promise((r) => setTimeout(r, 100)))
      console.log(name, JSON.stringify(r), s.sockets.size)
      expect(1).toBe(1)
    })
  )
  it.scoped(name + " reset in body chunked", () =>
    Effect.gen(function* () {
      const s = yield* listen((socket) =>
        socket.once("data", () =>
          socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", () =>
            setTimeout(() => socket.resetAndDestroy(), 50)
          )
        )
      )
      const env = Layer.mergeAll(
        client,
        SessionState.layerTest(session),
        IgConfig.layer({ environment: `http://127.0.0.1:${s.port}/x`, apiKey: Redacted.make("k") })
      )
      const r = yield* Effect.either(Session.read()).pipe(Effect.provide(env))
      yield* Effect.promise(() => new Promise((r) => setTimeout(r, 100)))
      console.log(name, JSON.stringify(r), s.sockets.size)
      expect(1).toBe(1)
    })
  )
}
