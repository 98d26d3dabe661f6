import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import { AggregationTemporality, InMemoryMetricExporter } from "@opentelemetry/sdk-metrics"
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace-base"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { inspect } from "node:util"
import { ClientLayer } from "../sandboxClient.ts"
import * as Otlp from "./otlp.ts"
import * as Sdk from "./sdk.ts"

/** A run that leaves its session in a store. */
const StoredLayer = IgClient.layerResumed(Session.login).pipe(
  Layer.provideMerge(ClientLayer),
  Layer.provide(SessionStore.layerKeyValueStore({ key: "ig-session" })),
  Layer.provide(KeyValueStore.layerMemory)
)

/** Sessions with something to see: one is stored; of another the bearer dies, and then IG has no allowance for a read. */
const life = Effect.gen(function* () {
  const { expire, inject } = yield* Sandbox.Sandbox
  yield* Effect.provide(Effect.void, StoredLayer)
  yield* Session.read()
  yield* expire("access")
  yield* Session.read()
  yield* inject({ kind: "allowance", allowance: "account", method: "GET", path: "/session" })
  const elsewhere = withAccount("SBX02")(Session.read())
  const waiting = yield* Effect.fork(elsewhere)
  yield* Effect.repeat(Effect.zipRight(Effect.sleep("1 millis"), Throttle.status), {
    until: Option.exists((status) => status.waiting > 0)
  })
  yield* Fiber.interrupt(waiting)
  yield* Effect.flip(Throttle.waitAtMost(0)(elsewhere))
})

const names = ["Ig.session.login", "Ig.session.read", "Ig.session.renewal", "Ig.send"]

const metricNames = [
  "ig_logins_total",
  "ig_refreshes_total",
  "ig_token_refusals_total",
  "ig_resends_total",
  "ig_renewal_wait_ms",
  "ig_resumes_total",
  "ig_store_operations_total",
  "ig_throttle_waiting",
  "ig_throttle_wait_ms",
  "ig_throttle_not_sent_total",
  "ig_allowance_refusals_total"
]

/** Tokens, key, password and accounts of the sandbox, none of which may be in what was exported. */
const expectNoSecret = (exported: string) =>
  Effect.gen(function* () {
    const { apiKey, issued, password } = yield* Sandbox.Sandbox
    const secrets = [apiKey, password, "SBX0", ...(yield* issued).map(({ value }) => value)]
    expect(secrets.length).toBeGreaterThan(5)
    expect(secrets.filter((secret) => exported.includes(secret))).toEqual([])
  })

/** What a collector was sent, by path. */
const collector = (received: Map<string, string>) => (client: HttpClient.HttpClient) =>
  HttpClient.make((request) =>
    Effect.suspend(() => {
      if (!request.url.startsWith("http://localhost:4318/")) return client.execute(request)
      const path = new URL(request.url).pathname
      const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
      received.set(path, (received.get(path) ?? "") + body)
      return Effect.succeed(HttpClientResponse.fromWeb(request, new Response()))
    })
  )

const environment = ConfigProvider.fromMap(
  new Map([
    ["IG_ENVIRONMENT", "https://sandbox.invalid/gateway/deal"],
    ["IG_API_KEY", "sandbox-api-key"],
    ["IG_IDENTIFIER", "sandbox"],
    ["IG_PASSWORD", "Sandbox-Pa55word"]
  ])
)

it.live("OTLP carries the spans and metrics of a session's whole life, and no secret", () => {
  const received = new Map<string, string>()
  const collected = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, collector(received)))
  return Effect.gen(function* () {
    yield* Effect.provide(life, Otlp.ObservedLayer)
    const traces = received.get("/v1/traces") ?? ""
    const metrics = received.get("/v1/metrics") ?? ""
    expect(names.filter((name) => !traces.includes(`"name":"${name}"`))).toEqual([])
    expect(metricNames.filter((name) => !metrics.includes(`"name":"${name}"`))).toEqual([])
    // The logout is sent when the session's layer closes, and only then.
    expect(traces.split(`"stringValue":"DELETE"`)).toHaveLength(2)
    for (const sent of received.values()) expect(sent).toContain("my-bot")
    yield* expectNoSecret([...received.values()].join("\n"))
  }).pipe(
    Effect.provide(Layer.provideMerge(collected, Sandbox.layerHttpClient())),
    Effect.withConfigProvider(environment)
  )
})

/** Keeps what it was given when it is shut down, which the layer does when it closes. */
class KeptSpans extends InMemorySpanExporter {
  override shutdown(): Promise<void> {
    return Promise.resolve()
  }
}

it.live("exporters of the SDK get the same", () => {
  const traces = new KeptSpans()
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const stack = IgClient.layerSignedIn(Session.login).pipe(
    Layer.provideMerge(ClientLayer),
    Layer.provideMerge(Sdk.layer(traces, metrics))
  )
  return Effect.gen(function* () {
    yield* Effect.provide(life, stack)
    const spans = traces.getFinishedSpans()
    const counted = metrics.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    expect(new Set(spans.map(({ name }) => name))).toEqual(new Set(names))
    expect(counted.map(({ descriptor }) => descriptor.name)).toEqual(expect.arrayContaining(metricNames))
    const logouts = spans.filter(({ attributes }) => attributes["http.request.method"] === "DELETE")
    expect(logouts.map(({ attributes, name }) => ({ name, ...attributes }))).toEqual([
      expect.objectContaining({ name: "Ig.send", "url.template": "/session", "ig.version": 1 })
    ])
    expect(spans[0]?.resource.attributes["service.name"]).toBe("my-bot")
    yield* expectNoSecret(inspect([spans, counted], { depth: Number.POSITIVE_INFINITY, showHidden: true }))
  }).pipe(Effect.provide(Sandbox.layerHttpClient()))
})
