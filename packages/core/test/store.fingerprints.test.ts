import { IgConfig } from "@effect-ig/core/IgConfig"
import * as Session from "@effect-ig/core/Session"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { decode } from "../src/internal/stored.ts"
import { clientLayer } from "./utils/ig.ts"
import { run, stored, world } from "./utils/runs.ts"

it.effect("what is more than a fingerprint, before it or after it, is none", () =>
  Effect.gen(function* () {
    yield* run(Session.login, Effect.void)
    const text = (yield* stored) ?? ""
    const config = yield* Effect.provide(IgConfig, clientLayer())
    const found = (text: string) => decode(config, Redacted.make(text))
    expect(Either.isRight(found(text))).toBe(true)
    const print = /"apiKey":"([0-9a-f.]+)"/.exec(text)?.[1] ?? "none"
    for (const other of [`0${print}`, `${print}0`]) {
      expect(found(text.replace(print, other))).toEqual(Either.left("it cannot be read: it is damaged"))
    }
  }).pipe(Effect.provide(world()))
)
