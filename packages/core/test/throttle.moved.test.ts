/** What becomes of a call whose session becomes another one while it waits for an allowance. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { held, requests } from "./utils/state.ts"
import { minute, read, refusedFor, virtually } from "./utils/throttled.ts"

const limits = { key: 60, account: 30, trading: 30 }

const throttle = Throttle.layer(limits)

const readsLeft = (accountId: string) =>
  Effect.map(
    Throttle.status,
    (status) => Option.getOrThrow(status).accounts.find((account) => account.accountId === accountId)?.reads.left
  )

describe("a call that waits for an allowance", () => {
  it.live("goes out on the account that the session is on by then, and spends that one's", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.loginV2
        yield* refusedFor("account", "/positions")
        const reading = yield* Effect.fork(read)
        yield* Effect.sleep(1_000)
        const switching = yield* Effect.fork(Session.switchAccount("SBX02"))
        yield* Fiber.join(switching)
        yield* Fiber.join(reading)
        expect(yield* held).toBe("SBX02 cst-1 xst-2")
        const record = yield* (yield* Sandbox).record
        expect(record.at(-1)).toMatchObject({
          path: "/positions",
          status: 200,
          headers: { "x-security-token": "xst-2" }
        })
        expect(yield* readsLeft("SBX02")).toBe(limits.account - 1)
      }),
      { throttle }
    )
  )

  it.live("of an account of its own is never sent in a session that has come to be on another", () =>
    virtually(
      Effect.gen(function* () {
        yield* Session.login
        yield* refusedFor("account", "/session")
        const reading = yield* Effect.fork(withAccount("SBX02")(Session.read()))
        yield* Effect.sleep(1_000)
        yield* Session.loginV2
        expect((yield* Fiber.join(reading)).accountId).toBe("SBX02")
        expect(yield* held).toBe("SBX01 cst-1 xst-1")
      }),
      { throttle }
    )
  )

  it.live("goes out under a new bearer when its own has come into its margin, though it lives", () =>
    virtually(
      Effect.gen(function* () {
        yield* Effect.replicateEffect(Session.encryptionKey, 2)
        yield* Effect.sleep(8_000)
        yield* Session.login
        const seen = (yield* requests()).length
        const reading = yield* Effect.fork(read)
        yield* Effect.sleep(minute - 8_000 - 1)
        expect(yield* requests(seen)).toEqual([])
        yield* Fiber.join(reading)
        expect(yield* requests(seen)).toEqual(["POST /session/refresh-token 1 200", "GET /positions 2 200"])
      }),
      { throttle: Throttle.layer({ ...limits, key: 3 }) }
    )
  )
})
