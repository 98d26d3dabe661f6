import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Switches from "@effect-ig/sandbox/Switches"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"

type Json = Readonly<Record<string, unknown>>

const asked = (base: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const text = await answer.text()
    const json: Json = text === "" ? {} : JSON.parse(text)
    return { status: answer.status, json }
  })

/** The control endpoint, and the gateway as a client that knows the key sees it. */
const both = Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier, password }) => {
  const key = { "x-ig-api-key": apiKey }
  const root = new URL("/_sandbox", baseUrl).href
  return {
    control: (method: string, path: string, body?: unknown) => asked(root, method, path, body),
    gateway: (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) =>
      asked(baseUrl, method, path, body, { ...key, ...headers }),
    login: Effect.map(
      asked(baseUrl, "POST", "/session", { identifier, password }, { ...key, version: "3" }),
      ({ json }) => {
        const { oauthToken } = json
        const token =
          typeof oauthToken === "object" && oauthToken !== null && "access_token" in oauthToken
            ? String(oauthToken.access_token)
            : ""
        return { authorization: `Bearer ${token}` }
      }
    )
  }
})

type Both = Effect.Effect.Success<typeof both>

const test = (name: string, use: (given: Both) => Effect.Effect<void>) =>
  it.live(name, () => Effect.flatMap(both, use).pipe(Effect.provide(Sandbox.layer())))

describe("the control endpoint", () => {
  test("lists what it can do", ({ control }) =>
    Effect.gen(function* () {
      const { json, status } = yield* control("GET", "")
      expect(status).toBe(200)
      expect(json["endpoints"]).toContain("POST /_sandbox/faults")
      expect((yield* control("GET", "/nothing")).status).toBe(404)
    }))

  test("shows the record and counts it", ({ control, gateway, login }) =>
    Effect.gen(function* () {
      const bearer = yield* login
      yield* gateway("GET", "/session", bearer)
      const { json } = yield* control("GET", "/counters")
      expect(json).toMatchObject({ requests: 2, logins: 1, refreshes: 0, liveSessions: 1, byStatus: { "200": 2 } })
      const record = yield* control("GET", "/record")
      expect(JSON.stringify(record.json)).toContain("Bearer access-1")
      expect(JSON.stringify(record.json)).not.toContain(bearer.authorization.slice(7))
    }))

  test("kills tokens by kind, and all of them", ({ control, gateway, login }) =>
    Effect.gen(function* () {
      for (const kinds of [["access"], ["all"]]) {
        const bearer = yield* login
        yield* control("POST", "/expire", { kinds: ["cst", "xst"] })
        expect((yield* gateway("GET", "/session", bearer)).status).toBe(200)
        yield* control("POST", "/expire", { kinds })
        expect((yield* gateway("GET", "/session", bearer)).json).toEqual({
          errorCode: "error.security.oauth-token-invalid"
        })
      }
      const bearer = yield* login
      yield* control("POST", "/purge")
      expect((yield* gateway("GET", "/session", bearer)).status).toBe(401)
    }))

  test("moves the gateway's clock", ({ control, gateway, login }) =>
    Effect.gen(function* () {
      const bearer = yield* login
      yield* control("POST", "/clock", { advance: 59_000 })
      expect((yield* gateway("GET", "/session", bearer)).status).toBe(200)
      yield* control("POST", "/clock", { advance: 2_000 })
      expect((yield* gateway("GET", "/session", bearer)).status).toBe(401)
    }))

  test("changes switches and presets", ({ control, gateway }) =>
    Effect.gen(function* () {
      expect((yield* control("GET", "/switches")).json).toEqual(Switches.defaults)
      yield* control("PATCH", "/switches", { expiresInAsNumber: true })
      yield* control("POST", "/preset", { preset: "demo" })
      expect((yield* control("GET", "/switches")).json).toEqual({
        ...Switches.defaults,
        ...Switches.presets.demo,
        expiresInAsNumber: true
      })
      for (let i = 0; i < 8; i++) yield* gateway("GET", "/session/encryptionKey")
      expect((yield* gateway("GET", "/session/encryptionKey")).json).toEqual({
        errorCode: "error.public-api.exceeded-api-key-allowance"
      })
    }))

  test("injects faults for the next requests, and takes them back", ({ control, gateway }) =>
    Effect.gen(function* () {
      const fault = { kind: "answer", status: 503, path: "/session/encryptionKey", times: 2 }
      yield* control("POST", "/faults", fault)
      expect((yield* gateway("GET", "/session")).status).toBe(401)
      expect((yield* gateway("GET", "/session/encryptionKey")).status).toBe(503)
      yield* control("DELETE", "/faults")
      expect((yield* gateway("GET", "/session/encryptionKey")).status).toBe(200)
    }))

  test("holds an answer until it is released", ({ control, gateway }) =>
    Effect.gen(function* () {
      yield* control("POST", "/faults", { kind: "hold", point: "after" })
      const held = gateway("GET", "/session/encryptionKey")
      const release = Effect.gen(function* () {
        let requests: unknown = 0
        while (requests === 0) requests = (yield* control("GET", "/counters")).json["requests"]
        return (yield* control("POST", "/release")).status
      })
      const [answer, released] = yield* Effect.all([held, release], { concurrency: "unbounded" })
      expect([answer.status, released]).toEqual([200, 200])
    }))

  test("starts all over", ({ control, gateway, login }) =>
    Effect.gen(function* () {
      const bearer = yield* login
      yield* control("PATCH", "/switches", { gzip: "never" })
      yield* control("POST", "/faults", { kind: "never" })
      yield* control("POST", "/reset")
      expect((yield* control("GET", "/counters")).json).toMatchObject({ requests: 0, liveSessions: 0 })
      expect((yield* control("GET", "/switches")).json).toEqual(Switches.defaults)
      expect((yield* gateway("GET", "/session", bearer)).status).toBe(401)
    }))

  const wrong: ReadonlyArray<readonly [method: string, path: string, body: unknown, says: string]> = [
    ["PATCH", "/switches", { gzipp: "never" }, "gzipp"],
    ["PATCH", "/switches", { gzip: "sometimes" }, "gzip"],
    ["PATCH", "/switches", "{", "not JSON"],
    ["PATCH", "/switches", [], "body"],
    ["POST", "/preset", { preset: "generous" }, "preset"],
    ["POST", "/expire", { kinds: ["cookie"] }, "kinds"],
    ["POST", "/clock", { advance: -1 }, "advance"],
    ["POST", "/clock", { advance: "1" }, "advance"],
    ["POST", "/faults", { kind: "flood" }, "kind"],
    ["POST", "/faults", { kind: "answer", status: 99 }, "status"]
  ]
  for (const [method, path, body, says] of wrong) {
    test(`says in words what is wrong with ${method} ${path} ${JSON.stringify(body)}`, ({ control }) =>
      Effect.gen(function* () {
        const { json, status } = yield* control(method, path, body)
        expect(status).toBe(400)
        expect(json["error"]).toContain(says)
      }))
  }
})
