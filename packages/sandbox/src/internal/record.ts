/** What the gateway received, with secrets masked so that they can still be compared. */
import { createHash } from "node:crypto"
import { fields, type GatewayRequest, type GatewayResponse } from "./http.ts"
import type { World } from "./world.ts"

export interface RecordedRequest {
  readonly seq: number
  /** In ms since the epoch. */
  readonly receivedAt: number
  /** As IG understood it: a `POST` with `_method: DELETE` is a `DELETE`. */
  readonly method: string
  readonly wireMethod: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** The `Version` header; `undefined` when there was none. */
  readonly version: number | undefined
  readonly headers: Readonly<Record<string, string>>
  /** The fields of a JSON object; `undefined` when there was no body, `"(not a JSON object)"` when it was another. */
  readonly body: Readonly<Record<string, unknown>> | string | undefined
  readonly status: number
  readonly errorCode: string | undefined
  /** Labels of the tokens given out in the answer. */
  readonly issued: ReadonlyArray<string>
  /** What entered the book or the watchlists, or left them: a duplicate is visible. */
  readonly entered: ReadonlyArray<string>
  /** Has IG done its work? It has not when a fault answered instead. */
  readonly isWorked: boolean
  /** Was the whole answer handed over? */
  readonly isDelivered: boolean
}

export interface Entry {
  received: Omit<RecordedRequest, "status" | "errorCode" | "issued" | "entered" | "isWorked" | "isDelivered">
  status: number
  errorCode: string | undefined
  issued: ReadonlyArray<string>
  entered: ReadonlyArray<string>
  isWorked: boolean
  isDelivered: boolean
}

const fingerprint = (value: string): string => `unknown:${createHash("sha256").update(value).digest("hex").slice(0, 8)}`

const label = (world: World, value: string): string => world.tokens.get(value)?.label ?? fingerprint(value)

const maskHeader = (world: World, name: string, value: string): string => {
  switch (name) {
    case "x-ig-api-key":
      return value === world.apiKey ? "key:valid" : fingerprint(value)
    case "cst":
    case "x-security-token":
      return label(world, value)
    case "authorization": {
      const bearer = /^bearer (.+)$/i.exec(value)?.[1]
      return bearer === undefined ? fingerprint(value) : `Bearer ${label(world, bearer)}`
    }
    default:
      return value
  }
}

const maskField = (world: World, name: string, value: unknown): unknown => {
  if (typeof value !== "string") return value
  if (name === "password") return value === world.password ? "password:correct" : fingerprint(value)
  return /token/i.test(name) ? label(world, value) : value
}

const maskBody = (world: World, request: GatewayRequest): Entry["received"]["body"] => {
  if (request.body.length === 0) return undefined
  const found = fields(request)
  if (found.size === 0) {
    return new TextDecoder().decode(request.body).trim() === "{}" ? {} : "(not a JSON object)"
  }
  return Object.fromEntries([...found].map(([name, value]) => [name, maskField(world, name, value)]))
}

export const receive = (
  world: World,
  seq: number,
  wireMethod: string,
  request: GatewayRequest,
  receivedAt: number
): Entry => ({
  received: {
    seq,
    receivedAt,
    method: request.method,
    wireMethod,
    path: request.path,
    query: request.query,
    version: request.headers["version"] === undefined ? undefined : Number(request.headers["version"]),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, maskHeader(world, name, value)])
    ),
    body: maskBody(world, request)
  },
  status: 0,
  errorCode: undefined,
  issued: [],
  entered: [],
  isWorked: false,
  isDelivered: false
})

export const finish = (entry: Entry, response: GatewayResponse, isWorked: boolean): void => {
  entry.status = response.status
  entry.errorCode = response.errorCode
  entry.issued = response.issued ?? []
  entry.entered = response.entered ?? []
  entry.isWorked = isWorked
}

export const toRecorded = ({ received, ...rest }: Entry): RecordedRequest => ({ ...received, ...rest })
