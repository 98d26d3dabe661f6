import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { Sandbox, type Sandbox as AnySandbox } from "@effect-ig/sandbox/Sandbox"
import { defaults } from "@effect-ig/sandbox/Switches"
import * as Gateway from "../src/internal/gateway.ts"
import { ask, bearer, eventually, forms, inMemory, login, overHttp, pair, refresh, tokensIn } from "./utils/raw.ts"

/** What a client added by itself is not the same over each transport. */
const transports = ["host", "connection"]

const life = Effect.gen(function* () {
  const sandbox: AnySandbox.Service = yield* Sandbox
  const { headers, refreshToken } = yield* bearer()
  yield* ask({ path: "/session?fetchSessionTokens=true", headers })
  yield* refresh(refreshToken)
  yield* refresh("of nobody")
  yield* login(2, { password: "wrong" })
  const tokens = yield* pair
  const switched = yield* ask({ method: "PUT", headers: tokens, body: { accountId: "SBX02" } })
  yield* ask({ method: "DELETE", headers: { ...tokens, "x-security-token": tokensIn(switched)["x-security-token"] } })
  yield* eventually(Effect.map(sandbox.record, (record) => record.every(({ isDelivered }) => isDelivered)))
  const record = (yield* sandbox.record).map((request) => ({
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !transports.includes(name)))
  }))
  return { record, tokens: (yield* sandbox.issued).map(({ value }) => value) }
})

const lived = (layer: (typeof forms)[number][1], seed: string) =>
  Effect.withRandom(Effect.provide(life, layer()), Random.make(seed))

describe("the record", () => {
  it.effect("is the same for the same seed, byte for byte, over either transport", () =>
    Effect.gen(function* () {
      const first = yield* lived(inMemory, "a")
      expect(JSON.stringify(yield* lived(inMemory, "a"))).toBe(JSON.stringify(first))
      expect(JSON.stringify(yield* lived(overHttp, "a"))).toBe(JSON.stringify(first))
      const other = yield* lived(inMemory, "b")
      expect(other.record).toEqual(first.record)
      expect(other.tokens).not.toEqual(first.tokens)
    })
  )

  it.effect("names tokens by the ordinal of their issue, and strangers by a hash", () =>
    Effect.gen(function* () {
      const { record } = yield* lived(inMemory, "a")
      const [v3, read, refreshed, refused, wrong, v2, put, out] = record
      expect(v3?.body).toEqual({ identifier: "sandbox", password: "password:correct" })
      expect(v3?.issued).toEqual(["access-1", "refresh-1"])
      expect(read?.headers).toMatchObject({ authorization: "Bearer access-1", "x-ig-api-key": "key:valid" })
      expect(read?.issued).toEqual(["cst-1", "xst-1"])
      expect(refreshed).toMatchObject({ body: { refresh_token: "refresh-1" }, issued: ["access-2", "refresh-2"] })
      expect(refused?.body).toEqual({ refresh_token: expect.stringMatching(/^unknown:[0-9a-f]{8}$/) })
      expect(wrong?.body).toMatchObject({ password: expect.stringMatching(/^unknown:[0-9a-f]{8}$/) })
      expect(wrong).toMatchObject({ status: 401, errorCode: "error.security.invalid-details", issued: [] })
      expect(v2?.issued).toEqual(["cst-2", "xst-2"])
      expect(put).toMatchObject({ headers: { cst: "cst-2", "x-security-token": "xst-2" }, issued: ["xst-3"] })
      expect(out).toMatchObject({ method: "DELETE", status: 204, isWorked: true, isDelivered: true })
    })
  )

  it.effect("shows no secret in clear, wherever a client has put it", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* login(3)
      const secrets = [
        sandbox.password,
        sandbox.apiKey,
        "another secret",
        ...(yield* sandbox.issued).map(({ value }) => value)
      ]
      for (const secret of secrets) {
        yield* login(3, { password: [secret], nested: { password: { deep: secret }, refresh_token: [secret] } })
        const path = `/session?password=${secret}&refresh_token=${secret}`
        yield* ask({ path, headers: { cst: secret, "x-security-token": secret, authorization: secret } })
        yield* ask({ headers: { "x-ig-api-key": secret, authorization: `Bearer ${secret}` } })
      }
      for (const secret of secrets.filter((secret) => secret !== "another secret")) {
        yield* ask({ method: "POST", path: `/session/${secret}`, headers: { cookie: secret }, body: { other: secret } })
        yield* ask({ method: "POST", body: JSON.stringify(secret) })
      }
      const shown = JSON.stringify(yield* sandbox.record)
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("does not let what was held before a reset reach what comes after it", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const { reached } = yield* sandbox.hold("before")
      const caller = yield* Effect.fork(login(3))
      yield* reached
      yield* sandbox.reset
      expect((yield* Fiber.join(caller)).status).toBe(200)
      expect(yield* sandbox.liveSessions).toBe(0)
      expect(yield* sandbox.record).toEqual([])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("starts anew at a reset, and tokens from before it stay dead", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const { headers } = yield* bearer()
      yield* sandbox.setSwitches({ latency: 5 })
      yield* sandbox.inject({ kind: "empty405" })
      yield* sandbox.reset
      expect(yield* sandbox.record).toEqual([])
      expect(yield* sandbox.liveSessions).toBe(0)
      expect((yield* sandbox.switches).latency).toBe(0)
      yield* login(3)
      expect((yield* ask({ headers })).status).toBe(401)
    }).pipe(Effect.provide(inMemory()))
  )
})

for (const [form, layer] of forms) {
  describe(`a request that was received ${form}`, () => {
    for (const point of ["before", "after", "headers", "body"] as const) {
      it.effect(`is worked to its end when the client hangs up and the answer is held: ${point}`, () =>
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const { reached, release } = yield* sandbox.hold(point, { method: "POST", path: "/session" })
          const caller = yield* Effect.fork(login(3))
          yield* reached
          yield* Fiber.interrupt(caller)
          yield* release
          yield* eventually(Effect.map(sandbox.liveSessions, (live) => live === 1))
          expect(yield* sandbox.record).toMatchObject([{ status: 200, isWorked: true }])
          // A hang-up takes its time to arrive over a socket.
          if (form === "in memory") expect(yield* sandbox.record).toMatchObject([{ isDelivered: false }])
          expect((yield* ask({ path: "/session/encryptionKey" })).status).toBe(200)
        }).pipe(Effect.provide(layer()))
      )
    }
  })
}

it.effect("a body that comes in pieces is taken whole in memory, too", () =>
  Effect.gen(function* () {
    const { apiKey, baseUrl, identifier, password } = yield* Sandbox
    const bytes = new TextEncoder().encode(JSON.stringify({ identifier, password }))
    const pieces = Stream.make(bytes.subarray(0, 7), bytes.subarray(7))
    const request = HttpClientRequest.post(`${baseUrl}/session`).pipe(
      HttpClientRequest.setHeaders({ "x-ig-api-key": apiKey, version: "3" }),
      HttpClientRequest.bodyStream(pieces)
    )
    expect((yield* (yield* HttpClient.HttpClient).execute(request)).status).toBe(200)
  }).pipe(Effect.provide(inMemory()))
)

it.effect("a body that is nested too deep to mask is answered, and left out of the record", () =>
  Effect.gen(function* () {
    const { record } = yield* Sandbox
    for (const deep of [
      `${"[".repeat(5000)}${"]".repeat(5000)}`,
      `{"password":${"[".repeat(5000)}${"]".repeat(5000)}}`
    ]) {
      expect((yield* ask({ method: "POST", version: 2, body: deep })).status).toBe(400)
    }
    expect((yield* record).map(({ body }) => body)).toEqual(["(nested too deep)", "(nested too deep)"])
  }).pipe(Effect.provide(inMemory()))
)

it.effect("of a gateway that runs for long, the last requests are kept", () =>
  Effect.gen(function* () {
    const client = { apiKey: "key", identifier: "who", password: "secret", accounts: [], preferred: "" }
    const gateway = yield* Gateway.make(client, defaults, 3)
    for (let count = 0; count < 5; count++) {
      yield* gateway.handle({ method: "GET", path: "/accounts", query: {}, headers: {}, body: new Uint8Array() })
    }
    expect(gateway.record().map(({ seq }) => seq)).toEqual([3, 4, 5])
  })
)
