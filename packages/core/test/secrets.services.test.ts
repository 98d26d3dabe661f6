/** Whoever prints a service, or all that there is where a program runs, must not see what the session keeps in there. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { inject } from "vitest"
import { clientLayer, keptInMemory } from "./utils/ig.ts"
import { leaksIn } from "./utils/secrets.ts"
import { printings } from "./utils/sinks.ts"

const lives = [
  [
    "OAuth, refreshed, and refreshed in vain",
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.login
      yield* Session.read()
      yield* expire("access")
      yield* Session.read()
      yield* expire("all")
      yield* inject({ kind: "nonJson403", method: "POST", path: "/session" })
      yield* Effect.flip(Session.read())
    })
  ],
  [
    "CST, with another account and a refused password",
    Effect.gen(function* () {
      const { expire, inject } = yield* Sandbox
      yield* Session.loginV2
      yield* withAccount("SBX02")(Session.read())
      yield* Session.read()
      yield* expire("all")
      yield* inject({
        kind: "answer",
        status: 401,
        errorCode: "error.security.invalid-details",
        method: "POST",
        path: "/session"
      })
      yield* Effect.flip(Session.read())
    })
  ]
] as const

for (const [name, life] of lives) {
  it.scoped(`the services of a client hold no secret in clear: ${name}`, () =>
    Effect.gen(function* () {
      const services = yield* Layer.build(clientLayer())
      yield* Effect.provide(life, services)
      const tokens = (yield* (yield* Sandbox).issued).map(({ value }) => value)
      expect(tokens.length).toBeGreaterThanOrEqual(4)
      const prints = [services, ...services.unsafeMap.values()].flatMap(printings)
      const { apiKey, password } = inject("planted")
      expect(leaksIn(prints, [apiKey, password, ...tokens])).toEqual([])
      expect(prints.some((text) => text.includes("SessionState"))).toBe(true)
    }).pipe(Effect.provide(keptInMemory()))
  )
}
