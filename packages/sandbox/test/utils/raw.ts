/** A client that knows nothing of IG: what it is told to send goes out, what comes back is shown. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpMethod from "@effect/platform/HttpMethod"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { gunzipSync } from "node:zlib"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"

export interface Ask {
  readonly method?: HttpMethod.HttpMethod
  readonly path?: string
  readonly version?: number | string
  readonly headers?: Readonly<Record<string, string>>
  /** JSON, or the text itself. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  /** The fields of the body, none if it is no JSON object. */
  readonly json: ReadonlyMap<string, unknown>
  readonly code: unknown
}

type Needs = Sandbox.Sandbox | HttpClient.HttpClient

const entries = (value: unknown): ReadonlyMap<string, unknown> =>
  new Map(typeof value === "object" && value !== null ? Object.entries(value) : [])

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const request = ({ body, headers = {}, method = "GET", path = "/session", version }: Ask) =>
  Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl }) => {
    const bare = HttpClientRequest.make(method)(`${baseUrl}${path}`).pipe(
      HttpClientRequest.setHeaders({ "x-ig-api-key": apiKey, ...headers }),
      version === undefined ? (self) => self : HttpClientRequest.setHeader("version", String(version))
    )
    if (body === undefined) return bare
    const text = typeof body === "string" ? body : JSON.stringify(body)
    return HttpClientRequest.bodyText(bare, text, "application/json; charset=UTF-8")
  })

export const ask = (what: Ask): Effect.Effect<Answer, HttpClientError.HttpClientError, Needs> =>
  Effect.gen(function* () {
    const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
    const response = yield* client.execute(yield* request(what))
    const bytes = new Uint8Array(yield* response.arrayBuffer)
    const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b
    const text = new TextDecoder().decode(isZipped ? gunzipSync(bytes) : bytes)
    const json = entries(parse(text))
    return { status: response.status, headers: { ...response.headers }, text, json, code: json.get("errorCode") }
  })

/** `200`, or `401 error.security.…`. */
export const verdict = ({ code, status }: Answer): string =>
  typeof code === "string" ? `${status} ${code}` : String(status)

export const asked = (what: Ask) => Effect.map(ask(what), verdict)

/** The encoding of an answer to those who offer this. */
export const encodingFor = (offer: string) =>
  Effect.map(ask({ headers: { "accept-encoding": offer } }), ({ headers }) => headers["content-encoding"])

export const login = (version: number | string, body: Readonly<Record<string, unknown>> = {}, headers = {}) =>
  Effect.flatMap(Sandbox.Sandbox, ({ identifier, password }) =>
    ask({ method: "POST", version, headers, body: { identifier, password, ...body } })
  )

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** Logged in by OAuth: what to send from then on. */
export const bearer = (accountId = "SBX01") =>
  Effect.map(login(3), ({ json }) => {
    const tokens = entries(json.get("oauthToken"))
    return {
      headers: { authorization: `Bearer ${textOf(tokens.get("access_token"))}`, "ig-account-id": accountId },
      refreshToken: textOf(tokens.get("refresh_token"))
    }
  })

export const tokensIn = ({ headers }: Answer): { readonly cst: string; readonly "x-security-token": string } => ({
  cst: headers["cst"] ?? "",
  "x-security-token": headers["x-security-token"] ?? ""
})

/** Logged in by CST and X-SECURITY-TOKEN: what to send from then on. */
export const pair = Effect.map(login(2), tokensIn)

export const refresh = (refreshToken: string) =>
  ask({ method: "POST", path: "/session/refresh-token", body: { refresh_token: refreshToken } })

/** Lets everything that can run, run: fibers, and the sockets behind them. */
const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))

/** Waits for what fibers and sockets bring about, without time passing. */
export const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> => {
  const look = (left: number): Effect.Effect<void, E, R> =>
    Effect.flatMap(condition, (holds) => {
      if (holds) return Effect.void
      return left === 0 ? Effect.die("what was waited for did not come") : Effect.zipRight(turn, look(left - 1))
    })
  return look(20_000)
}

export const inMemory = Sandbox.layerHttpClient

export const overHttp = (options: Sandbox.Sandbox.Options = {}) =>
  Layer.merge(NodeHttpClient.layer, Sandbox.layer(options))

/** The same behaviour, by two transports. */
export const forms: ReadonlyArray<
  readonly [name: string, layer: (options?: Sandbox.Sandbox.Options) => Layer.Layer<Needs, Sandbox.SandboxError>]
> = [
  ["in memory", inMemory],
  ["over HTTP", overHttp]
]
