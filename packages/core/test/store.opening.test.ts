import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { run, stored, world } from "./utils/runs.ts"
import { eventually } from "./utils/state.ts"

it.effect("a session that is about to be opened for another account is not stored, and keeps none from being", () =>
  Effect.gen(function* () {
    const events: Array<SessionEvent> = []
    yield* run(
      Session.loginV2,
      Effect.gen(function* () {
        yield* Effect.fork(Stream.runForEach(Session.events, (event) => Effect.sync(() => void events.push(event))))
        const { hold } = yield* Sandbox
        const { reached, release } = yield* hold("after", { method: "PUT", path: "/session" })
        const switching = yield* Effect.fork(Session.switchAccount("SBX02"))
        yield* reached
        const reading = yield* Effect.fork(withAccount("SBX03")(Session.read()))
        yield* Effect.yieldNow()
        yield* release
        yield* Fiber.join(switching)
        yield* eventually(Effect.map(stored, (text) => text?.includes("SBX02") === true))
        yield* Effect.exit(Fiber.join(reading))
      })
    )
    expect(events.map(({ _tag }) => _tag)).not.toContain("StoreFailed")
  }).pipe(
    Effect.provide(
      world({
        accounts: [
          { accountId: "SBX01", accountType: "CFD", preferred: true },
          { accountId: "SBX02", accountType: "SPREADBET" },
          { accountId: "SBX03", accountType: "SPREADBET" }
        ]
      })
    )
  )
)
