import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { connect } from "node:net"
import { layer, Sandbox } from "@effect-ig/sandbox/Sandbox"

const portOf = ({ baseUrl }: Sandbox.Service): number => Number(new URL(baseUrl).port)

/** Sends these bytes, and gives what comes back until the other side hangs up. */
const raw = (port: number, text: string): Effect.Effect<string, Error> =>
  Effect.async((resume) => {
    let seen = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (chunk) => {
      seen += chunk.toString()
    })
    socket.on("close", () => resume(Effect.succeed(seen)))
    socket.on("error", (error) => resume(Effect.fail(error)))
  })

const get = (target: string, more = "") =>
  `GET ${target} HTTP/1.1\r\nHost: x\r\nX-IG-API-KEY: sandbox-api-key\r\n${more}Connection: close\r\n\r\n`

const statuses = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status ?? "")

it.live("answers whatever target it is asked for", () =>
  Effect.gen(function* () {
    const port = portOf(yield* Sandbox)
    const targets = ["//", "/", "*", "/gateway/dealer/session", "/gateway/deal", "/gateway/deal/__proto__", "/%", "/\\"]
    for (const target of targets) {
      expect(statuses(yield* raw(port, get(target)))).toEqual([expect.stringMatching(/^4\d\d$/)])
    }
    expect(statuses(yield* raw(port, get("/gateway/deal/session/encryptionKey")))).toEqual(["200"])
    const absolute = get("http://elsewhere.invalid/gateway/deal/session/encryptionKey")
    expect(statuses(yield* raw(port, absolute))).toEqual(["200"])
  }).pipe(Effect.provide(layer()))
)

it.live("takes header names in any case, and requests that are pipelined", () =>
  Effect.gen(function* () {
    const port = portOf(yield* Sandbox)
    const open = "GET /gateway/deal/session/encryptionKey HTTP/1.1\r\nhost: x\r\nx-Ig-aPi-key: sandbox-api-key\r\n\r\n"
    const last = get("/gateway/deal/session/encryptionKey", "VERSION: 1\r\n")
    expect(statuses(yield* raw(port, open + open + last))).toEqual(["200", "200", "200"])
  }).pipe(Effect.provide(layer()))
)

it.live("takes a body of 2 MB, and refuses one beyond 10 MB", () =>
  Effect.gen(function* () {
    const port = portOf(yield* Sandbox)
    const post = (size: number) =>
      `POST /gateway/deal/session HTTP/1.1\r\nHost: x\r\nX-IG-API-KEY: sandbox-api-key\r\nContent-Length: ${size}\r\n` +
      `Connection: close\r\n\r\n${"x".repeat(size)}`
    expect(statuses(yield* raw(port, post(2 ** 21)))).toEqual(["400"])
    expect(statuses(yield* raw(port, post(11 * 2 ** 20)))).toEqual(["413"])
  }).pipe(Effect.provide(layer()))
)

it.live("frees its port when its scope closes, an answer held or not", () =>
  Effect.gen(function* () {
    const port = yield* Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const { reached } = yield* sandbox.hold("after")
      yield* Effect.fork(raw(portOf(sandbox), get("/gateway/deal/session")))
      yield* reached
      return portOf(sandbox)
    }).pipe(Effect.provide(layer()))
    const again = yield* Layer.build(layer({ port })).pipe(Effect.scoped, Effect.exit)
    expect(again._tag).toBe("Success")
  })
)

it.live("says so when the port is taken", () =>
  Effect.gen(function* () {
    const port = portOf(yield* Sandbox)
    const error = yield* Layer.build(layer({ port })).pipe(Effect.scoped, Effect.flip)
    expect(error._tag).toBe("SandboxError")
    expect(error.message).toContain("EADDRINUSE")
  }).pipe(Effect.provide(layer()))
)
