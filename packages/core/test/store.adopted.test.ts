import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run, world } from "./utils/runs.ts"

const other = withAccount("SBX02")(Session.read())

it.effect(
  "stored sessions of other accounts are taken up once: those of a login that follows another are its own",
  () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, other)
      const refused = { kind: "answer", status: 401, errorCode: "error.security.client-token-invalid" } as const
      yield* (yield* Sandbox).inject({ ...refused, method: "GET", path: "/session" })
      const twice = Effect.zipRight(Effect.zipRight(Session.loginV2, Session.logout), Session.loginV2)
      const next = yield* run(twice, other)
      expect(next.sent).toEqual([
        "GET /session 1 401",
        "POST /session 2 200",
        "DELETE /session 1 204",
        "DELETE /session 1 204",
        "POST /session 2 200",
        "POST /session 2 200",
        "PUT /session 1 200",
        "GET /session 1 200"
      ])
    }).pipe(Effect.provide(world()))
)
