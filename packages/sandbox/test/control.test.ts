import type { Fault } from "@effect-ig/sandbox/Fault"
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
    return { status: answer.status, json, headers: answer.headers }
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
  test("lists what it can do, and each is understood", ({ control }) =>
    Effect.gen(function* () {
      const bodies: Readonly<Record<string, unknown>> = {
        "GET /_sandbox/record": undefined,
        "GET /_sandbox/counters": undefined,
        "GET /_sandbox/switches": undefined,
        "PATCH /_sandbox/switches": {},
        "POST /_sandbox/preset": { preset: "unlimited" },
        "POST /_sandbox/expire": { kinds: [] },
        "POST /_sandbox/purge": undefined,
        "POST /_sandbox/clock": { advance: 0 },
        "POST /_sandbox/faults": { kind: "empty405" },
        "DELETE /_sandbox/faults": undefined,
        "POST /_sandbox/release": undefined,
        "POST /_sandbox/reset": undefined
      }
      const { json, status } = yield* control("GET", "")
      expect(status).toBe(200)
      expect(json).toEqual({ endpoints: Object.keys(bodies) })
      for (const [route, body] of Object.entries(bodies)) {
        const [method = "", path = ""] = route.split(" /_sandbox")
        expect([route, (yield* control(method, path, body)).status]).toEqual([route, 200])
        expect([route, (yield* control(method, `${path}/`, body)).status]).toEqual([route, 200])
        expect([route, (yield* control("PUT", path)).status]).toEqual([route, 404])
      }
      expect(yield* control("GET", "/nothing")).toMatchObject({
        status: 404,
        json: { error: "no such control; GET /_sandbox lists them" }
      })
    }))

  test("shows the record and counts it", ({ control, gateway, login }) =>
    Effect.gen(function* () {
      const bearer = yield* login
      yield* gateway("GET", "/session?fetchSessionTokens=true", bearer)
      yield* gateway("POST", "/session/refresh-token", {}, { refresh_token: "none" })
      yield* gateway("POST", "/watchlists", bearer, { name: "A list" })
      expect((yield* control("GET", "/counters")).json).toEqual({
        requests: 4,
        logins: 1,
        refreshes: 1,
        liveSessions: 1,
        byStatus: { "200": 3, "401": 1 },
        byCall: { "POST /session": 1, "GET /session": 1, "POST /session/refresh-token": 1, "POST /watchlists": 1 },
        entered: ["watchlist 1000001 created"]
      })
      const { json } = yield* control("GET", "/record")
      expect(json).toMatchObject([
        { seq: 1, method: "POST", path: "/session", version: 3, status: 200, issued: ["access-1", "refresh-1"] },
        { seq: 2, method: "GET", query: { fetchSessionTokens: "true" }, issued: ["cst-1", "xst-1"] },
        { seq: 3, errorCode: "error.security.oauth-token-invalid", isWorked: true },
        { seq: 4, body: { name: "A list" }, headers: { authorization: "Bearer access-1", "x-ig-api-key": "key:valid" } }
      ])
      expect(JSON.stringify(json)).not.toContain(bearer.authorization.slice(7))
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
      const refused = { errorCode: "error.public-api.exceeded-api-key-allowance" }
      expect((yield* gateway("GET", "/session/encryptionKey")).json).toEqual(refused)
      yield* control("POST", "/preset", { preset: "unlimited" })
      expect((yield* gateway("GET", "/session/encryptionKey")).status).toBe(200)
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

  test("takes faults of every kind", ({ control, gateway }) =>
    Effect.gen(function* () {
      const faults: ReadonlyArray<Fault> = [
        { kind: "slow", millis: 1, times: 2, method: "GET" },
        { kind: "never", workDone: false },
        { kind: "cutHeaders" },
        { kind: "cutBody" },
        { kind: "answer", status: 504, errorCode: "x", text: "y", headers: { "retry-after": "1" } },
        { kind: "nonJson403" },
        { kind: "empty405" },
        { kind: "allowance", allowance: "account" },
        { kind: "failedLogin" },
        { kind: "hold", point: "body" },
        { kind: "doubledTokenHeader" },
        { kind: "extraHeaders", headers: { "x-more": "1" } },
        { kind: "deadTokensAtLogin" }
      ]
      for (const fault of faults)
        expect([fault, (yield* control("POST", "/faults", fault)).status]).toEqual([fault, 200])
      yield* control("DELETE", "/faults")
      yield* control("POST", "/faults", { kind: "extraHeaders", headers: { "x-more": "1" } })
      expect((yield* gateway("GET", "/session/encryptionKey")).headers.get("x-more")).toBe("1")
      expect((yield* gateway("GET", "/session/encryptionKey")).headers.get("x-more")).toBe(null)
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
    ["PATCH", "/switches", { gzipp: "never" }, "gzipp: is unexpected"],
    ["PATCH", "/switches", { gzip: "sometimes" }, `gzip: Expected "offered", actual "sometimes"`],
    ["PATCH", "/switches", { latency: 1, accessTtl: -1 }, "accessTtl: Expected a non-negative number, actual -1"],
    ["PATCH", "/switches", { loginVersions: [1, "2"] }, `loginVersions.1: Expected number, actual "2"`],
    ["PATCH", "/switches", "{", "the body is not JSON"],
    ["PATCH", "/switches", [], "body: Expected"],
    ["PATCH", "/switches", "null", "body: Expected"],
    ["POST", "/preset", { preset: "generous" }, "preset: Expected"],
    ["POST", "/preset", undefined, "preset: is missing"],
    ["POST", "/expire", { kinds: ["cookie"] }, "kinds.0: Expected"],
    ["POST", "/expire", { kinds: "access" }, "kinds: Expected"],
    ["POST", "/clock", { advance: -1 }, "advance: Expected a number between 0 and"],
    ["POST", "/clock", { advance: "1" }, `advance: Expected number, actual "1"`],
    ["POST", "/clock", '{"advance":1e999}', "advance: Expected a number between 0 and"],
    ["POST", "/faults", { kind: "flood" }, "kind: Expected"],
    ["POST", "/faults", { kind: "slow" }, "millis: is missing"],
    ["POST", "/faults", { kind: "never", times: 0 }, "times: Expected a positive number, actual 0"],
    ["POST", "/faults", { kind: "answer", status: 99 }, "status: Expected a number between 200 and 599, actual 99"],
    ["POST", "/faults", { kind: "extraHeaders", headers: { "a b": "x" } }, "headers that no HTTP can carry"],
    ["POST", "/faults", { kind: "answer", status: 200, headers: { a: "x\r\nb: y" } }, "headers that no HTTP can carry"],
    ["POST", "/purge", "{", "the body is not JSON"]
  ]
  test("says in words what is wrong with a body, and does nothing", ({ control, login }) =>
    Effect.gen(function* () {
      yield* login
      const before = (yield* control("GET", "/counters")).json
      for (const [method, path, body, says] of wrong) {
        const { json, status } = yield* control(method, path, body)
        expect([path, body, status, json["error"]]).toEqual([path, body, 400, expect.stringContaining(says)])
        expect(Object.keys(json)).toEqual(["error"])
        expect(json["error"]).not.toMatch(/[\n└]/)
      }
      expect((yield* control("GET", "/counters")).json).toEqual(before)
      expect((yield* control("GET", "/switches")).json).toEqual(Switches.defaults)
    }))
})
