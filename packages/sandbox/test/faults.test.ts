import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import type { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { type Answer, ask, bearer, eventually, forms, login, pair, tokensIn, verdict } from "./utils/raw.ts"

type Kind = Fault["kind"]

/** What a raw client sees of a login that meets the fault, and whether a session was opened all the same. */
const seen: Readonly<
  Record<
    Exclude<Kind, "hold" | "slow" | "never">,
    ReadonlyArray<{
      readonly fault: Fault
      readonly sees: string
      readonly opened: number
      readonly and?: (answer: Answer) => unknown
    }>
  >
> = {
  cutHeaders: [
    { fault: { kind: "cutHeaders" }, sees: "Transport", opened: 1 },
    { fault: { kind: "cutHeaders", workDone: false }, sees: "Transport", opened: 0 }
  ],
  cutBody: [{ fault: { kind: "cutBody" }, sees: "Decode", opened: 1 }],
  answer: [
    { fault: { kind: "answer", status: 500, errorCode: "system.error" }, sees: "500 system.error", opened: 0 },
    { fault: { kind: "answer", status: 503, text: "<html>", workDone: true }, sees: "503", opened: 1 },
    {
      fault: { kind: "answer", status: 302, headers: { location: "http://elsewhere.invalid" } },
      sees: "302",
      opened: 0,
      and: ({ headers }) => expect(headers["location"]).toBe("http://elsewhere.invalid")
    }
  ],
  nonJson403: [
    {
      fault: { kind: "nonJson403" },
      sees: "403",
      opened: 0,
      and: ({ text }) => expect(text).toBe("puredeal:err:(none):403 Access forbidden!")
    }
  ],
  empty405: [
    { fault: { kind: "empty405" }, sees: "405", opened: 0, and: ({ text }) => expect(text).toBe("") },
    { fault: { kind: "empty405", workDone: true }, sees: "405", opened: 1 }
  ],
  allowance: (["api-key", "account", "account-trading", "account-historical-data"] as const).map((allowance) => ({
    fault: { kind: "allowance", allowance },
    sees: `403 error.public-api.exceeded-${allowance}-allowance`,
    opened: 0
  })),
  failedLogin: [
    {
      fault: { kind: "failedLogin" },
      sees: "401 service.security.authentication.failure-invalid-client-security-token",
      opened: 0
    }
  ],
  doubledTokenHeader: [
    {
      fault: { kind: "doubledTokenHeader" },
      sees: "200",
      opened: 1,
      and: (answer) => expect(tokensIn(answer).cst).toMatch(/^(\w+), \1$/)
    }
  ],
  extraHeaders: [
    {
      fault: { kind: "extraHeaders", headers: { "x-extra": "yes" } },
      sees: "200",
      opened: 1,
      and: ({ headers }) => expect(headers["x-extra"]).toBe("yes")
    }
  ],
  deadTokensAtLogin: [
    {
      fault: { kind: "deadTokensAtLogin" },
      sees: "200",
      opened: 0,
      and: (answer) => expect(tokensIn(answer).cst).not.toBe("")
    }
  ]
}

for (const [form, layer] of forms) {
  describe(`a raw client ${form}`, () => {
    for (const [kind, rows] of Object.entries(seen)) {
      for (const { and, fault, opened, sees } of rows) {
        it.effect(`sees ${kind} as ${sees}, with ${opened} session opened, once`, () =>
          Effect.gen(function* () {
            const sandbox = yield* Sandbox
            yield* sandbox.inject(fault)
            const met = yield* Effect.either(login(2))
            const shown = Either.match(met, { onLeft: ({ reason }) => reason, onRight: verdict })
            expect(shown).toBe(sees)
            expect(yield* sandbox.liveSessions).toBe(opened)
            if (Either.isRight(met)) and?.(met.right)
            yield* sandbox.setSwitches({})
            expect(verdict(yield* login(2))).toBe("200")
          }).pipe(Effect.provide(layer()))
        )
      }
    }

    it.effect("waits for a slow answer as long as it was told, and no longer", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        yield* sandbox.inject({ kind: "slow", millis: 5000 })
        const caller = yield* Effect.fork(login(3))
        yield* eventually(Effect.map(sandbox.liveSessions, (live) => live === 1))
        yield* TestClock.adjust(4999)
        expect(caller.unsafePoll()).toBeNull()
        yield* TestClock.adjust(1)
        expect(verdict(yield* Fiber.join(caller))).toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    for (const workDone of [true, false]) {
      it.effect(`never gets an answer, with the work ${workDone ? "done" : "not done"}`, () =>
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          yield* sandbox.inject({ kind: "never", workDone })
          const caller = yield* Effect.fork(login(3))
          yield* eventually(Effect.map(sandbox.record, ({ length }) => length === 1))
          yield* TestClock.adjust("1 day")
          expect(caller.unsafePoll()).toBeNull()
          yield* Fiber.interrupt(caller)
          expect(yield* sandbox.record).toMatchObject([{ isWorked: workDone, isDelivered: false }])
          expect(yield* sandbox.issued).toHaveLength(workDone ? 2 : 0)
        }).pipe(Effect.provide(layer()))
      )
    }

    for (const point of ["before", "after", "headers", "body"] as const) {
      it.effect(`gets an answer that was held, ${point}, when it is released`, () =>
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          yield* sandbox.inject({ kind: "hold", point, path: "/session" })
          const caller = yield* Effect.fork(login(3))
          yield* eventually(Effect.map(sandbox.record, ({ length }) => length === 1))
          yield* eventually(Effect.map(sandbox.liveSessions, (live) => live === (point === "before" ? 0 : 1)))
          expect(caller.unsafePoll()).toBeNull()
          // In memory the caller itself comes to the point, by and by.
          yield* eventually(
            Effect.zipRight(
              sandbox.release,
              Effect.sync(() => caller.unsafePoll() !== null)
            )
          )
          expect(verdict(yield* Fiber.join(caller))).toBe("200")
        }).pipe(Effect.provide(layer()))
      )
    }

    it.effect("meets a fault by method and path, so many times", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        yield* sandbox.inject({ kind: "empty405", method: "GET", path: "/session/encryptionKey", times: 2 })
        const key = Effect.map(ask({ path: "/session/encryptionKey" }), ({ status }) => status)
        expect((yield* login(3)).status).toBe(200)
        expect([yield* key, yield* key, yield* key]).toEqual([405, 405, 200])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("finds tokens dead by kind, all of them, or at the weekend", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const alive = Effect.map(sandbox.issued, (tokens) =>
          tokens.filter(({ isAlive }) => isAlive).map((t) => t.label)
        )
        yield* bearer()
        yield* pair
        for (const [kind, left] of [
          ["access", ["refresh-1", "cst-1", "xst-1"]],
          ["xst", ["refresh-1", "cst-1"]],
          ["cst", ["refresh-1"]],
          ["refresh", []]
        ] as const) {
          yield* sandbox.expire(kind)
          expect(yield* alive).toEqual(left)
        }
        yield* bearer()
        yield* sandbox.expire("all")
        expect(yield* alive).toEqual([])
        yield* pair
        yield* sandbox.purge
        expect(yield* sandbox.liveSessions).toBe(0)
      }).pipe(Effect.provide(layer()))
    )
  })
}
