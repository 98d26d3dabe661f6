/** What is said to a caller who asks for an account where there is none to be had. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { inMemory } from "./utils/ig.ts"
import { count } from "./utils/state.ts"

describe("an account for some calls", () => {
  it.effect("must be one that could be IG's; what it has to look like is said", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* Effect.flip(withAccount("has space")(Session.read()))).toMatchObject({
        _tag: "NotSentError",
        reason: "invalid-request",
        path: "accountId",
        detail: "Expected 1 to 30 letters, digits and hyphens, as GET /accounts lists them."
      })
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("is none for what changes the session; that it is for calls is said", () =>
    Effect.gen(function* () {
      yield* Session.login
      const changes: ReadonlyArray<Effect.Effect<unknown, IgError, Session.Ig>> = [
        Session.switchAccount("SBX01"),
        Session.read({ fetchTokens: true })
      ]
      for (const change of changes) {
        expect(yield* Effect.flip(withAccount("SBX02")(change))).toMatchObject({
          _tag: "NotSentError",
          reason: "not-permitted",
          detail: "withAccount is for calls; what changes the session is done outside of it."
        })
      }
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )
})
