import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { beforeAll, describe } from "vitest"
import { shown } from "./utils/output.ts"
import { keptInMemory } from "./utils/ig.ts"
import { changed } from "./utils/life.ts"
import { search, unseen } from "./utils/search.ts"
import { remember } from "./utils/secrets.ts"
import { beginMetrics, inspected, makeLogs, makeSpans, metrics, printings } from "./utils/sinks.ts"
import { read, trade } from "./utils/throttled.ts"

const prices = Endpoint.call(
  Endpoint.make({
    name: "prices.get",
    method: "GET",
    path: "/prices/{epic}",
    version: 3,
    allowance: "history",
    answer: Schema.Unknown
  }),
  { path: { epic: "CS.D.EURUSD.CFD.IP" } }
)

interface Lived {
  readonly errors: Array<IgError>
  readonly events: Array<Throttle.Event>
  readonly statuses: Array<unknown>
}

type Change = (client: HttpClient.HttpClient) => HttpClient.HttpClient

interface Planted {
  readonly change?: Change
  /** Of the account that logins start on. */
  readonly accountId?: string
  /** What else is called, when it would have to wait. */
  readonly call?: Effect.Effect<unknown, IgError, Session.Ig>
}

/** Every answer in which an allowance is spoken of, with tokens and key where they do not belong. */
const talkative = (secrets: ReadonlyArray<string>) => {
  const [first = "none"] = secrets
  const code = "error.public-api.exceeded-api-key-allowance"
  return {
    refusal: { kind: "answer", status: 403, text: JSON.stringify({ errorCode: code, secrets, detail: first }) },
    points: {
      kind: "answer",
      status: 200,
      text: JSON.stringify({ metadata: { allowance: { remainingAllowance: first, allowanceExpiry: secrets } } })
    },
    numbers: {
      kind: "answer",
      status: 200,
      text: JSON.stringify([{ apiKey: secrets, allowanceApplicationOverall: first, allowanceAccountOverall: secrets }])
    }
  } as const
}

/** All that becomes of requests that spend allowances, and all that is to be seen of it. */
const live = ({ call = read }: Planted) =>
  Effect.gen(function* () {
    const { apiKey, expire, inject, issued, password } = yield* Sandbox
    const lived: Lived = { errors: [], events: [], statuses: [] }
    const listening = Stream.runForEach(Throttle.events, (event) => Effect.sync(() => void lived.events.push(event)))
    const look = Effect.gen(function* () {
      const status = yield* Throttle.status
      lived.statuses.push(status)
      yield* Effect.logInfo("status", status)
    })
    const noted = <R>(self: Effect.Effect<unknown, IgError, R>) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.either(self)
        if (Either.isLeft(outcome)) {
          lived.errors.push(outcome.left)
          yield* Effect.logError("failed", outcome.left)
        }
        yield* look
      })
    const refused = (allowance: "api-key" | "account" | "account-trading" | "account-historical-data") =>
      inject({ kind: "allowance", allowance })

    yield* Effect.forkScoped(listening)
    yield* Session.login
    yield* Effect.forEach(["api-key", "account"] as const, (allowance) =>
      Effect.zipRight(refused(allowance), noted(read))
    )
    yield* Effect.zipRight(refused("account-trading"), noted(trade))
    yield* Effect.zipRight(refused("account-historical-data"), noted(prices))
    yield* noted(prices)
    yield* noted(withAccount("SBX02")(prices))

    const answers = talkative([...(yield* issued).map(({ value }) => value).slice(-2), apiKey, password])
    yield* Effect.zipRight(inject(answers.points), noted(withAccount("SBX02")(prices)))
    yield* Effect.zipRight(inject(answers.numbers), noted(Throttle.learn))
    yield* noted(Throttle.learn)

    yield* inject(answers.refusal)
    const queue = yield* Effect.forEach([1, 2, 3], () => Effect.fork(read))
    yield* Effect.sleep(1)
    yield* expire("access")
    yield* noted(Throttle.waitAtMost("1 second")(call))
    yield* noted(Throttle.waitAtMost("1 second")(Session.refresh))
    yield* Effect.forEach(queue, Fiber.join)
    yield* noted(read)
    for (const event of lived.events) yield* Effect.logDebug("event", event)
    lived.statuses.push(yield* Throttle.Throttle)
    yield* noted(Session.logout)
    return lived
  }).pipe(Effect.scoped)

const texts = ({ errors, events, statuses }: Lived) => ({
  errors: [...errors.flatMap(printings), ...errors.map(({ message }) => message)],
  events: events.flatMap(printings),
  statuses: statuses.flatMap(printings)
})

const lifeOf = (planted: Planted = {}) => {
  const { accountId = "SBX01", change = identity } = planted
  const spans = makeSpans()
  const logs = makeLogs()
  const accounts = [
    { accountId, accountType: "CFD", preferred: true },
    { accountId: "SBX02", accountType: "SPREADBET" }
  ] as const
  const stack = Layer.merge(changed(change), Throttle.layer({ key: 8, account: 6, trading: 2 })).pipe(
    Layer.provideMerge(keptInMemory({}, { accounts, preset: "live" })),
    Layer.provideMerge(Layer.merge(spans.layer, logs.layer))
  )
  const life = Effect.gen(function* () {
    yield* beginMetrics
    const lived = yield* live(planted)
    remember(...(yield* (yield* Sandbox).issued).map(({ value }) => value))
    return { lived, spans, logs, found: search(texts(lived), spans, logs, yield* metrics) }
  })
  return Effect.flatMap(Simulation.run(Effect.provide(life, stack)), (outcome) =>
    outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`)
  )
}

beforeAll(() => {
  shown.isOn = false
})

it.live("no secret comes out of the throttle, and no account in a label, a span or an error", () =>
  Effect.gen(function* () {
    const { found, lived, logs, spans } = yield* lifeOf()
    expect(found).toEqual([])
    expect(texts(lived).errors.filter((text) => text.includes("SBX0"))).toEqual([])

    // It was a life with all that it is about.
    const reasons = lived.errors.map((error) => ("reason" in error ? error.reason : error._tag))
    expect(reasons).toEqual(["ApiError", "budget-exceeded", "DecodeError", "would-wait", "would-wait"])
    const closed = lived.events.filter(Throttle.Event.$is("Closed"))
    expect(new Set(closed.map(({ allowance }) => allowance)).size).toBe(4)
    expect(new Set(lived.events.map(({ _tag }) => _tag))).toEqual(new Set(["Closed", "Opened", "Learnt"]))
    expect(inspected(lived.statuses)).toContain("isClosed: true")
    expect(spans.seen.filter(({ attributes }) => attributes.has("ig.waited_ms")).length).toBeGreaterThan(4)
    expect(logs.printed.length).toBeGreaterThan(50)
    // A gauge that is back where it was is none of those that changed.
    const counted = yield* metrics
    for (const name of ["ig_throttle_wait_ms", "ig_allowance_refusals_total"]) {
      expect(counted).toContain(name)
    }
  })
)

describe("the check itself turns red", () => {
  const secret = "PLANTED-SECRET-0123456789"
  remember(secret)

  const named = Endpoint.call(
    Endpoint.make({ name: secret, method: "GET", path: "/positions", version: 2, answer: Schema.Unknown })
  )

  const onRequest =
    (leak: (token: string, accountId: string) => Effect.Effect<unknown>): Change =>
    (client) =>
      HttpClient.tapRequest(client, ({ headers }) =>
        leak(headers["authorization"] ?? "none", headers["ig-account-id"] ?? "none")
      )

  const counted = (label: string, value: string) => Metric.increment(Metric.tagged(Metric.counter("own"), label, value))

  const spanned = onRequest((token, id) => Effect.annotateCurrentSpan({ token, id }))
  const labelled = onRequest((token, id) => Effect.zipRight(counted("token", token), counted("account", id)))

  const plants: ReadonlyArray<readonly [what: string, planted: Planted, found: ReadonlyArray<string>]> = [
    [
      "a secret in what would wait, and for an account",
      { call: named, accountId: secret },
      ["errors", "events", "statuses", "spans", "logs", "output"]
    ],
    ["a token and an account on a span", { change: spanned }, ["spans", "ids in spans"]],
    ["a token and an account for a label", { change: labelled }, ["metrics", "ids in metrics"]]
  ]

  for (const [what, planted, found] of plants) {
    it.live(`for ${what}`, () => unseen(Effect.map(lifeOf(planted), (lived) => expect(lived.found).toEqual(found))))
  }
})
