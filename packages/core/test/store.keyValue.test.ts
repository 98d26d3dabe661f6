/** A session store over anybody's `KeyValueStore`: what goes into it, and what is kept of how it fails. */
import * as SessionStore from "@effect-ig/core/SessionStore"
import { BadArgument, type PlatformError, SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { describe } from "vitest"

const over = (keys: Layer.Layer<KeyValueStore.KeyValueStore>) =>
  Layer.provideMerge(SessionStore.layerKeyValueStore({ key: "mine" }), keys)

/** One that fails whatever it is asked. */
const failing = (error: PlatformError) => {
  const fail = Effect.fail(error)
  return over(
    Layer.succeed(
      KeyValueStore.KeyValueStore,
      KeyValueStore.make({
        get: () => fail,
        getUint8Array: () => fail,
        set: () => fail,
        remove: () => fail,
        clear: fail,
        size: fail
      })
    )
  )
}

const text = Redacted.make("a session")

const attempts = Effect.gen(function* () {
  const { load, remove, save } = yield* SessionStore.SessionStore
  return {
    load: yield* Effect.either(load),
    save: yield* Effect.either(save(text)),
    remove: yield* Effect.either(remove)
  }
})

const secret = "user:password@host"

describe("a store over a KeyValueStore", () => {
  it.effect("has the text under its key, as it is, until that is removed", () =>
    Effect.gen(function* () {
      const keys = yield* KeyValueStore.KeyValueStore
      const { load, name, remove, save } = yield* SessionStore.SessionStore
      expect(name).toBe("mine")
      expect(yield* load).toEqual(Option.none())
      yield* save(text)
      expect(yield* keys.get("mine")).toEqual(Option.some("a session"))
      expect(Option.map(yield* load, Redacted.value)).toEqual(Option.some("a session"))
      yield* remove
      yield* remove
      expect(yield* keys.get("mine")).toEqual(Option.none())
    }).pipe(Effect.provide(over(KeyValueStore.layerMemory)))
  )

  it.effect("fails as it fails, and keeps none of its words", () =>
    Effect.gen(function* () {
      const refused = (method: string) =>
        new SystemError({ module: "KeyValueStore", method, reason: "PermissionDenied", pathOrDescriptor: "mine" })
      expect(yield* attempts).toEqual({
        load: Either.left(refused("get")),
        save: Either.left(refused("set")),
        remove: Either.left(refused("remove"))
      })
    }).pipe(
      Effect.provide(
        failing(
          new SystemError({
            module: "Clipboard",
            method: "other",
            reason: "PermissionDenied",
            pathOrDescriptor: secret,
            description: secret
          })
        )
      )
    )
  )

  it.effect("has removed what is not there", () =>
    Effect.gen(function* () {
      const { load, remove } = yield* attempts
      expect(remove._tag).toBe("Right")
      expect(load).toMatchObject({ _tag: "Left", left: { reason: "NotFound" } })
    }).pipe(Effect.provide(failing(new SystemError({ module: "KeyValueStore", method: "remove", reason: "NotFound" }))))
  )

  it.effect("fails, too, when it is asked what it cannot take", () =>
    Effect.gen(function* () {
      const refused = (method: string) => new BadArgument({ module: "KeyValueStore", method })
      expect(yield* attempts).toEqual({
        load: Either.left(refused("get")),
        save: Either.left(refused("set")),
        remove: Either.left(refused("remove"))
      })
    }).pipe(Effect.provide(failing(new BadArgument({ module: "Clipboard", method: "x", description: secret }))))
  )
})
