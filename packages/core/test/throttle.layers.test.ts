/** Which allowances are kept to where; what they do is tested elsewhere. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { describe } from "vitest"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { requests } from "./utils/state.ts"

const client = (environment: string | undefined) =>
  IgClient.layer({ environment, apiKey: Redacted.make("key"), identifier: "user", password: Redacted.make("pass") })

const limit = Effect.map(Throttle.status, (status) => Option.getOrThrow(status).key.limit)

const allowances: ReadonlyArray<readonly [environment: string | undefined, key: number]> = [
  [undefined, 8],
  ["demo", 8],
  ["https://demo-api.ig.com/gateway/deal", 8],
  ["live", 60],
  ["https://api.ig.com/gateway/deal/", 60],
  ["https://example.com/gateway/deal", Number.POSITIVE_INFINITY]
]

describe("requests a minute that a key has", () => {
  for (const [environment, key] of allowances) {
    it.effect(`are ${key} at ${environment ?? "the gateway by default"}`, () =>
      Effect.gen(function* () {
        expect(yield* limit).toBe(key)
      }).pipe(Effect.provide(client(environment)))
    )
  }

  it.effect("are those of the throttle that is put on top", () =>
    Effect.gen(function* () {
      expect(yield* limit).toBe(3)
    }).pipe(Effect.provide(Layer.merge(client("live"), Throttle.layer({ key: 3, account: 2, trading: 1 }))))
  )

  for (const key of [1, Number.POSITIVE_INFINITY]) {
    it.effect(`may be ${key}`, () =>
      Effect.gen(function* () {
        expect(yield* limit).toBe(key)
      }).pipe(Effect.provide(Throttle.layer({ key, account: 1, trading: 1 })))
    )
  }

  for (const wrong of [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
    for (const name of ["key", "account", "trading"] as const) {
      it.effect(`cannot be ${wrong}, where that is the number of ${name}`, () =>
        Effect.gen(function* () {
          const given = { key: 1, account: 1, trading: 1, [name]: wrong }
          const error = yield* Effect.flip(Effect.provide(limit, Throttle.layer(given)))
          expect(error).toMatchObject({ path: [name], message: "expected a whole number above zero, or Infinity" })
        })
      )
    }
  }
})

describe("where the throttle is off", () => {
  it.effect("there is nothing to be seen of it", () =>
    Effect.gen(function* () {
      expect(yield* Throttle.status).toEqual(Option.none())
      expect(Chunk.size(yield* Stream.runCollect(Throttle.events))).toBe(0)
    }).pipe(Effect.provide(Throttle.off))
  )

  it.effect("IG's numbers can be asked for, and those that are none have no limit", () =>
    Effect.gen(function* () {
      yield* Session.login
      const numbers = { allowanceApplicationOverall: 60, allowanceAccountOverall: 0, allowanceAccountTrading: 1.5 }
      const text = JSON.stringify([numbers])
      yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text, path: "/operations/application" })
      expect(yield* Throttle.learn).toEqual({
        key: 60,
        account: Number.POSITIVE_INFINITY,
        trading: Number.POSITIVE_INFINITY
      })
      expect((yield* requests()).at(-1)).toBe("GET /operations/application 1 200")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("what IG tells of other keys alone is no answer", () =>
    Effect.gen(function* () {
      yield* Session.login
      const numbers = { allowanceApplicationOverall: 60, allowanceAccountOverall: 30, allowanceAccountTrading: 100 }
      const text = JSON.stringify([{ apiKey: "another", ...numbers }])
      yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text, path: "/operations/application" })
      expect(yield* Effect.flip(Throttle.learn)).toMatchObject({
        _tag: "DecodeError",
        operation: "throttle.learn",
        paths: ["[].apiKey"]
      })
    }).pipe(Effect.provide(keptInMemory()))
  )
})

it.effect("IG's numbers are asked for by one request", () =>
  Effect.gen(function* () {
    yield* Session.login
    yield* Throttle.learn
    expect(yield* requests(1)).toEqual(["GET /operations/application 1 200"])
  }).pipe(Effect.provide(inMemory()))
)
