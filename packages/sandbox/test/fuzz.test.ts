import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PCGRandom } from "effect/Utils"
import { request as httpRequest } from "node:http"
import { describe } from "vitest"

const seed = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

const paths = [
  "/session",
  "/session/refresh-token",
  "/session/encryptionKey",
  "/accounts",
  "/accounts/preferences",
  "/operations/application",
  "/markets",
  "/markets/CS.D.EURUSD.CFD.IP",
  "/watchlists",
  "/watchlists/Popular%20Markets",
  "/watchlists/__proto__/constructor",
  "/positions",
  "/positions/otc",
  "/confirms/__proto__",
  "/workingorders",
  "/history/activity",
  "/history/transactions/ALL/1",
  "/nothing"
]

const words = [
  "__proto__",
  "constructor",
  "toString",
  "identifier",
  "password",
  "accountId",
  "epic",
  "size",
  "BUY",
  "",
  "ü😀",
  "%00",
  "%",
  "true",
  "-1"
]

interface Random {
  readonly method: (typeof methods)[number]
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

const make = (from: PCGRandom) => {
  const pick = <A>(all: ReadonlyArray<A>, otherwise: A): A => all[from.integer(all.length)] ?? otherwise
  const word = () => pick(words, "")
  const ascii = () => encodeURIComponent(word())
  const maybe = <A>(percent: number, value: () => A): A | undefined =>
    from.integer(100) < percent ? value() : undefined
  const json = (depth = 0): unknown => {
    switch (from.integer(depth > 3 ? 5 : 7)) {
      case 0:
        return null
      case 1:
        return from.integer(2) === 0
      case 2:
        return from.number() * 10 ** from.integer(300)
      case 3:
      case 4:
        return word()
      case 5:
        return Array.from({ length: from.integer(4) }, () => json(depth + 1))
      default:
        return Object.fromEntries(Array.from({ length: from.integer(6) }, () => [word(), json(depth + 1)]))
    }
  }
  const body = (): Uint8Array =>
    from.integer(4) === 0
      ? Uint8Array.from({ length: from.integer(200) }, () => from.integer(256))
      : new TextEncoder().encode(JSON.stringify(json()))
  return (tokens: Readonly<Record<string, string>>): Random => ({
    method: pick(methods, "GET"),
    path: `${pick(paths, "/")}${maybe(10, () => `/${ascii()}`) ?? ""}${maybe(10, () => "/") ?? ""}`,
    query: Object.fromEntries(Array.from({ length: from.integer(3) }, () => [word(), word()])),
    headers: {
      ...maybe(95, () => ({ "x-ig-api-key": pick(["sandbox-api-key", "sandbox-api-key", "wrong"], "") })),
      ...maybe(60, () => tokens),
      ...maybe(50, () => ({ version: pick(["1", "2", "3", "4", "-1", "x", ""], "1") })),
      ...maybe(10, () => ({ _method: pick(["DELETE", "constructor", "__proto__", "GET"], "DELETE") })),
      ...maybe(10, () => ({ authorization: `Bearer ${ascii()}` })),
      ...maybe(20, () => ({ "accept-encoding": "gzip" }))
    },
    body: maybe(60, body)
  })
}

const fuzz = (
  send: (random: Random, baseUrl: string) => Effect.Effect<number, unknown, HttpClient.HttpClient>,
  times: number
) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const next = make(new PCGRandom(seed))
    const { status, tokens } = yield* loggedIn
    expect(status).toBe(200)
    const statuses = new Map<number, number>()
    for (let i = 0; i < times; i++) {
      const random = next(tokens)
      const found = yield* send(random, sandbox.baseUrl)
      expect([found >= 200 && found < 500, JSON.stringify(random)]).toEqual([true, JSON.stringify(random)])
      statuses.set(found, (statuses.get(found) ?? 0) + 1)
    }
    expect((yield* loggedIn).status).toBe(200)
    // A fuzz that never gets past the door proves nothing.
    for (const expected of [200, 400, 401, 403, 404, 405]) expect(statuses.get(expected) ?? 0).toBeGreaterThan(0)
  })

const toRequest = ({ body, headers, method, path, query }: Random, baseUrl: string) =>
  HttpClientRequest.make(method)(`${baseUrl}${path}`, {
    headers,
    urlParams: query,
    ...(body === undefined || method === "GET" ? {} : { body: HttpBody.uint8Array(body, "application/json") })
  })

const loggedIn = Effect.gen(function* () {
  const { apiKey, baseUrl, identifier, password } = yield* Sandbox.Sandbox
  const response = yield* HttpClient.execute(
    HttpClientRequest.post(`${baseUrl}/session`, {
      headers: { "x-ig-api-key": apiKey, version: "2" },
      body: HttpBody.unsafeJson({ identifier, password })
    })
  )
  const { cst = "", "x-security-token": xst = "" } = response.headers
  return { status: response.status, tokens: { cst, "x-security-token": xst } }
})

const inMemory = (random: Random, baseUrl: string) =>
  Effect.flatMap(HttpClient.execute(toRequest(random, baseUrl)), (response) =>
    Effect.as(response.arrayBuffer, response.status)
  )

const overHttp = (random: Random, baseUrl: string) =>
  Effect.async<number>((resume) => {
    const query = new URLSearchParams(random.query).toString()
    const request = httpRequest(
      `${baseUrl}${random.path}?${query}`,
      { method: random.method, headers: random.headers },
      (response) => {
        response.resume()
        response.once("end", () => resume(Effect.succeed(response.statusCode ?? 0)))
      }
    )
    request.once("error", (error) => resume(Effect.die(error)))
    request.end(random.body)
  })

describe(`whatever comes, the gateway answers below 500 and goes on (seed ${seed})`, () => {
  it.live("10,000 random requests in memory", () =>
    fuzz(inMemory, 10_000).pipe(Effect.provide(Sandbox.layerHttpClient()))
  )

  it.live("1,000 random requests over HTTP", () =>
    fuzz(overHttp, 1_000).pipe(Effect.provide(Layer.merge(Sandbox.layer(), FetchHttpClient.layer)))
  )
})
