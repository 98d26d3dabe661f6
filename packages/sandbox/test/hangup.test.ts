import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { connect, Socket } from "node:net"
import { HoldPoint } from "@effect-ig/sandbox/Fault"
import { layer as overHttp, Sandbox } from "@effect-ig/sandbox/Sandbox"
import { byNode, inEach, loginOf, type Sent } from "./utils/exchange.ts"
import { eventually } from "./utils/raw.ts"

/** The server's ends of the connections of this process, as they come. */
const serverSockets = Effect.acquireRelease(
  Effect.sync(() => {
    const sockets = new Set<Socket>()
    const listen = (message: unknown) => {
      if (typeof message !== "object" || message === null || !("socket" in message)) return
      if (message.socket instanceof Socket) sockets.add(message.socket)
    }
    subscribe("http.server.request.start", listen)
    return { sockets, listen }
  }),
  ({ listen }) => Effect.sync(() => unsubscribe("http.server.request.start", listen))
)

const key = { "X-IG-API-KEY": "sandbox-api-key" }

inEach(({ exchange, layer, name }) => {
  describe(`a request ${name} whose client hangs up`, () => {
    for (const point of HoldPoint.literals) {
      it.scoped(`while the answer is held, ${point}, is worked to its end and not delivered`, () =>
        Effect.gen(function* () {
          const { sockets } = yield* serverSockets
          const sandbox = yield* Sandbox
          const { reached, release } = yield* sandbox.hold(point)
          const login = yield* exchange(loginOf(sandbox))
          yield* reached
          yield* login.hangUp
          yield* eventually(Effect.sync(() => [...sockets].every(({ destroyed }) => destroyed)))
          yield* release
          yield* eventually(Effect.map(sandbox.record, (all) => all.every(({ isWorked }) => isWorked)))
          // Another request is answered after it: whatever was to come of the first has come.
          const next = yield* exchange({ path: "/session/encryptionKey", headers: key })
          expect(yield* next.end).toMatchObject({ status: 200 })
          expect((yield* sandbox.record)[0]).toMatchObject({
            status: 200,
            issued: ["access-1", "refresh-1"],
            isWorked: true,
            isDelivered: false
          })
          expect(yield* sandbox.liveSessions).toBe(1)
        }).pipe(Effect.provide(layer()))
      )
    }

    it.effect("while the answer is slow is worked to its end", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        yield* sandbox.inject({ kind: "slow", millis: 5000 })
        const login = yield* exchange(loginOf(sandbox))
        yield* eventually(Effect.map(sandbox.liveSessions, (live) => live === 1))
        yield* login.hangUp
        yield* TestClock.adjust("1 minute")
        expect(login.seen().status).toBeUndefined()
        expect(yield* sandbox.record).toMatchObject([{ status: 200, isWorked: true }])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("after a switch or a logout was received: it is made all the same, and once", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const opened = yield* (yield* exchange(loginOf(sandbox, 2))).end
        const tokens = Object.fromEntries(
          opened.headers.filter(([name]) => ["cst", "x-security-token"].includes(name.toLowerCase()))
        )
        const hungUp = (sent: Sent) =>
          Effect.gen(function* () {
            const { reached, release } = yield* sandbox.hold("before")
            const { length } = yield* sandbox.record
            const call = yield* exchange({ ...sent, headers: { ...key, ...tokens, Version: "1" } })
            yield* reached
            yield* call.hangUp
            yield* release
            yield* eventually(Effect.map(sandbox.record, (all) => all[length]?.isWorked === true))
            return (yield* sandbox.record).slice(length)
          })
        expect(yield* hungUp({ method: "PUT", body: '{"accountId":"SBX02"}' })).toMatchObject([
          { method: "PUT", status: 200, issued: ["xst-2"] }
        ])
        const last = (yield* sandbox.issued).filter(({ isAlive, kind }) => isAlive && kind === "xst")
        expect(last).toMatchObject([{ label: "xst-2", accountId: "SBX02" }])
        const [{ value } = { value: "" }] = last
        const fresh = { cst: (yield* sandbox.issued)[0]?.value ?? "", "x-security-token": value }
        const { reached, release } = yield* sandbox.hold("before")
        const out = yield* exchange({ method: "DELETE", headers: { ...key, ...fresh } })
        yield* reached
        yield* out.hangUp
        yield* release
        yield* eventually(Effect.map(sandbox.liveSessions, (live) => live === 0))
        expect((yield* sandbox.record).at(-1)).toMatchObject({ method: "DELETE", status: 204, isWorked: true })
      }).pipe(Effect.provide(layer()))
    )
  })
})

it.scoped("a request that has not come whole was not received", () =>
  Effect.gen(function* () {
    const { sockets } = yield* serverSockets
    const sandbox = yield* Sandbox
    const { port } = new URL(sandbox.baseUrl)
    const body = loginOf(sandbox).body ?? ""
    const socket = connect(Number(port), "127.0.0.1")
    socket.on("error", () => socket.destroy())
    socket.write(
      `POST /gateway/deal/session HTTP/1.1\r\nHost: x\r\nX-IG-API-KEY: ${sandbox.apiKey}\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`
    )
    yield* eventually(Effect.sync(() => sockets.size === 1))
    socket.destroy()
    yield* eventually(Effect.sync(() => [...sockets].every(({ destroyed }) => destroyed)))
    expect(yield* (yield* byNode(loginOf(sandbox))).end).toMatchObject({ status: 200 })
    expect(yield* sandbox.record).toHaveLength(1)
    expect(yield* sandbox.liveSessions).toBe(1)
  }).pipe(Effect.provide(overHttp()))
)
