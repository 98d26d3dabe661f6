/**
 * IG's allowances, kept: so many requests a minute of an API key and of an account, so many trades, so many price points
 * a week. What would be one too many waits for its turn; price history without points fails at once.
 *
 * `IgClient` turns it on; without a layer it is off, and does nothing.
 *
 * @since 0.1.0
 */
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { gateways, IgConfig } from "./IgConfig.ts"
import { DecodeError, type IgError } from "./IgError.ts"
import * as Call from "./internal/call.ts"
import { make } from "./internal/endpoint.ts"
import type { Allowances } from "./internal/allowances.ts"
import { Throttle } from "./internal/throttle.ts"
import type { Event } from "./internal/throttleEvent.ts"
import { makeGovernor } from "./internal/throttleGovernor.ts"
import type { Status } from "./internal/throttleStatus.ts"
import { WaitLimit } from "./internal/waiting.ts"
import { LenientNumber } from "./internal/wire.ts"
import type { Ig } from "./Session.ts"

export type { Allowances, Refusable } from "./internal/allowances.ts"
export { Throttle } from "./internal/throttle.ts"
export { Event } from "./internal/throttleEvent.ts"
export type { AccountStatus, LaneStatus, Status } from "./internal/throttleStatus.ts"

/**
 * `live` is what IG publishes, `demo` what was measured there (8 requests a minute and key), and `unlimited` keeps no
 * count, but waits when IG refuses.
 *
 * @since 0.1.0
 * @category models
 */
export type Preset = "live" | "demo" | "unlimited"

/**
 * The numbers of each preset, in requests a minute.
 *
 * @since 0.1.0
 * @category constants
 */
export const presets: Readonly<Record<Preset, Allowances>> = {
  live: { key: 60, account: 30, trading: 100 },
  demo: { key: 8, account: 30, trading: 100 },
  unlimited: {
    key: Number.POSITIVE_INFINITY,
    account: Number.POSITIVE_INFINITY,
    trading: Number.POSITIVE_INFINITY
  }
}

const on = (allowances: Allowances): Layer.Layer<Throttle> =>
  Layer.scoped(
    Throttle,
    Effect.map(makeGovernor(allowances), (governor) =>
      Option.some({ governor, status: governor.status, events: Stream.fromPubSub(governor.events) })
    )
  )

const isAllowance = (value: number): boolean =>
  value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && value > 0)

const checked = (allowances: Allowances): Effect.Effect<Allowances, ConfigError.ConfigError> => {
  const { account, key, trading } = allowances
  const wrong = Object.entries({ key, account, trading }).find(([, value]) => !isAllowance(value))
  return wrong === undefined
    ? Effect.succeed({ key, account, trading })
    : Effect.fail(ConfigError.InvalidData([wrong[0]], "expected a whole number above zero, or Infinity"))
}

/**
 * Turns it on, with numbers of one's own or those of a preset. Each layer counts by itself: whatever uses the same API
 * key should share one.
 *
 * @since 0.1.0
 * @category layers
 */
export function layer(preset: Preset): Layer.Layer<Throttle>
export function layer(allowances: Allowances): Layer.Layer<Throttle, ConfigError.ConfigError>
export function layer(given: Preset | Allowances): Layer.Layer<Throttle, ConfigError.ConfigError> {
  return typeof given === "string" ? on(presets[given]) : Layer.unwrapEffect(Effect.map(checked(given), on))
}

/**
 * `live` for IG's live gateway, `demo` for its demo, `unlimited` for any other.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEnvironment: Layer.Layer<Throttle, never, IgConfig> = Layer.unwrapEffect(
  Effect.map(IgConfig, ({ baseUrl }) =>
    layer(baseUrl === gateways.live ? "live" : baseUrl === gateways.demo ? "demo" : "unlimited")
  )
)

/**
 * Holds nothing back, below an `IgClient` that turns it on.
 *
 * @since 0.1.0
 * @category layers
 */
export const off: Layer.Layer<Throttle> = Layer.succeed(Throttle, Option.none())

/* ---- what IG tells ----------------------------------------------------------- */

const Application = Schema.Struct({
  apiKey: Schema.optionalWith(Schema.String, { nullable: true }),
  allowanceApplicationOverall: LenientNumber,
  allowanceAccountOverall: LenientNumber,
  allowanceAccountTrading: LenientNumber
})

const application = make({
  name: "throttle.learn",
  method: "GET",
  path: "/operations/application",
  version: 1,
  answer: Schema.NonEmptyArray(Application)
})

/**
 * Takes over the numbers that IG tells for this API key, and answers with them: `GET /operations/application`, Version 1.
 * What has been spent stays spent. A number that no allowance can be leaves the one before; numbers of other keys alone
 * are a `DecodeError`.
 *
 * Demo tells the numbers of live and keeps to lower ones, so there the preset is better.
 *
 * @since 0.1.0
 * @category operations
 */
export const learn: Effect.Effect<Allowances, IgError, Ig> = Effect.suspend(() =>
  Effect.gen(function* () {
    const { apiKey } = yield* IgConfig
    const throttle = yield* Throttle
    const applications = yield* Effect.flatMap(application.encode(undefined), (request) =>
      Call.call(application, request)
    )
    const own = applications.find((one) => one.apiKey === Redacted.value(apiKey) || one.apiKey === undefined)
    if (own === undefined) return yield* new DecodeError({ operation: application.name, paths: ["[].apiKey"] })
    const before = Option.match(throttle, {
      onNone: () => presets.unlimited,
      onSome: ({ governor }) => governor.allowances()
    })
    const orBefore = (told: number, known: number) => (isAllowance(told) ? told : known)
    const allowances: Allowances = {
      key: orBefore(own.allowanceApplicationOverall, before.key),
      account: orBefore(own.allowanceAccountOverall, before.account),
      trading: orBefore(own.allowanceAccountTrading, before.trading)
    }
    if (Option.isSome(throttle)) throttle.value.governor.learn(allowances)
    return allowances
  })
)

/* ---- callers who cannot wait -------------------------------------------------- */

/**
 * A request inside that would wait longer for its allowances, or for those of a renewal that it needs, fails at once with
 * `NotSentError` `would-wait`, whose `retryAfter` is how long it would have been, in ms, as far as can be known. One that
 * has waited so long all the same fails then.
 *
 * @since 0.1.0
 * @category combinators
 */
export const waitAtMost =
  (limit: Duration.DurationInput) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(self, WaitLimit, Duration.decode(limit))

/* ---- what can be seen of it --------------------------------------------------- */

/**
 * Who waits and what is left, without asking IG; `None` when it is off.
 *
 * @since 0.1.0
 * @category accessors
 */
export const status: Effect.Effect<Option.Option<Status>> = Effect.flatMap(
  Throttle,
  Option.match({ onNone: () => Effect.succeedNone, onSome: ({ status }) => Effect.asSome(status) })
)

/**
 * What happens from now on, until the layer closes; nothing when it is off. Who falls more than 1,000 events behind misses
 * the oldest.
 *
 * @since 0.1.0
 * @category accessors
 */
export const events: Stream.Stream<Event> = Stream.unwrap(
  Effect.map(Throttle, Option.match({ onNone: () => Stream.empty, onSome: ({ events }) => events }))
)
