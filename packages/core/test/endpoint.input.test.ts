/** What a call makes of its input, and what it says of one that it does not take. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { NotSentError } from "@effect-ig/core/IgError"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe } from "vitest"

const search = Endpoint.make({
  name: "prices.search",
  method: "GET",
  path: "/prices/{epic}",
  version: 3,
  query: Schema.Struct({ max: Schema.UndefinedOr(Schema.Positive), page: Schema.UndefinedOr(Schema.Positive) }),
  answer: Schema.Struct({ bid: Schema.Number, ask: Schema.Number })
})

/** In TypeScript none of these could be given; from elsewhere they can. */
const said = (input: object) =>
  Effect.flip(
    Effect.suspend((): Effect.Effect<never, NotSentError> => Reflect.apply(search.encode, undefined, [input]))
  )

describe("a query", () => {
  it.effect("has no field that is undefined", () =>
    Effect.gen(function* () {
      const { path, query } = yield* search.encode({ path: { epic: "A" }, query: { max: 5, page: undefined } })
      expect([path, query]).toEqual(["/prices/A", { max: "5" }])
    })
  )
})

describe("of input that is not taken is said", () => {
  for (const epic of [null, {}, true, undefined]) {
    it.effect(`what a hole of the path takes, and ${String(epic)} is none of that`, () =>
      Effect.gen(function* () {
        expect(yield* said({ path: { epic } })).toMatchObject({
          _tag: "NotSentError",
          path: "path.epic",
          detail: "Expected whole characters, and neither nothing nor a dot segment."
        })
      })
    )
  }

  it.effect("each field that is wrong", () =>
    Effect.gen(function* () {
      expect(yield* said({ path: { epic: "A" }, query: { max: -1, page: "x" } })).toMatchObject({
        path: "query.max, query.page",
        detail: "Not what the schema of this endpoint takes."
      })
    })
  )

  it.effect("that all of it is", () =>
    Effect.gen(function* () {
      expect(yield* said({ path: { epic: "A" }, query: 5 })).toMatchObject({ path: "query" })
    })
  )
})

it.effect("of an answer that is not as expected each field is named that is wrong", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(search.decode({ bid: "1", ask: "2" }))
    expect(error.issue._tag).toBe("Composite")
    expect(String(error)).toMatch(/bid[^]*ask/)
  })
)
