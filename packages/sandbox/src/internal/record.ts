/** What the gateway received, with secrets masked so that they can still be compared. */
import { createHash } from "node:crypto"
import type { Fault } from "../Fault.ts"
import { fields, type GatewayRequest, type GatewayResponse, parse, versionOf } from "./http.ts"
import { openPassword } from "./rsa.ts"
import type { World } from "./world.ts"

/**
 * A body: JSON with its secrets masked, or in brackets why it is not shown.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordedBody =
  Readonly<Record<string, unknown>> | ReadonlyArray<unknown> | string | number | boolean | null | undefined

/**
 * One request as the gateway received it. Secrets are masked but comparable: a token by the label of its issue
 * (`cst-1`, `Bearer access-3`), the API key as `key:valid`, the password as `password:correct`, and what is none of
 * the gateway's own as `unknown:` and a piece of its hash.
 *
 * @since 0.1.0
 * @category models
 */
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
  /** The JSON that was sent; `undefined` when there was no body, `"(not JSON)"` when it was something else. */
  readonly body: RecordedBody
  readonly status: number
  readonly errorCode: string | undefined
  /** Labels of the tokens given out in the answer. */
  readonly issued: ReadonlyArray<string>
  /** What entered the book or the watchlists, or left them: a duplicate is visible. */
  readonly entered: ReadonlyArray<string>
  /** Has IG done its work? It has not when a fault answered instead. */
  readonly isWorked: boolean
  /** The fault that it met, by its kind. */
  readonly fault: Fault["kind"] | undefined
  /** Was the whole answer handed over, to the client in memory or to the system's socket over HTTP? */
  readonly isDelivered: boolean
}

export interface Entry {
  received: Omit<RecordedRequest, "status" | "errorCode" | "issued" | "entered" | "isWorked" | "fault" | "isDelivered">
  status: number
  errorCode: string | undefined
  issued: ReadonlyArray<string>
  entered: ReadonlyArray<string>
  isWorked: boolean
  fault: Fault["kind"] | undefined
  isDelivered: boolean
}

const fingerprint = (value: string): string => `unknown:${createHash("sha256").update(value).digest("hex").slice(0, 8)}`

const label = (world: World, value: string): string => world.tokens.get(value)?.label ?? fingerprint(value)

const hide = (text: string, secret: string, name: string): string =>
  secret === "" ? text : text.replaceAll(secret, name)

/** Whatever is spelt as a token may be one. */
const tokenLike = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{62}C[CD]01116/g

/** Nothing of the gateway's own appears in clear, wherever a client has put it. */
const scrub = (world: World, text: string): string => {
  const named = text.replaceAll(tokenLike, (value) => world.tokens.get(value)?.label ?? value)
  return hide(hide(named, world.password, "password:correct"), world.apiKey, "key:valid")
}

const maskHeader = (world: World, name: string, value: string): string => {
  switch (name) {
    case "x-ig-api-key":
      return value === world.apiKey ? "key:valid" : fingerprint(value)
    case "cst":
    case "x-security-token":
      return label(world, value)
    case "authorization": {
      const bearer = /^bearer +(.+)$/i.exec(value)?.[1]
      return bearer === undefined ? fingerprint(value) : `Bearer ${label(world, bearer)}`
    }
    // Whose ids are random at each request, so that the same seed would not give the same record.
    case "traceparent":
    case "b3":
      return "trace"
    default:
      return scrub(world, value)
  }
}

const maskPassword = (world: World, password: unknown): string =>
  password === world.password ? "password:correct" : fingerprint(asText(password))

/** By what it says, since no two encryptions of one password are alike. */
const maskEncrypted = (world: World, request: GatewayRequest, password: unknown): string => {
  const found = typeof password === "string" ? openPassword(world, request, password) : undefined
  if (found === undefined) return "encrypted:unreadable"
  return `encrypted:${found.password === world.password ? "correct" : fingerprint(found.password)}`
}

const asText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const maskValue = (world: World, name: string, value: unknown): RecordedBody => {
  if (/password/i.test(name) && typeof value !== "boolean") return maskPassword(world, value)
  if (/token/i.test(name) && value !== null) return label(world, asText(value))
  if (Array.isArray(value)) return value.map((item) => maskValue(world, "", item))
  if (typeof value === "object" && value !== null) return maskObject(world, value)
  if (typeof value === "string") return scrub(world, value)
  return typeof value === "number" || typeof value === "boolean" ? value : null
}

const maskObject = (world: World, value: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).map(([name, value]) => [scrub(world, name), maskValue(world, name, value)]))

/** Brackets within texts count too: to be wrong about those costs the record a body, to recurse too deep the request. */
const nesting = (bytes: Uint8Array): number => {
  let depth = 0
  let deepest = 0
  for (const byte of bytes) {
    if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return deepest
}

const deepestRecorded = 200

const maskBody = (world: World, request: GatewayRequest): RecordedBody => {
  if (request.body.length === 0) return undefined
  if (nesting(request.body) > deepestRecorded) return "(nested too deep)"
  const value = parse(request)
  if (value === undefined) return "(not JSON)"
  const masked = maskValue(world, "", value)
  const found = fields(request)
  if (found.get("encryptedPassword") !== true) return masked
  const body = Object.entries(maskObject(world, Object.fromEntries(found)))
  return Object.fromEntries(
    body.map(([name, value]) => [
      name,
      name === "password" ? maskEncrypted(world, request, found.get("password")) : value
    ])
  )
}

const maskQuery = (world: World, name: string, value: string): string => {
  if (/^(true|false)$/i.test(value)) return value
  if (/password/i.test(name)) return maskPassword(world, value)
  return /token/i.test(name) ? label(world, value) : scrub(world, value)
}

const maskAll = (
  world: World,
  values: Readonly<Record<string, string>>,
  mask: (name: string, value: string) => string
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [scrub(world, name), mask(name, value)]))

/** A secret in a path may be percent-encoded. */
const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const maskPath = (world: World, path: string): string => {
  const plain = decoded(path)
  const scrubbed = scrub(world, plain)
  return scrubbed === plain ? path : scrubbed
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
    // A leftover or invented _method may be anything.
    method: /^[A-Z]{1,10}$/.test(request.method) ? request.method : "(unknown)",
    wireMethod,
    path: maskPath(world, request.path),
    query: maskAll(world, request.query, (name, value) => maskQuery(world, name, value)),
    version: request.headers["version"] === undefined ? undefined : versionOf(request),
    headers: maskAll(world, request.headers, (name, value) => maskHeader(world, name, value)),
    body: maskBody(world, request)
  },
  status: 0,
  errorCode: undefined,
  issued: [],
  entered: [],
  isWorked: false,
  fault: undefined,
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
