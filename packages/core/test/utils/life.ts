/** A session's life with every operation, every way to fail and every sink, over several stacks: nothing may leak. */
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import type { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import { printed } from "./output.ts"
import { inMemory, overHttp } from "./ig.ts"
import { leaksIn, remember } from "./secrets.ts"
import { inspected, type Logs, metrics, printings, type Spans } from "./sinks.ts"

const garbled = (secrets: ReadonlyArray<string>): Fault => ({
  kind: "answer",
  status: 200,
  text: JSON.stringify({
    clientId: secrets,
    accountId: { secrets },
    oauthToken: { access_token: `${secrets.join(" ")}\n`, refresh_token: secrets, expires_in: secrets[0] }
  }),
  workDone: true
})

const faults = (secrets: ReadonlyArray<string>): ReadonlyArray<Fault | undefined> => [
  undefined,
  { kind: "cutHeaders" },
  { kind: "cutBody" },
  { kind: "nonJson403" },
  { kind: "answer", status: 500, errorCode: "system.error" },
  { kind: "answer", status: 200, text: "<html>" },
  garbled(secrets)
]

/** Lives through every operation and every way to fail, and prints all that it meets in every way. */
const life = <R>(operations: ReadonlyArray<Effect.Effect<unknown, IgError, R>>) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const prints: Array<string> = []
    for (const login of [Session.login, Session.loginV2]) {
      for (const operation of operations) {
        const tokens = (yield* sandbox.issued).map(({ value }) => value)
        for (const fault of faults([...tokens.slice(-4), sandbox.password])) {
          yield* sandbox.reset
          yield* login
          if (fault !== undefined) yield* sandbox.inject(fault)
          const outcome = yield* Effect.either(operation)
          const value = outcome._tag === "Left" ? outcome.left : outcome.right
          const session = yield* SessionState.get
          prints.push(...printings(value), ...printings(session))
          yield* Effect.logTrace("outcome", value, session)
          yield* Effect.logFatal(outcome)
          remember(...(yield* sandbox.issued).map(({ value }) => value))
          yield* Effect.exit(operation)
        }
      }
    }
    return prints
  })

/** A user's own client with its own tracing: whole headers, redacted as platform's tools do it. */
export const tracing = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(client, (effect, request) =>
    Effect.flatMap(FiberRef.get(Headers.currentRedactedNames), (names) =>
      Effect.withSpan(effect, "own", {
        attributes: {
          headers: inspected(Headers.redact(request.headers, names)),
          request: inspected(request),
          method: request.method
        }
      })
    )
  )

/** A user's own client that logs each request object, in all the ways there are. */
export const logging = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.tapRequest(client, (request) =>
    Effect.gen(function* () {
      yield* Effect.logInfo("sending", request)
      yield* Effect.logDebug(`sending ${JSON.stringify(request)} ${String(request)} ${inspected(request.body)}`)
      yield* Effect.sync(() => process.stderr.write(`${inspected(request)}\n`))
    })
  )

/** On top of the client of the stack below. */
export const changed = (
  change: (client: HttpClient.HttpClient) => HttpClient.HttpClient
): Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, change))

export const stacks = [
  ["in memory", inMemory()],
  ["over undici", overHttp(NodeHttpClient.layerUndici)],
  ["over Node http", overHttp(NodeHttpClient.layer)],
  ["over fetch", overHttp(FetchHttpClient.layer)],
  ["with a client that traces", changed(tracing).pipe(Layer.provideMerge(inMemory()))],
  ["with a client that logs its requests", changed(logging).pipe(Layer.provideMerge(inMemory()))],
  [
    "with a client that does both, over HTTP",
    changed((client) => logging(tracing(client))).pipe(Layer.provideMerge(overHttp(NodeHttpClient.layerUndici)))
  ]
] as const

const tracingHeaders = ["b3", "traceparent", "tracestate", "x-b3-traceid"]

export const expectNoLeaks = <R>(
  operations: ReadonlyArray<Effect.Effect<unknown, IgError, R>>,
  spans: Spans,
  logs: Logs
) =>
  Effect.gen(function* () {
    const prints = yield* life(operations)
    expect(prints.length).toBeGreaterThan(100 * operations.length)
    expect(leaksIn(prints)).toEqual([])
    expect(logs.printed.length).toBeGreaterThan(100)
    expect(leaksIn(logs.printed)).toEqual([])
    expect(spans.seen.length).toBeGreaterThan(50)
    expect(leaksIn(spans.printed())).toEqual([])
    expect(leaksIn(yield* metrics)).toEqual([])
    expect(leaksIn(printed)).toEqual([])

    const record = yield* (yield* Sandbox).record
    const sent = record.flatMap(({ headers }) => Object.keys(headers))
    expect(sent.filter((header) => tracingHeaders.includes(header))).toEqual([])
    // Platform's own span would hold the full URL and the account's header.
    expect(spans.seen.filter((span) => span.name.startsWith("http.client"))).toEqual([])
    const ours = spans.seen.filter((span) => span.name.startsWith("Ig."))
    expect(inspected(ours.map(({ attributes }) => attributes))).not.toMatch(/SBX0|100000001/)
    expect(yield* metrics).not.toMatch(/SBX0|100000001/)
  })
