import { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import type { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import { beforeAll, describe, inject } from "vitest"
import { printed, shown } from "./setup/output.ts"
import { inMemory, overHttp } from "./utils/ig.ts"
import { leaksIn, remember } from "./utils/secrets.ts"
import { inspected, makeLogs, makeSpans, metrics, printings } from "./utils/sinks.ts"

type Operation = Effect.Effect<unknown, IgError, Session.Ig | Credentials>

const wrongPassword: Operation = Effect.gen(function* () {
  const { identifier } = yield* yield* Credentials
  const password = Redacted.make(`wrong-${inject("planted").password}`)
  yield* Effect.provideService(Session.login, Credentials, Effect.succeed({ identifier, password }))
})

const operations: ReadonlyArray<Operation> = [
  Session.login,
  Session.loginV2,
  Session.refresh,
  Session.read(),
  Session.read({ fetchTokens: true }),
  Session.switchAccount("SBX02"),
  Session.switchAccount("not an id"),
  Session.encryptionKey,
  wrongPassword,
  Session.logout
]

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
const life = Effect.gen(function* () {
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
const tracing = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
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
const logging = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.tapRequest(client, (request) =>
    Effect.gen(function* () {
      yield* Effect.logInfo("sending", request)
      yield* Effect.logDebug(`sending ${JSON.stringify(request)} ${String(request)} ${inspected(request.body)}`)
      yield* Effect.sync(() => process.stderr.write(`${inspected(request)}\n`))
    })
  )

const changed = (change: (client: HttpClient.HttpClient) => HttpClient.HttpClient) =>
  Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, change))

const stacks = [
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

beforeAll(() => {
  shown.isOn = false
})

describe("no secret comes out", () => {
  for (const [name, stack] of stacks) {
    const spans = makeSpans()
    const logs = makeLogs()
    it.live(name, () =>
      Effect.gen(function* () {
        const prints = yield* life
        expect(prints.length).toBeGreaterThan(1000)
        expect(leaksIn(prints)).toEqual([])
        expect(logs.printed.length).toBeGreaterThan(100)
        expect(leaksIn(logs.printed)).toEqual([])
        expect(spans.seen.length).toBeGreaterThan(50)
        expect(leaksIn(spans.printed())).toEqual([])
        expect(leaksIn(yield* metrics)).toEqual([])
        expect(leaksIn(printed)).toEqual([])

        const record = yield* (yield* Sandbox).record
        expect(
          record.flatMap(({ headers }) => Object.keys(headers)).filter((header) => tracingHeaders.includes(header))
        ).toEqual([])
        const ours = spans.seen.filter((span) => span.name.startsWith("Ig."))
        expect(inspected(ours.map(({ attributes }) => attributes))).not.toMatch(/SBX0|100000001/)
        expect(yield* metrics).not.toMatch(/SBX0|100000001/)
      }).pipe(Effect.provide(Layer.provideMerge(stack, Layer.merge(spans.layer, logs.layer))))
    )
  }
})

describe("the check itself turns red for a leak", () => {
  const secret = "s3cret-Token/with+signs=0123456789abcdef"
  const found = (text: string) => leaksIn(text, [secret])

  it("however it is spelt", () => {
    const base64 = (prefix: string) => Buffer.from(`${prefix}${secret}|1`).toString("base64")
    for (const text of [
      secret,
      `x${secret.slice(3, 19)}y`,
      base64(""),
      base64("a"),
      base64("ab"),
      base64("ab").replaceAll("+", "-").replaceAll("/", "_"),
      encodeURIComponent(secret),
      JSON.stringify({ secret: `${secret}"` })
    ]) {
      expect(found(text)).toEqual([secret])
    }
    expect(found("nothing of the kind")).toEqual([])
  })

  it.effect("in an error, a defect, a log, a span, an event and a metric", () => {
    const spans = makeSpans()
    const logs = makeLogs()
    return Effect.gen(function* () {
      const prints = [...printings(new Error(secret)), ...printings({ token: secret })]
      expect(prints.filter((text) => found(text).length > 0)).toEqual(prints.filter((text) => text.includes(secret)))
      expect(prints.filter((text) => text.includes(secret)).length).toBeGreaterThan(8)
      yield* Effect.logTrace("oh", { token: secret })
      expect(logs.printed.map(found)).toEqual(logs.printed.map(() => [secret]))
      yield* Effect.void.pipe(Effect.withSpan("leaky", { attributes: { token: secret } }))
      expect(found(spans.printed())).toEqual([secret])
      const other = `other-${secret}`
      yield* Effect.currentSpan.pipe(
        Effect.flatMap((span) => Effect.sync(() => span.event(other, 0n))),
        Effect.withSpan("eventful")
      )
      expect(leaksIn(spans.printed(), [other])).toEqual([other])
      yield* Metric.tagged(Metric.counter("leaky"), "token", secret)(Effect.succeed(1))
      expect(found(yield* metrics)).toEqual([secret])
    }).pipe(Effect.provide(Layer.merge(spans.layer, logs.layer)))
  })

  it("on standard output, on standard error and on the console", () => {
    const before = printed.length
    process.stdout.write(`${secret} 1\n`)
    process.stderr.write(`${secret} 2\n`)
    console.info({ secret: [secret] })
    const after = printed.splice(before)
    expect(after.filter((text) => found(text).length > 0).length).toBeGreaterThanOrEqual(3)
  })
})
