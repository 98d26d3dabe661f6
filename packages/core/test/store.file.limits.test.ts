/** What a store in a file does not take for a session, and what of others it leaves alone. */
import { layerFile, SessionStore } from "@effect-ig/core/SessionStore"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe } from "vitest"

let folder = ""
let path = ""

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ig-store-"))
  path = join(folder, "session")
})

afterEach(() => rmSync(folder, { recursive: true }))

const store = Effect.suspend(() =>
  Effect.provide(SessionStore, layerFile({ path }).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer])))
)

const load = Effect.flatMap(store, (store) => store.load)

describe("what is in place of the file is refused, and it is said what was to be done:", () => {
  const refused = (error: unknown, method: string, description: string) =>
    expect(error).toMatchObject({ reason: "BadResource", method, description, pathOrDescriptor: path })

  it.effect("a symbolic link, whatever is done", () =>
    Effect.gen(function* () {
      const link = "it is a symbolic link, and none is followed"
      symlinkSync(join(folder, "elsewhere"), path)
      const { load, remove, save } = yield* store
      refused(yield* Effect.flip(load), "open", link)
      refused(yield* Effect.flip(save(Redacted.make("text"))), "rename", link)
      refused(yield* Effect.flip(remove), "remove", link)
    })
  )

  it.effect("a folder", () =>
    Effect.gen(function* () {
      mkdirSync(path)
      refused(yield* Effect.flip(load), "open", "it is no file")
    })
  )

  it.effect("what is larger than a session could be, and nothing smaller", () =>
    Effect.gen(function* () {
      writeFileSync(path, "x".repeat(1_000_000))
      expect(Option.map(yield* load, (text) => Redacted.value(text).length)).toEqual(Option.some(1_000_000))
      writeFileSync(path, "x".repeat(1_000_001))
      refused(yield* Effect.flip(load), "open", "it is far too large for a session")
    })
  )
})

describe("what lies beside the file", () => {
  const leftover = () => join(folder, ".session.0123456789abcdef.tmp")

  it.effect("is taken away when a crash has left it a minute ago, and no sooner", () =>
    Effect.gen(function* () {
      writeFileSync(leftover(), "")
      const left = Math.floor(statSync(leftover()).mtime.getTime())
      yield* TestClock.setTime(left + 60_000)
      yield* load
      expect(existsSync(leftover())).toBe(true)
      yield* TestClock.setTime(left + 60_001)
      yield* load
      expect(existsSync(leftover())).toBe(false)
    })
  )

  it.effect("stays when it is of another file, however alike", () =>
    Effect.gen(function* () {
      const others = [
        "session-.0123456789abcdef.tmp",
        "-session.0123456789abcdef.tmp",
        ".session.0123456789abcdef.tmp~"
      ]
      for (const name of others) writeFileSync(join(folder, name), "")
      yield* TestClock.setTime(statSync(folder).mtime.getTime() + 120_000)
      yield* load
      expect(others.filter((name) => existsSync(join(folder, name)))).toEqual(others)
    })
  )
})
