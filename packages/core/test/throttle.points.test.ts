/** Price points of the week: IG's to count, and nothing is asked for when there are none. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { describe } from "vitest"
import { minute, received, virtually } from "./utils/throttled.ts"

const pathOf = { name: "prices.get", method: "GET", allowance: "history", answer: Schema.Unknown } as const

const latest = Endpoint.make({
  ...pathOf,
  path: "/prices/{epic}",
  version: 3,
  query: Schema.Struct({ max: Schema.Number })
})

const counted = Endpoint.make({ ...pathOf, path: "/prices/{epic}/{resolution}/{numPoints}", version: 2 })

const epic = "CS.D.EURUSD.CFD.IP"

const v3 = (max: number) => Endpoint.call(latest, { path: { epic }, query: { max } })

const v2 = (numPoints: number) => Endpoint.call(counted, { path: { epic, resolution: "MINUTE", numPoints } })

const points = Effect.map(Throttle.status, (status) =>
  Option.getOrUndefined(Option.getOrThrow(status).accounts[0]?.points ?? Option.none())
)

const asked = Effect.map(received, (requests) => requests.filter(({ path }) => path.startsWith("/prices")).length)

const options = {
  throttle: Throttle.layer("live"),
  sandbox: { preset: "live", switches: { historicalPointsPerWeek: 10 } }
} as const

const week = 604_800_000

const spent = {
  _tag: "NotSentError",
  operation: "prices.get",
  reason: "budget-exceeded",
  retryAfter: week - minute
} as const

describe("price points", () => {
  for (const [version, prices] of [
    ["Version 3", v3],
    ["Version 2", v2]
  ] as const) {
    it.live(`are what IG says is left, and without any nothing is sent: ${version}`, () =>
      virtually(
        Effect.gen(function* () {
          yield* Session.loginV2
          yield* prices(4)
          expect(yield* points).toEqual({ left: 6, resetsAfter: week })
          yield* prices(6)
          yield* Effect.sleep(minute)
          expect(yield* points).toEqual({ left: 0, resetsAfter: week - minute })
          expect(yield* Effect.flip(prices(1))).toMatchObject(spent)
          expect(yield* asked).toBe(2)
          // Another account has its own, and other reads need none.
          yield* withAccount("SBX02")(prices(1))
          yield* Session.read()
          yield* Effect.sleep(week - minute)
          expect(yield* points).toBeUndefined()
          yield* prices(1)
        }),
        options
      )
    )
  }

  it.live("that IG refuses come back when it has said so, and its refusal says when that is", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* v3(4)
        yield* Effect.sleep(minute)
        expect(yield* Effect.flip(v3(7))).toMatchObject({ _tag: "ApiError", status: 403, retryAfter: week - minute })
        // It wanted more than are left; those that are left are there for another.
        yield* v3(6)
        expect(yield* Effect.flip(v3(1))).toMatchObject(spent)
        expect(yield* asked).toBe(3)
      }),
      options
    )
  )

  it.live("that are left for one are not promised to two, and one that got none gives its own back", () =>
    virtually(
      Effect.gen(function* () {
        const { hold, inject } = yield* Sandbox
        yield* Session.loginV2
        yield* v3(9)
        const { reached, release } = yield* hold("before", { path: `/prices/${epic}` })
        const first = yield* Effect.fork(v3(1))
        yield* reached
        expect(yield* Effect.flip(v3(1))).toMatchObject({ reason: "budget-exceeded", retryAfter: week })
        yield* Fiber.interrupt(first)
        yield* inject({ kind: "answer", status: 404, path: `/prices/${epic}` })
        yield* Effect.flip(v3(1))
        yield* v3(1)
        yield* release
        expect(yield* points).toMatchObject({ left: 0 })
      }),
      options
    )
  )

  it.live("do not become more by an answer that was late", () =>
    virtually(
      Effect.gen(function* () {
        const { hold } = yield* Sandbox
        yield* Session.loginV2
        const { reached, release } = yield* hold("after", { path: `/prices/${epic}` })
        const late = yield* Effect.fork(v3(4))
        yield* reached
        yield* v3(3)
        yield* release
        yield* Fiber.join(late)
        expect(yield* points).toEqual({ left: 3, resetsAfter: week })
      }),
      options
    )
  )

  it.live("that IG refuses without having said when they come back are asked for again after an hour", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        expect(yield* Effect.flip(v3(11))).toMatchObject({ _tag: "ApiError", retryAfter: 60 * minute })
        expect(yield* Effect.flip(v3(1))).toMatchObject({ reason: "budget-exceeded", retryAfter: 60 * minute })
        yield* Effect.sleep(60 * minute)
        yield* v3(10)
      }),
      options
    )
  )

  it.live("are looked at again when the request has waited for its place, which is free then", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* Effect.replicateEffect(Session.read(), 2)
        const two = yield* Effect.forEach([10, 1], (count) => Effect.fork(Effect.either(v3(count))))
        yield* Effect.sleep(minute)
        expect(yield* Fiber.join(Fiber.all(two))).toMatchObject([
          { _tag: "Right" },
          { _tag: "Left", left: { reason: "budget-exceeded" } }
        ])
        expect(yield* asked).toBe(1)
        expect(Option.getOrThrow(yield* Throttle.status).accounts[0]?.reads.left).toBe(1)
      }),
      { ...options, throttle: Throttle.layer({ key: 60, account: 2, trading: 100 }) }
    )
  )

  it.live("are the caller's own affair without the throttle", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        for (const count of [11, 11]) {
          const error = yield* Effect.flip(Effect.provide(v3(count), Throttle.off))
          expect(error).toMatchObject({ _tag: "ApiError", action: "wait" })
          expect(error._tag === "ApiError" && error.retryAfter).toBeUndefined()
        }
        expect(yield* asked).toBe(2)
        expect((yield* (yield* Sandbox).record).length).toBe(3)
      }),
      options
    )
  )
})
