/** An allowance that fills and drains: minutes of it, in virtual time, since nobody would wait for them here. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ClientLayer } from "../sandboxClient.ts"
import * as Screen from "./screen.ts"

const World = Layer.merge(ClientLayer, Throttle.layer("demo")).pipe(
  Layer.provideMerge(Sandbox.layerHttpClient({ preset: "demo" }))
)

const read = Endpoint.call(
  Endpoint.make({ name: "positions.list", method: "GET", path: "/positions", version: 2, answer: Schema.Unknown })
)

const trade = Endpoint.call(
  Endpoint.make({
    name: "positions.open",
    method: "POST",
    path: "/positions/otc",
    version: 2,
    allowance: "trading",
    body: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
    answer: Schema.Unknown
  }),
  {
    body: {
      epic: "CS.D.EURUSD.CFD.IP",
      expiry: "-",
      direction: "BUY",
      size: 1,
      orderType: "MARKET",
      currencyCode: "USD",
      forceOpen: false,
      guaranteedStop: false
    }
  }
)

const interval = Duration.seconds(10)

/** Three reads in each interval of a minute: 18, where 8 a minute are allowed. */
const rounds = 6
const perRound = 3

const secondsOf = (millis: number): number => Math.round(millis / 1000)

const took = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.timed(self), ([duration]) => secondsOf(Duration.toMillis(duration)))

const readsSent = Effect.gen(function* () {
  const record = yield* (yield* Sandbox.Sandbox).record
  return record.filter(({ path }) => path === "/positions").length
})

/** What a look at it tells, without asking IG. */
const look = (before: number) =>
  Effect.gen(function* () {
    const status = Option.getOrThrow(yield* Throttle.status)
    const sent = yield* readsSent
    const frame: Screen.Frame = {
      at: secondsOf(yield* Clock.currentTimeMillis),
      sent: sent - before,
      waiting: status.waiting,
      left: status.key.left,
      limit: status.key.limit
    }
    return { frame, sent }
  })

const hurried = Throttle.waitAtMost("5 seconds")(read).pipe(
  Effect.as("A caller with 5 s of patience did not have to wait."),
  Effect.catchIf(
    (error) => error._tag === "NotSentError" && error.reason === "would-wait",
    (error) => Effect.succeed(`A caller with 5 s of patience is told at once: ${error.message}`)
  )
)

const traded = Effect.map(
  took(trade),
  (waited) => `A trade meanwhile: sent after ${waited} s, before all of those reads.`
)

/** What happens beside the reads, and in which round. */
const asides: ReadonlyMap<number, Effect.Effect<string, IgError, Session.Ig>> = new Map([
  [4, traded],
  [5, hurried]
])

interface Film {
  readonly shots: ReadonlyArray<Screen.Frame | string>
  readonly waits: ReadonlyArray<number>
  readonly refused: number
}

const film: Effect.Effect<Film, unknown> = Effect.gen(function* () {
  const { record } = yield* Sandbox.Sandbox
  const shots: Array<Screen.Frame | string> = []
  const reads: Array<Fiber.Fiber<number, IgError>> = []
  yield* Session.loginV2
  let seen = 0
  for (let round = 1; ; round++) {
    if (round <= rounds) reads.push(...(yield* Effect.replicateEffect(Effect.fork(took(read)), perRound)))
    yield* Effect.sleep("1 second")
    const { frame, sent } = yield* look(seen)
    seen = sent
    shots.push(frame)
    const aside = asides.get(round)
    if (aside !== undefined) shots.push(yield* aside)
    if (round > rounds && frame.waiting === 0) break
    yield* Effect.sleep(Duration.subtract(interval, "1 second"))
  }
  return {
    shots,
    waits: yield* Effect.forEach(reads, (read) => Fiber.join(read)),
    refused: (yield* record).filter(({ status }) => status >= 400).length
  }
}).pipe(Effect.provide(World))

export const allowance: Effect.Effect<void, unknown> = Effect.gen(function* () {
  yield* Screen.step("Demo allows 8 requests a minute, and 18 reads are called in one: nobody is refused, some wait")
  const outcome = yield* Simulation.run(film)
  if (outcome._tag === "Stuck") return yield* Effect.dieMessage("nothing moves any more")
  const { refused, shots, waits } = yield* outcome.exit
  for (const shot of shots) yield* typeof shot === "string" ? Screen.hint(shot) : Screen.gauge(shot)
  yield* Screen.say(
    `${waits.length} read, ${refused} refused; the longest wait was ${Math.max(...waits)} s, of a minute that is not lived through here.`
  )
  yield* Screen.pause
})
