/**
 * The control endpoint beside the gateway: `/_sandbox/…`, JSON both ways, for clients in any language. What it can do is
 * what the `Sandbox` service can do.
 */
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Fault } from "../Fault.ts"
import type { Sandbox } from "../Sandbox.ts"
import { Patch, Preset, presets } from "../Switches.ts"
import { answer, type GatewayRequest, type GatewayResponse } from "./http.ts"
import type { RecordedRequest } from "./record.ts"
import { tokenKinds } from "./world.ts"

export interface Control {
  /** The path is relative to `/_sandbox`. */
  readonly handle: (request: GatewayRequest) => Effect.Effect<GatewayResponse>
}

type Verb = (body: unknown) => Effect.Effect<GatewayResponse>

const ok = (body: unknown): GatewayResponse => answer(200, body)

const done = ok({ done: true })

const wrong = (status: number, message: string): GatewayResponse => answer(status, { error: message })

const inWords = (error: ParseResult.ParseError): string => {
  try {
    return ParseResult.ArrayFormatter.formatErrorSync(error)
      .map(({ message, path }) => `${path.map(String).join(".") || "body"}: ${message}`)
      .join("; ")
  } catch {
    return "body: nested too deep"
  }
}

/** A verb whose body must be of this shape; what is wrong with another is said in words. */
const taking =
  <A, I>(schema: Schema.Schema<A, I>, use: (value: A) => Effect.Effect<void>): Verb =>
  (body) =>
    Schema.decodeUnknown(schema, { onExcessProperty: "error" })(body).pipe(
      Effect.flatMap(use),
      Effect.as(done),
      Effect.catchAll((error) => Effect.succeed(wrong(400, inWords(error))))
    )

const doing =
  (use: Effect.Effect<void>): Verb =>
  () =>
    Effect.as(use, done)

const showing =
  (value: Effect.Effect<unknown>): Verb =>
  () =>
    Effect.map(value, ok)

const countBy = (record: ReadonlyArray<RecordedRequest>, key: (request: RecordedRequest) => string) => {
  const counts = new Map<string, number>()
  for (const request of record) counts.set(key(request), (counts.get(key(request)) ?? 0) + 1)
  return Object.fromEntries(counts)
}

const counters = ({ liveSessions, record }: Sandbox.Service) =>
  Effect.gen(function* () {
    const requests = yield* record
    const of = (method: string, path: string) =>
      requests.filter((request) => request.method === method && request.path === path).length
    return {
      requests: requests.length,
      logins: of("POST", "/session"),
      refreshes: of("POST", "/session/refresh-token"),
      liveSessions: yield* liveSessions,
      byStatus: countBy(requests, ({ status }) => String(status)),
      byCall: countBy(requests, ({ method, path }) => `${method} ${path}`),
      entered: requests.flatMap(({ entered }) => entered)
    }
  })

const parse = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body) || "{}")
  } catch {
    return undefined
  }
}

/** A header that no HTTP can carry would look like a connection that is reset. */
const isSendable = (fault: Fault): boolean => {
  try {
    if ("headers" in fault) void new Headers(fault.headers)
    return true
  } catch {
    return false
  }
}

const SendableFault = Fault.pipe(Schema.filter((fault) => isSendable(fault) || "headers that no HTTP can carry"))

/** A clock that is moved beyond the last date has no dates to tell. */
const century = 100 * 365 * 86_400_000

export const make = (sandbox: Sandbox.Service): Control => {
  const routes = new Map<string, Verb>([
    ["GET /record", showing(sandbox.record)],
    ["GET /counters", showing(counters(sandbox))],
    ["GET /switches", showing(sandbox.switches)],
    ["PATCH /switches", taking(Patch, sandbox.setSwitches)],
    ["POST /preset", taking(Schema.Struct({ preset: Preset }), ({ preset }) => sandbox.setSwitches(presets[preset]))],
    [
      "POST /expire",
      taking(Schema.Struct({ kinds: Schema.Array(Schema.Literal(...tokenKinds, "all")) }), ({ kinds }) =>
        sandbox.expire(...kinds)
      )
    ],
    ["POST /purge", doing(sandbox.purge)],
    [
      "POST /clock",
      taking(Schema.Struct({ advance: Schema.Number.pipe(Schema.between(0, century)) }), ({ advance }) =>
        sandbox.advance(advance)
      )
    ],
    ["POST /faults", taking(SendableFault, sandbox.inject)],
    ["DELETE /faults", doing(sandbox.clearFaults)],
    ["POST /release", doing(sandbox.release)],
    ["POST /reset", doing(sandbox.reset)]
  ])
  const index = ok({ endpoints: [...routes.keys()].map((route) => route.replace(" ", " /_sandbox")) })
  return {
    handle: ({ body, method, path }) => {
      if (path === "/") return Effect.succeed(index)
      const verb = routes.get(`${method} ${path.replace(/\/+$/, "")}`)
      if (verb === undefined) return Effect.succeed(wrong(404, "no such control; GET /_sandbox lists them"))
      const value = parse(body)
      return value === undefined ? Effect.succeed(wrong(400, "the body is not JSON")) : verb(value)
    }
  }
}
