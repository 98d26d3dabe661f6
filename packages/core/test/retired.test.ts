import * as SessionState from "@effect-ig/core/SessionState"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeInternals, watchOver } from "../src/internal/slot.ts"

it.effect("sessions that are left to the store, again and again, are forgotten once their work has ended", () =>
  Effect.gen(function* () {
    const internals = yield* makeInternals(new SessionState.SignedOut())
    const another = internals.main.exchanges.another(new SessionState.SignedOut(), {
      who: { identifier: "user" },
      again: undefined
    })
    const open = yield* another
    watchOver(internals, open)
    for (let left = 10; left > 0; left--) {
      const ended = yield* another
      yield* ended.close
      watchOver(internals, ended)
    }
    expect(internals.retired.size).toBe(2)
    expect(internals.retired.has(open)).toBe(true)
  })
)
