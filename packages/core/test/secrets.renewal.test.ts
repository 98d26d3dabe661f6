import { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import { AuthError, type IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { beforeAll, describe, inject } from "vitest"
import { shown } from "./utils/output.ts"
import { keptInMemory } from "./utils/ig.ts"
import { changed, logging, tracing } from "./utils/life.ts"
import { search, unseen } from "./utils/search.ts"
import { cipher } from "./utils/seal.ts"
import { remember } from "./utils/secrets.ts"
import { beginMetrics, inspected, makeLogs, makeSpans, metrics, printings } from "./utils/sinks.ts"

/* ---- who logs in, and with what ---------------------------------------------- */

const withCipher = Effect.provideService(PasswordCipher, cipher)

type Login = Effect.Effect<unknown, IgError, Session.Ig | Credentials>

const logins: ReadonlyArray<readonly [name: string, login: Login]> = [
  ["login", Session.login],
  ["loginV2", Session.loginV2],
  ["loginWithEncryption", withCipher(Session.loginWithEncryption)],
  ["loginV2WithEncryption", withCipher(Session.loginV2WithEncryption)]
]

const wrongPassword = `wrong-${inject("planted").password}`
remember(wrongPassword)

type Mood = "right" | "wrong" | "talkative"

/** Gives the right password, until it is told otherwise. */
class Keyring extends Effect.Service<Keyring>()("test/Keyring", {
  sync: (): { mood: Mood } => ({ mood: "right" })
}) {}

const become = (mood: Mood) => Effect.map(Keyring, (keyring) => void (keyring.mood = mood))

const changeable = Layer.effect(
  Credentials,
  Effect.gen(function* () {
    const right = yield* Credentials
    const keyring = yield* Keyring
    return Effect.flatMap(right, (values) => {
      const { mood } = keyring
      if (mood === "right") return Effect.succeed(values)
      if (mood === "wrong") return Effect.succeed({ ...values, password: Redacted.make(wrongPassword) })
      const detail = `not ${Redacted.value(values.password)}`
      return Effect.fail(new AuthError({ operation: "keyring", reason: "credentials-unavailable", detail }))
    })
  })
)

/* ---- what happens to the session ---------------------------------------------- */

const expired = (...kinds: ReadonlyArray<"access" | "refresh" | "cst" | "xst">) =>
  Effect.flatMap(Sandbox, ({ expire }) => expire(...kinds))

const deadForGood = expired("access", "refresh", "cst", "xst")

const atLogin = { method: "POST", path: "/session" }

const troubles: ReadonlyArray<readonly [name: string, trouble: Effect.Effect<void, never, Sandbox | Keyring>]> = [
  ["a dead bearer", expired("access", "xst")],
  ["a dead refresh token", deadForGood],
  [
    "a login out of a cache",
    Effect.zipRight(
      deadForGood,
      Effect.flatMap(Sandbox, ({ setSwitches }) => setSwitches({ deadTokensAtLogin: true }))
    )
  ],
  ["refused credentials", Effect.zipRight(deadForGood, become("wrong"))],
  [
    "a cut login",
    Effect.zipRight(
      deadForGood,
      Effect.flatMap(Sandbox, ({ inject }) => inject({ kind: "cutHeaders", times: 1_000, ...atLogin }))
    )
  ]
]

const order = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  body: Schema.Struct({ dealReference: Schema.String }),
  answer: Schema.Unknown
})

const position = Endpoint.make({
  name: "positions.get",
  method: "GET",
  path: "/positions/{dealId}",
  version: 2,
  answer: Schema.Unknown
})

const operations: ReadonlyArray<Effect.Effect<unknown, IgError, Session.Ig>> = [
  Session.read(),
  Endpoint.call(order, { body: { dealReference: "SBX02" } }),
  Endpoint.call(position, { path: { dealId: "SBX01" } }),
  withAccount("SBX02")(Session.read()),
  Session.refresh,
  Session.switchAccount("SBX02"),
  Session.read({ fetchTokens: true })
]

const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))

const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    for (let left = 720; left > 0; left--) {
      yield* turn
      yield* turn
      if (fiber.unsafePoll() !== null) break
      yield* TestClock.adjust("30 seconds")
    }
    return yield* Fiber.join(fiber)
  })

interface Lived {
  readonly errors: ReadonlyArray<IgError>
  readonly events: ReadonlyArray<SessionEvent>
  readonly statuses: ReadonlyArray<Session.Status>
}

/** Through a trouble with every operation, and all that people print on the way. */
const live = (login: Login, trouble: Effect.Effect<void, never, Sandbox | Keyring>) =>
  Effect.gen(function* () {
    const events: Array<SessionEvent> = []
    const statuses: Array<Session.Status> = []
    const errors: Array<IgError> = []
    yield* Effect.forkScoped(Stream.runForEach(Session.events, (event) => Effect.sync(() => void events.push(event))))
    yield* turn
    yield* login
    yield* Session.read()
    yield* withAccount("SBX02")(Session.read())
    yield* trouble
    for (const operation of operations) {
      const outcome = yield* Effect.either(operation)
      if (Either.isLeft(outcome)) {
        errors.push(outcome.left)
        yield* Effect.logError("failed", outcome.left)
        yield* Effect.logTrace(Cause.fail(outcome.left))
      }
      const status = yield* Session.status
      statuses.push(status)
      yield* Effect.logInfo("status", status)
    }
    yield* Effect.exit(Session.logout)
    yield* turn
    for (const event of events) yield* Effect.logDebug("event", event)
    return { errors, events, statuses } satisfies Lived
  }).pipe(inTime, Effect.scoped)

/* ---- where to look ------------------------------------------------------------- */

const encodeError = Schema.encodeSync(AuthError)

const printingsOf = (error: IgError): ReadonlyArray<string> => [
  ...printings(error),
  ...("causes" in error ? (error.causes ?? []).flatMap(printings) : []),
  ...(error._tag === "AuthError" ? [JSON.stringify(encodeError(error)), inspected(encodeError(error))] : []),
  error.message
]

const texts = ({ errors, events, statuses }: Lived) => ({
  errors: errors.flatMap(printingsOf),
  events: events.flatMap(printings),
  statuses: statuses.flatMap(printings)
})

const accountsWith = (accountId: string): ReadonlyArray<Sandbox.Account> => [
  { accountId, accountType: "CFD", preferred: true },
  { accountId: "SBX02", accountType: "SPREADBET" }
]

type Change = (client: HttpClient.HttpClient) => HttpClient.HttpClient

interface Planted {
  readonly change?: Change
  /** Of the account that logins start on. */
  readonly accountId?: string
}

const lifeOf = (
  login: Login,
  trouble: Effect.Effect<void, never, Sandbox | Keyring>,
  { accountId = "SBX01", change = identity }: Planted = {}
) => {
  const spans = makeSpans()
  const logs = makeLogs()
  const stack = changeable.pipe(
    Layer.provideMerge(changed(change)),
    Layer.provideMerge(
      Layer.merge(
        keptInMemory({}, { accounts: accountsWith(accountId), switches: { encryptedV3: true } }),
        Keyring.Default
      )
    ),
    Layer.provideMerge(Layer.merge(spans.layer, logs.layer))
  )
  return Effect.gen(function* () {
    yield* beginMetrics
    const lived = yield* live(login, trouble)
    const tokens = (yield* (yield* Sandbox).issued).map(({ value }) => value)
    remember(...tokens)
    const sent = (yield* (yield* Sandbox).record).map(({ path }) => path)
    return { lived, sent, spans, logs, tokens, found: search(texts(lived), spans, logs, yield* metrics) }
  }).pipe(Effect.provide(stack))
}

beforeAll(() => {
  shown.isOn = false
})

/** A user's own tracing and logging, of each request. */
const talkative: Change = (client) => logging(tracing(client))

/** Where requests go that renew a session: refreshes, keys and logins. */
const renewedBy = (login: string): ReadonlyArray<string> => [
  "/session",
  ...(login.startsWith("loginV2") ? [] : ["/session/refresh-token"]),
  ...(login.endsWith("WithEncryption") ? ["/session/encryptionKey"] : [])
]

describe("no secret comes out of a renewal", () => {
  for (const [name, login] of logins) {
    for (const [what, trouble] of troubles) {
      it.effect(`${name}, ${what}`, () =>
        Effect.gen(function* () {
          const { found, lived, logs, sent, spans, tokens } = yield* lifeOf(login, trouble, { change: talkative })
          expect(found).toEqual([])
          expect(tokens.length).toBeGreaterThanOrEqual(2)
          // It was a life with all that it is about.
          const names = new Set(spans.seen.map((span) => span.name))
          expect([...names]).toEqual(expect.arrayContaining(["Ig.send", "Ig.session.renewal", "Ig.session.read"]))
          expect(lived.events.map(({ _tag }) => _tag)).toEqual(expect.arrayContaining(["LoggedIn", "Refused"]))
          expect(lived.statuses).toHaveLength(operations.length)
          expect(logs.printed.length).toBeGreaterThan(50)
          // Each request was told of by the user's client, those too that renewed it.
          const own = spans.seen.filter((span) => span.name === "own").map((span) => inspected(span.attributes))
          expect(own).toHaveLength(sent.length)
          expect(sent).toEqual(expect.arrayContaining([...renewedBy(name)]))
          for (const path of new Set(sent)) {
            const url = new RegExp(`https?://[^/]+/gateway/deal${path}\\b`)
            expect(own.some((text) => url.test(text))).toBe(true)
            expect(logs.printed.some((text) => text.includes("sending") && url.test(text))).toBe(true)
          }
          const lost = lived.errors.filter((error) => error._tag === "AuthError" && error.reason === "session-lost")
          expect(lost.length > 0).toBe(!["a dead bearer", "a dead refresh token"].includes(what))
        })
      )
    }
  }
})

describe("the check itself turns red", () => {
  const onRequest =
    (leak: (token: string, accountId: string) => Effect.Effect<unknown>): Change =>
    (client) =>
      HttpClient.tapRequest(client, ({ headers }) =>
        leak(headers["authorization"] ?? "none", headers["ig-account-id"] ?? "none")
      )

  const account = "PLANTED-ACCOUNT-0123456789"
  remember(account)

  const counted = (name: string) => (value: string) =>
    Metric.increment(Metric.tagged(Metric.counter("own"), name, value))

  const plants: ReadonlyArray<
    readonly [
      what: string,
      planted: Planted,
      found: ReadonlyArray<string>,
      trouble?: Effect.Effect<void, never, Sandbox | Keyring>
    ]
  > = [
    ["a token on a span", { change: onRequest((token) => Effect.annotateCurrentSpan("own", token)) }, ["spans"]],
    [
      "a token in what a span failed with",
      { change: onRequest((token) => Effect.ignore(Effect.withSpan(Effect.fail(token), "own"))) },
      ["spans"]
    ],
    [
      "a token in a line of the lowest level, which a span shows too",
      { change: onRequest((token) => Effect.logTrace("own", { token })) },
      ["spans", "logs", "output"]
    ],
    [
      "a token on standard error",
      { change: onRequest((token) => Effect.sync(() => process.stderr.write(`${token}\n`))) },
      ["output"]
    ],
    [
      "the password in a cause of session-lost",
      {},
      ["errors", "events", "spans", "logs", "output"],
      Effect.zipRight(deadForGood, become("talkative"))
    ],
    ["a secret for an account", { accountId: account }, ["events", "statuses", "logs", "output"]],
    ["an account on a span", { change: onRequest((_, id) => Effect.annotateCurrentSpan("own", id)) }, ["ids in spans"]],
    ["a token for a label", { change: onRequest(counted("token")) }, ["metrics"]],
    ["an account for a label", { change: onRequest((_, id) => counted("account")(id)) }, ["ids in metrics"]]
  ]

  for (const [what, planted, found, trouble] of plants) {
    it.effect(`for ${what}`, () =>
      unseen(
        Effect.gen(function* () {
          expect((yield* lifeOf(Session.login, trouble ?? deadForGood, planted)).found).toEqual(found)
        })
      )
    )
  }
})
