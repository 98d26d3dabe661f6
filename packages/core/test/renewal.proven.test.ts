/** How a refusal is judged: by whether IG has taken the very tokens, and whether they are still the session's. */
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import { describe } from "vitest"
import { keptInMemory } from "./utils/ig.ts"
import { count, held, requests } from "./utils/state.ts"
import { read } from "./utils/positions.ts"

const refused = { kind: "answer", status: 401, errorCode: "error.security.oauth-token-invalid" } as const

/** Calls that were sent again for that reason, in this process so far. */
const resent = (reason: string) =>
  Effect.map(Metric.snapshot, (pairs) =>
    pairs.flatMap(({ metricKey: { name, tags }, metricState }) =>
      name === "ig_resends_total" && tags.some(({ value }) => value === reason) && "count" in metricState
        ? [Number(metricState.count)]
        : []
    )
  )

const sum = (counts: ReadonlyArray<number>): number => counts.reduce((total, one) => total + one, 0)

describe("a session that IG refuses right after it was renewed", () => {
  const twice = Effect.gen(function* () {
    const { expire, inject } = yield* Sandbox
    yield* expire("access")
    yield* inject({ ...refused, path: "/positions", times: 2 })
  })

  it.effect("is refreshed by the next call, when IG has taken it for another", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* twice
      const both = yield* Effect.all([Session.read(), Effect.flip(read)], { concurrency: "unbounded" })
      expect(both[1]).toMatchObject({ errorCode: refused.errorCode })
      const seen = yield* count
      yield* Session.read()
      expect(yield* requests(seen)).toEqual(["POST /session/refresh-token 1 200", "GET /session 1 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("is logged in again by the next call, when IG has never taken it", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* twice
      yield* Effect.flip(read)
      const seen = yield* count
      yield* Session.read()
      expect(yield* requests(seen)).toEqual(["POST /session 3 200", "GET /session 1 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )
})

it.effect("a call that was refused for an older bearer is sent again in the session as it is, and counted", () =>
  Effect.gen(function* () {
    yield* Session.login
    const before = sum(yield* resent("renewed"))
    const { expire, hold } = yield* Sandbox
    yield* expire("access")
    const { reached, release } = yield* hold("after", { method: "GET", path: "/session" })
    const reading = yield* Effect.fork(Session.read())
    yield* reached
    yield* Session.refresh
    const seen = yield* count
    yield* release
    yield* Fiber.join(reading)
    expect((yield* requests(seen)).filter((request) => request.startsWith("POST"))).toEqual([])
    expect(yield* held).toBe("SBX01 access-2 refresh-2")
    expect(sum(yield* resent("renewed")) - before).toBe(1)
  }).pipe(Effect.provide(keptInMemory()))
)
