/** An hour of virtual time with more reads than any allowance: nothing is overrun, little is left unused. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { describe } from "vitest"
import { minute, read, received, type Stack, virtually } from "./utils/throttled.ts"

const hour = 60 * minute

const shapes = ["fixed", "sliding", "bucket"] as const

/** So many callers at a time, each of whom asks again as soon as it is answered. */
const flood = (call: Effect.Effect<unknown, IgError, Stack>, callers: number, ends: number) =>
  Effect.replicateEffect(Effect.forever(call), callers, { concurrency: "unbounded", discard: true }).pipe(
    Effect.timeoutTo({ duration: ends, onSuccess: () => "over", onTimeout: () => "over" })
  )

const isOurs = ({ headers }: { readonly headers: Readonly<Record<string, string>> }) =>
  headers["user-agent"] === "effect-ig/0.1"

describe("with the allowances that IG has", () => {
  const both = Effect.all([read, withAccount("SBX02")(read)], { concurrency: "unbounded", discard: true })

  const cases = [
    { name: "live, one account, OAuth", preset: "live", login: Session.login, call: read, aMinute: 30, by: shapes },
    { name: "demo, CST", preset: "demo", login: Session.loginV2, call: read, aMinute: 8, by: shapes },
    { name: "demo, OAuth", preset: "demo", login: Session.login, call: read, aMinute: 8, by: ["sliding"] },
    { name: "live, two accounts, CST", preset: "live", login: Session.loginV2, call: both, aMinute: 60, by: ["bucket"] }
  ] as const

  for (const { aMinute, by, call, login, name, preset } of cases) {
    for (const windowShape of by) {
      it.live(`an hour of reads is refused nothing, and uses 95 % of them: ${name}, ${windowShape}`, () =>
        virtually(
          Effect.gen(function* () {
            yield* login
            yield* flood(call, 40, hour)
            const requests = yield* received
            expect(requests.filter(({ status }) => status !== 200)).toEqual([])
            expect(requests.length).toBeGreaterThanOrEqual(Math.floor(0.95 * aMinute * 60))
          }),
          { throttle: Throttle.layer(preset), sandbox: { preset, switches: { windowShape } } }
        )
      )
    }
  }
})

describe("with allowances that are not what they seem", () => {
  /** Another client with the same key, and no throttle, spends a third of it at times of its own. */
  const stranger = (aMinute: number) =>
    Effect.gen(function* () {
      const { apiKey, baseUrl } = yield* Sandbox
      const ask = HttpClient.get(`${baseUrl}/session/encryptionKey`, { headers: { "x-ig-api-key": apiKey } })
      const pause = Effect.flatMap(Random.nextIntBetween(0, (6 * minute) / aMinute), Effect.sleep)
      return yield* Effect.forever(Effect.zipRight(pause, Effect.ignore(ask)))
    })

  /** Each answer takes as long as it takes. */
  const jitter = Effect.gen(function* () {
    const { setSwitches } = yield* Sandbox
    return yield* Effect.forever(
      Effect.flatMap(Random.nextIntBetween(0, 3_000), (latency) =>
        Effect.zipRight(setSwitches({ latency }), Effect.sleep(700))
      )
    )
  })

  const both = (aMinute: number) => Effect.zipRight(Effect.fork(jitter), stranger(aMinute))

  const cases = [
    { name: "answers take up to 3 s", preset: "demo", login: Session.login, world: jitter, aMinute: 8, by: ["bucket"] },
    { name: "another client", preset: "demo", login: Session.login, world: stranger(8), aMinute: 8, by: ["sliding"] },
    { name: "both", preset: "demo", login: Session.loginV2, world: both(8), aMinute: 8, by: shapes },
    { name: "both", preset: "live", login: Session.login, world: both(60), aMinute: 30, by: shapes }
  ] as const

  for (const { aMinute, by, login, name, preset, world } of cases) {
    for (const windowShape of by) {
      it.live(`no call is lost, and one is refused a minute at most: ${preset}, ${windowShape}, ${name}`, () =>
        virtually(
          Effect.gen(function* () {
            const { advance } = yield* Sandbox
            yield* advance("30 seconds")
            yield* login
            yield* Effect.fork(world)
            yield* flood(read, 20, hour)
            const ours = (yield* received).filter(isOurs)
            const at = ours.filter(({ status }) => status === 403).map(({ receivedAt }) => receivedAt)
            expect(at.slice(1).filter((time, index) => time - (at[index] ?? 0) < minute)).toEqual([])
            // Of what the other one leaves, most is used.
            expect(ours.filter(({ status }) => status === 200).length).toBeGreaterThan(0.5 * aMinute * 60)
          }),
          { throttle: Throttle.layer(preset), sandbox: { preset, switches: { windowShape } } }
        )
      )
    }
  }
})
