/** Where an answer is not what it should be, for every kind of complaint that a schema has. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { pathsOf } from "../src/internal/classify.ts"

const paths = <A, I>(schema: Schema.Schema<A, I>, value: unknown): ReadonlyArray<string> =>
  Either.match(Schema.decodeUnknownEither(schema)(value, { errors: "all", onExcessProperty: "error" }), {
    onLeft: ({ issue }) => pathsOf(issue),
    onRight: () => []
  })

const Account = Schema.Struct({ id: Schema.String, balance: Schema.Struct({ cash: Schema.Number }) })

/** What takes time to find out cannot be found out at once. */
const Slow = Schema.transformOrFail(Schema.String, Schema.String, {
  strict: true,
  decode: (text) => Effect.promise(() => Promise.resolve(text)),
  encode: Effect.succeed
})

describe("the path is told", () => {
  it("of a field that is of another type, and of one that is missing", () => {
    expect(paths(Account, { id: 1, balance: {} })).toEqual(["id", "balance.cash"])
  })

  it("of a field that should not be there", () => {
    expect(paths(Account, { id: "1", balance: { cash: 1, credit: 2 } })).toEqual(["balance.credit"])
  })

  it("of a field that cannot be decoded where it is asked for", () => {
    expect(paths(Schema.Struct({ id: Slow }), { id: "1" })).toEqual(["id"])
  })
})
