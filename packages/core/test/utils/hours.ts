/**
 * Hours of virtual time with more reads than any allowance, for each way in which IG may count, and in worlds where what
 * IG counts is not what the client counts.
 */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { minute, read } from "./positions.ts"

const hour = 60 * minute

type Stack = IgClient.IgClient | Sandbox.Sandbox | HttpClient.HttpClient

/** A client with numbers of its own, and how many requests a minute IG would serve it. */
interface Client {
  readonly name: string
  readonly numbers: Throttle.Allowances
  readonly login: typeof Session.login | typeof Session.loginV2
  readonly accounts: 1 | 2
  readonly aMinute: number
}

const { demo, live } = Throttle.presets

const clients = {
  live: { name: "live, OAuth", numbers: live, login: Session.login, accounts: 1, aMinute: 30 },
  liveTwo: { name: "live, two accounts, CST", numbers: live, login: Session.loginV2, accounts: 2, aMinute: 60 },
  demo: { name: "demo, OAuth", numbers: demo, login: Session.login, accounts: 1, aMinute: 8 },
  demoCst: { name: "demo, CST", numbers: demo, login: Session.loginV2, accounts: 1, aMinute: 8 },
  third: {
    name: "20 of the key and 10 of each of two accounts, OAuth",
    numbers: { key: 20, account: 10, trading: 33 },
    login: Session.login,
    accounts: 2,
    aMinute: 20
  }
} as const satisfies Record<string, Client>

const shapes = ["fixed", "sliding", "bucket"] as const

/** Each answer takes up to 3 s. */
const latency = Effect.gen(function* () {
  const { setSwitches } = yield* Sandbox.Sandbox
  return yield* Effect.forever(
    Effect.flatMap(Random.nextIntBetween(0, 3_000), (latency) =>
      Effect.zipRight(setSwitches({ latency }), Effect.sleep(700))
    )
  )
})

/** IG's clock is 30 s ahead. */
const skew = Effect.flatMap(Sandbox.Sandbox, ({ advance }) => advance("30 seconds"))

/** Another client with the same key, and no throttle, spends a third of it in any minute, at times of its own. */
const stranger = ({ numbers }: Client) =>
  Effect.gen(function* () {
    const { apiKey, baseUrl } = yield* Sandbox.Sandbox
    const ask = HttpClient.get(`${baseUrl}/session/encryptionKey`, { headers: { "x-ig-api-key": apiKey } })
    const one = Effect.flatMap(Random.nextIntBetween(0, minute / 10), (pause) =>
      Effect.sleep(pause).pipe(Effect.zipRight(Effect.ignore(ask)), Effect.zipRight(Effect.sleep(minute)))
    )
    const own = Array.from({ length: Math.ceil(numbers.key / 3) }, () => Effect.forever(one))
    return yield* Effect.all(own, { concurrency: "unbounded" })
  })

/** What is begun before the login, and goes on beside the reads. */
type World = (client: Client) => Effect.Effect<unknown, never, Stack>

const worlds = {
  "a clock that is 30 s ahead": () => skew,
  "answers that take up to 3 s": () => Effect.fork(latency),
  "another client with a third of the key": (client) => Effect.fork(stranger(client)),
  "all of these": (client) => Effect.all([skew, Effect.fork(latency), Effect.fork(stranger(client))])
} as const satisfies Record<string, World>

export interface Hour {
  readonly name: string
  readonly client: Client
  readonly shape: (typeof shapes)[number]
  /** `undefined` where IG counts what the client counts. */
  readonly world: World | undefined
}

const agreeingOf = (client: Client) =>
  shapes.map((shape): Hour => ({ name: `${client.name}, ${shape}`, client, shape, world: undefined }))

/** In which nothing may be refused, and 95 % of what IG allows has to be used. */
export const agreeing: ReadonlyArray<Hour> = Object.values(clients).flatMap(agreeingOf)

/** In which no call may be lost, and one be refused a minute at most. */
export const differing: ReadonlyArray<Hour> = [clients.liveTwo, clients.demo, clients.third].flatMap((client) =>
  shapes.flatMap((shape) =>
    Object.entries(worlds).map(([world, begin]) => ({
      name: `${client.name}, ${shape}, ${world}`,
      client,
      shape,
      world: begin
    }))
  )
)

/** So many callers at a time, each of whom asks again as soon as it is answered, for an hour; all are answered at last. */
const flood = ({ accounts }: Client): Effect.Effect<void, IgError, Stack> =>
  Effect.flatMap(Clock.currentTimeMillis, (begun) => {
    const within = Effect.map(Clock.currentTimeMillis, (now) => now - begun < hour)
    const calls = accounts === 1 ? [read] : [read, withAccount("SBX02")(read)]
    const callers = calls.flatMap((call) =>
      Array.from({ length: 20 }, () => Effect.repeat(call, { while: () => within }))
    )
    return Effect.all(callers, { concurrency: "unbounded", discard: true })
  })

export interface Figures {
  /** Of the client's own requests, whatever they were for, within the hour. */
  readonly served: number
  /** When IG had no allowance for one, in ms. */
  readonly refused: ReadonlyArray<number>
  /** What IG could have served. */
  readonly possible: number
}

/** Fails when a call does. */
const program = ({ client, world }: Hour): Effect.Effect<Figures, IgError, Stack> =>
  Effect.gen(function* () {
    if (world !== undefined) yield* world(client)
    yield* client.login
    yield* flood(client)
    const { record } = yield* Sandbox.Sandbox
    const ours = (yield* record).filter(({ headers }) => headers["user-agent"] === "effect-ig/0.1")
    const until = (ours[0]?.receivedAt ?? 0) + hour
    return {
      served: ours.filter(({ receivedAt, status }) => status === 200 && receivedAt < until).length,
      refused: ours.filter(({ status }) => status !== 200).map(({ receivedAt }) => receivedAt),
      possible: client.aMinute * 60
    }
  })

const stack = ({ client: { numbers }, shape }: Hour): Layer.Layer<Stack, ConfigError.ConfigError> =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier, password }) =>
      IgClient.layer({
        environment: baseUrl,
        apiKey: Redacted.make(apiKey),
        identifier,
        password: Redacted.make(password)
      })
    )
  ).pipe(
    Layer.provideMerge(
      Sandbox.layerHttpClient({
        switches: {
          windowShape: shape,
          perKeyNonTrading: numbers.key,
          perAccountNonTrading: numbers.account,
          perAccountTrading: numbers.trading
        }
      })
    ),
    Layer.merge(Throttle.layer(numbers))
  )

/** Runs it in virtual time. */
export const run = (hour: Hour): Effect.Effect<Figures, IgError | ConfigError.ConfigError> =>
  Effect.flatMap(Simulation.run(Effect.provide(program(hour), stack(hour)), { seed: hour.name }), (outcome) =>
    outcome._tag === "Done" ? outcome.exit : Effect.die(`nothing moves any more after ${outcome.now} ms`)
  )

/** Where IG counts something else than the client, half of what others leave of it is enough. */
const least = { agreeing: 0.95, differing: 0.5 * (2 / 3) }

/** What is wrong with it, by the row that it is of; nothing, if all is well. */
export const complaints = ({ world }: Hour, { possible, refused, served }: Figures): ReadonlyArray<string> => {
  const wanted = Math.floor(least[world === undefined ? "agreeing" : "differing"] * possible)
  const tooSoon = refused.filter((at, index) => at - (refused[index - 1] ?? Number.NEGATIVE_INFINITY) < minute)
  return [
    ...(served < wanted ? [`${served} were served of ${possible}, and ${wanted} should have been`] : []),
    ...(world === undefined && refused.length > 0 ? [`${refused.length} were refused`] : []),
    ...(tooSoon.length > 0 ? [`refused within a minute of a refusal, at ${tooSoon.join(", ")}`] : [])
  ]
}
