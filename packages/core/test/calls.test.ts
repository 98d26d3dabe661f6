/** Calls, what they say of answers, and what they leave behind. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { within } from "../src/internal/deadlines.ts"
import { inMemory } from "./utils/ig.ts"
import { requests } from "./utils/state.ts"

const quotes = Endpoint.make({
  name: "quotes.get",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Struct({ bid: Schema.Number, ask: Schema.Number })
})

it.effect("an answer that is none is told with every field that is wrong", () =>
  Effect.gen(function* () {
    yield* Session.login
    yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text: `{"bid":"a"}`, path: "/positions" })
    expect(yield* Effect.flip(Endpoint.call(quotes))).toMatchObject({ _tag: "DecodeError", paths: ["bid", "ask"] })
  }).pipe(Effect.provide(inMemory()))
)

it.effect("a call on the account that a session by CST is on goes in that session", () =>
  Effect.gen(function* () {
    yield* Session.loginV2
    expect((yield* withAccount("SBX01")(Session.read())).accountId).toBe("SBX01")
    expect(yield* requests(1)).toEqual(["GET /session 1 200"])
  }).pipe(Effect.provide(inMemory()))
)

it.effect("once every time limit that there was has passed, no timer is waited for", () =>
  Effect.gen(function* () {
    const limit = within({ duration: Duration.seconds(1), onTimeout: () => "too late", settings: identity })
    const late = yield* Effect.fork(Effect.flip(limit(Effect.never)))
    yield* Effect.yieldNow()
    yield* TestClock.adjust("1 second")
    expect(yield* Fiber.join(late)).toBe("too late")
    yield* Effect.yieldNow()
    expect([...(yield* TestClock.sleeps())]).toEqual([])
  })
)
