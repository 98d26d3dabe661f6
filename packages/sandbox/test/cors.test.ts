import { expect, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import { ask, login } from "./utils/raw.ts"

const served = (options: Sandbox.Sandbox.ServerOptions) => Layer.merge(NodeHttpClient.layer, Sandbox.layer(options))

const origin = { origin: "https://page.invalid" }

const preflight = ask({
  method: "OPTIONS",
  headers: {
    ...origin,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "authorization,ig-account-id,version,x-ig-api-key"
  }
})

const allowed = (headers: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")))

it.live("says nothing to pages of other origins, unless it is told to", () =>
  Effect.gen(function* () {
    const session = yield* login(2, {}, origin)
    expect([session.status, allowed(session.headers)]).toEqual([200, {}])
    expect(allowed((yield* preflight).headers)).toEqual({})
  }).pipe(Effect.provide(served({})))
)

it.live("lets a page send what a call needs, and read every header of the answer, of a refusal too", () =>
  Effect.gen(function* () {
    const before = yield* preflight
    expect([before.status, before.text]).toEqual([204, ""])
    expect(allowed(before.headers)).toEqual({
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "*",
      "access-control-allow-methods": "GET, POST, PUT, DELETE",
      "access-control-allow-headers": "authorization,ig-account-id,version,x-ig-api-key",
      "access-control-max-age": "600"
    })
    for (const answer of [yield* login(2, {}, origin), yield* login(2, { password: "wrong" }, origin)]) {
      expect(allowed(answer.headers)).toEqual({
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "*"
      })
    }
  }).pipe(Effect.provide(served({ cors: true })))
)

it.live("keeps preflights out of the record, and no other request", () =>
  Effect.gen(function* () {
    yield* preflight
    yield* ask({ method: "OPTIONS" })
    yield* ask({ method: "OPTIONS", headers: origin })
    const { record } = yield* Sandbox.Sandbox
    expect((yield* record).map(({ method, status }) => `${method} ${status}`)).toEqual(["OPTIONS 405", "OPTIONS 405"])
  }).pipe(Effect.provide(served({ cors: true })))
)

it.live("opens the gateway alone: the control endpoint stays closed to pages", () =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const client = yield* HttpClient.HttpClient
    for (const method of ["GET", "OPTIONS"] as const) {
      const request = HttpClientRequest.make(method)(new URL("/_sandbox/record", baseUrl)).pipe(
        HttpClientRequest.setHeaders({ ...origin, "access-control-request-method": "GET" })
      )
      const { headers, status } = yield* client.execute(request)
      expect([status, allowed(headers)]).toEqual([403, {}])
    }
  }).pipe(Effect.provide(served({ cors: true })))
)
