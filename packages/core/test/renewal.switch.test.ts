/** A switch of account whose tokens IG refuses: which refusals a renewal mends, and which it cannot. */
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { keptInMemory } from "./utils/ig.ts"
import { count, held, requests } from "./utils/state.ts"

describe("a switch of account", () => {
  it.effect("under a CST that has died is made after a new login", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* TestClock.adjust("1 minute")
      yield* (yield* Sandbox).expire("cst")
      const seen = yield* count
      expect((yield* Session.switchAccount("SBX02"))._tag).toBe("Switched")
      expect(yield* requests(seen)).toEqual(["PUT /session 1 401", "POST /session 2 200", "PUT /session 1 200"])
      expect(yield* held).toBe("SBX02 cst-2 xst-3")
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("under a bearer that has died is made after a refresh", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* (yield* Sandbox).expire("access")
      const seen = yield* count
      expect((yield* Session.switchAccount("SBX02"))._tag).toBe("SwitchedByHeader")
      expect(yield* requests(seen)).toEqual([
        "PUT /session 1 401",
        "GET /session 1 401",
        "POST /session/refresh-token 1 200",
        "PUT /session 1 401",
        "GET /session 1 200"
      ])
      expect(yield* held).toBe("SBX02 access-2 refresh-2")
    }).pipe(Effect.provide(keptInMemory()))
  )

  for (const [name, login] of [
    ["a bearer", Effect.asVoid(Session.login)],
    ["a CST", Effect.asVoid(Session.loginV2)]
  ] as const) {
    it.effect(`under ${name} to an account of nobody's renews nothing`, () =>
      Effect.gen(function* () {
        yield* login
        const seen = yield* count
        expect(yield* Effect.flip(Session.switchAccount("NOBODYS"))).toMatchObject({ action: "fix" })
        expect((yield* requests(seen)).filter((request) => request.startsWith("POST"))).toEqual([])
      }).pipe(Effect.provide(keptInMemory()))
    )
  }

  it.effect("under a bearer that IG never lets change the default account renews nothing", () =>
    Effect.gen(function* () {
      yield* Session.login
      const seen = yield* count
      expect(yield* Effect.flip(Session.switchAccount("SBX02", { defaultAccount: true }))).toMatchObject({
        errorCode: "error.security.client-token-missing"
      })
      expect(yield* requests(seen)).toEqual(["PUT /session 1 401"])
    }).pipe(Effect.provide(keptInMemory()))
  )
})
