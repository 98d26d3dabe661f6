import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { start } from "./utils/executable.ts"

const Texts = Schema.Record({ key: Schema.String, value: Schema.String })

const Step = Schema.Struct({
  say: Schema.String,
  request: Schema.Struct({
    method: Schema.Literal("GET", "POST", "PUT", "PATCH", "DELETE"),
    path: Schema.String,
    /** `null` sends none; absent, the right one. */
    key: Schema.optional(Schema.NullOr(Schema.String)),
    version: Schema.optional(Schema.String),
    headers: Schema.optional(Texts),
    body: Schema.optional(Schema.Unknown),
    /** A body as it is, be it JSON or not. */
    text: Schema.optional(Schema.String)
  }),
  status: Schema.Int,
  code: Schema.optional(Schema.String),
  empty: Schema.optional(Schema.Boolean),
  /** Headers that the answer has, and has not. */
  headers: Schema.optional(Schema.Array(Schema.String)),
  without: Schema.optional(Schema.Array(Schema.String)),
  fields: Schema.optional(Schema.Array(Schema.String)),
  is: Schema.optional(Texts),
  /** `header x`, `field a.b`, or a text: what later steps call `{{name}}`. */
  keep: Schema.optional(Texts)
})

const steps = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Step)), { onExcessProperty: "error" })(
  readFileSync(join(import.meta.dirname, "scenario.json"), "utf8")
)

const field = (json: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, name) => (Predicate.hasProperty(value, name) ? value[name] : undefined), json)

const play = (baseUrl: string) =>
  Effect.gen(function* () {
    const kept = new Map<string, string>()
    const seen: Array<unknown> = []
    const filled = (text: string): string =>
      text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => kept.get(name) ?? "")
    for (const step of steps) {
      const { body, headers = {}, key = "sandbox-api-key", method, path, text: own, version } = step.request
      const sent = body === undefined ? own : filled(JSON.stringify(body))
      const request = HttpClientRequest.make(method)(`${baseUrl}${path}`, {
        headers: {
          ...(key === null ? {} : { "X-IG-API-KEY": key }),
          ...(version === undefined ? {} : { VERSION: version }),
          ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)]))
        },
        ...(sent === undefined ? {} : { body: HttpBody.text(sent, "application/json; charset=UTF-8") })
      })
      const response = yield* HttpClient.execute(request)
      const text = yield* response.text
      const json: unknown = text === "" ? undefined : JSON.parse(text)
      const said = (what: unknown) => [step.say, what]

      expect(said(response.status)).toEqual(said(step.status))
      expect(said(field(json, "errorCode"))).toEqual(said(step.code))
      if (step.empty === true) expect(said(text)).toEqual(said(""))
      for (const name of step.headers ?? []) expect(said(response.headers[name] ?? "")).not.toEqual(said(""))
      for (const name of step.without ?? []) expect(said(response.headers[name])).toEqual(said(undefined))
      for (const name of step.fields ?? []) expect(said(field(json, name))).not.toEqual(said(undefined))
      for (const [name, value] of Object.entries(step.is ?? {})) expect(said(field(json, name))).toEqual(said(value))

      const found = Object.entries(step.keep ?? {}).map(([name, from]): readonly [string, string] => {
        if (from.startsWith("header ")) return [name, response.headers[from.slice(7)] ?? ""]
        return [name, from.startsWith("field ") ? String(field(json, from.slice(6))) : filled(from)]
      })
      for (const [name, value] of found) kept.set(name, value)
      seen.push([step.say, response.status, response.headers["content-type"], shape(json)])
    }
    return seen
  })

/** The fields in their order; what differs from run to run is in some of their values. */
const shape = (json: unknown): unknown => {
  if (Array.isArray(json)) return json.map(shape)
  if (Predicate.isRecord(json)) return Object.entries(json).map(([name, value]) => [name, shape(value)])
  return typeof json
}

const inForm = Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) => play(baseUrl))

/** What the other forms must answer, too. */
const inMemory = Effect.provide(inForm, Sandbox.layerHttpClient())

describe("the scenario runs", () => {
  it.live("in memory", () =>
    Effect.gen(function* () {
      expect(yield* inMemory).toHaveLength(steps.length)
    })
  )

  it.live("over HTTP", () =>
    Effect.gen(function* () {
      const seen = yield* Effect.provide(inForm, Layer.merge(Sandbox.layer(), FetchHttpClient.layer))
      expect(seen).toEqual(yield* inMemory)
    })
  )

  it.live("against the executable", () =>
    Effect.gen(function* () {
      const running = start("--port", "0")
      const line = yield* Effect.promise(() => running.firstLine)
      const seen = yield* play(line.replace("IG sandbox listening on ", "")).pipe(
        Effect.provide(FetchHttpClient.layer),
        Effect.ensuring(Effect.sync(() => running.kill("SIGTERM")))
      )
      expect(seen).toEqual(yield* inMemory)
      expect((yield* Effect.promise(() => running.ended)).code).toBe(0)
    })
  )

  it("has steps to run, each by its own name", () => {
    expect(steps.length).toBeGreaterThanOrEqual(40)
    expect(new Set(steps.map(({ say }) => say)).size).toBe(steps.length)
  })
})
