import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inMemory } from "./utils/ig.ts"
import { requests } from "./utils/state.ts"

it.effect("IG's allowances are asked for by one request", () =>
  Effect.gen(function* () {
    yield* Session.login
    yield* Throttle.learn
    expect(yield* requests(1)).toEqual(["GET /operations/application 1 200"])
  }).pipe(Effect.provide(inMemory()))
)
