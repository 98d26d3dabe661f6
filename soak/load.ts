/** What the clients do, all the time. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tally from "./tally.ts"

type Ig = Session.Ig

const reading = (name: string, path: "/positions" | "/accounts" | "/watchlists", version: number) =>
  Endpoint.call(Endpoint.make({ name, method: "GET", path, version, answer: Schema.Unknown }))

const positions = reading("positions.list", "/positions", 2)
const accounts = reading("accounts.list", "/accounts", 1)
const watchlists = reading("watchlists.list", "/watchlists", 1)

const Order = Schema.Struct({
  epic: Schema.String,
  expiry: Schema.String,
  direction: Schema.Literal("BUY", "SELL"),
  size: Schema.Number,
  orderType: Schema.Literal("MARKET")
})

const opening = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({
    ...Order.fields,
    currencyCode: Schema.String,
    forceOpen: Schema.Boolean,
    guaranteedStop: Schema.Boolean
  }),
  answer: Schema.Unknown
})

const closing = Endpoint.make({
  name: "positions.close",
  method: "DELETE",
  path: "/positions/otc",
  version: 1,
  allowance: "trading",
  body: Order,
  answer: Schema.Unknown
})

const order = { epic: "CS.D.EURUSD.CFD.IP", expiry: "-", size: 1, orderType: "MARKET" } as const

const open = Endpoint.call(opening, {
  body: { ...order, direction: "BUY", currencyCode: "USD", forceOpen: false, guaranteedStop: false }
})

const close = Endpoint.call(closing, { body: { ...order, direction: "SELL" } })

/** How long a caller stays that has nothing against waiting. */
const patience: Duration.DurationInput = "3 seconds"

/** One thing that a worker does. */
type Doing = (tally: Tally.Tally) => Effect.Effect<void, never, Ig>

const called =
  (what: string, call: Effect.Effect<unknown, IgError, Ig>, stays: Duration.DurationInput = patience): Doing =>
  (tally) =>
    Tally.counted(tally, what, stays)(call)

const often = <A>(times: number, value: A): ReadonlyArray<A> => Array.from({ length: times }, () => value)

/** At once, so that they wait for each other's allowance. */
const burst: Doing = (tally) =>
  Effect.all(
    Array.from({ length: 12 }, () => called("read", positions)(tally)),
    { concurrency: "unbounded", discard: true }
  )

const hasty: Doing = (tally) =>
  Effect.flatMap(Random.nextIntBetween(0, 20), (millis) => called("hasty read", positions, millis)(tally))

/** Listens for a moment, and leaves. */
const listening: Doing = () =>
  Effect.all([Stream.runDrain(Session.events), Stream.runDrain(Throttle.events)], { concurrency: 2 }).pipe(
    Effect.timeoutOption("100 millis"),
    Effect.asVoid
  )

export type Doings = NonEmptyReadonlyArray<Doing>

const common: Doings = [
  called("read", positions),
  ...often(3, called("read", positions)),
  ...often(2, called("read", accounts)),
  ...often(2, called("read", Session.read())),
  ...often(2, called("trade", open)),
  ...often(4, called("trade", close)),
  ...often(2, hasty),
  called("read of tokens", Session.read({ fetchTokens: true })),
  listening,
  burst
]

const switched = Effect.flatMap(Random.nextBoolean, (first) => Session.switchAccount(first ? "SBX01" : "SBX02"))

const ofOther = withAccount("SBX02")

export const ofOAuth: Doings = [
  ...common,
  ...often(3, called("read of another account", ofOther(watchlists))),
  ...often(2, called("read that cannot wait", ofOther(Throttle.waitAtMost(0)(watchlists)))),
  called("refresh", Session.refresh)
]

export const ofTokens: Doings = [
  ...common,
  ...often(3, called("read of another account", ofOther(positions))),
  called("switch", switched)
]

const workers = 4

const pause = Effect.flatMap(Random.nextIntBetween(50, 250), (millis) => Effect.sleep(millis))

/** Works until then, and ends when the last call has. */
export const work = (tally: Tally.Tally, doings: Doings, until: number): Effect.Effect<void, never, Ig> => {
  const step = Effect.flatMap(Random.choice(doings), (doing) => Effect.zipRight(doing(tally), pause))
  const isOver = Effect.map(Clock.currentTimeMillis, (now) => now >= until)
  return Effect.all(
    Array.from({ length: workers }, () => Effect.repeat(step, { until: () => isOver })),
    { concurrency: "unbounded", discard: true }
  )
}
