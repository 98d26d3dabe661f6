import { SessionStore, layerFile } from "@effect-ig/core/SessionStore"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type * as FileSystem from "@effect/platform/FileSystem"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { afterEach, beforeEach, describe } from "vitest"
import { type Calls, faultyFiles, makeCalls, type Trouble } from "./utils/faultyFiles.ts"

let folder = ""
let path = ""

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ig-store-"))
  path = join(folder, "session")
})

afterEach(() => rmSync(folder, { recursive: true }))

const storeOf = (at: string, files: Layer.Layer<FileSystem.FileSystem> = NodeFileSystem.layer) =>
  Effect.provide(SessionStore, layerFile({ path: at }).pipe(Layer.provide([files, NodePath.layer])))

const save = (text: string, at = path) => Effect.flatMap(storeOf(at), (store) => store.save(Redacted.make(text)))

const load = (at = path) =>
  Effect.map(
    Effect.flatMap(storeOf(at), (store) => store.load),
    Option.map((text) => Redacted.value(text))
  )

const remove = (at = path) => Effect.flatMap(storeOf(at), (store) => store.remove)

const modeOf = (at: string): string => (statSync(at).mode & 0o777).toString(8)

const withUmask = (mask: number) =>
  Effect.acquireRelease(
    Effect.sync(() => process.umask(mask)),
    (before) => Effect.sync(() => process.umask(before))
  )

describe("a store in a file", () => {
  it.live("gives back what was saved last, and nothing once it is removed", () =>
    Effect.gen(function* () {
      expect(yield* load()).toEqual(Option.none())
      yield* remove()
      yield* save("öne")
      yield* save("two")
      expect(yield* load()).toEqual(Option.some("two"))
      yield* remove()
      expect(yield* load()).toEqual(Option.none())
      expect(readdirSync(folder)).toEqual([])
    })
  )

  for (const mask of [0o000, 0o022, 0o777]) {
    it.scopedLive(
      `is for its owner alone under umask ${mask.toString(8)}, and for nobody else over a file of 0644`,
      () =>
        Effect.gen(function* () {
          writeFileSync(path, "old")
          chmodSync(path, 0o644)
          yield* withUmask(mask)
          yield* save("new")
          expect(modeOf(path)).toBe("600")
          yield* remove()
          yield* save("new")
          expect(modeOf(path)).toBe("600")
        })
    )
  }

  it.scopedLive("makes the folders that it needs, for its owner alone", () =>
    Effect.gen(function* () {
      yield* withUmask(0o000)
      yield* save("new", join(folder, "a/b/session"))
      expect([modeOf(join(folder, "a")), modeOf(join(folder, "a/b"))]).toEqual(["700", "700"])
    })
  )

  it.live("stays where it was when the working directory changes", () =>
    Effect.gen(function* () {
      const before = process.cwd()
      process.chdir(folder)
      const store = yield* storeOf("session")
      process.chdir(before)
      yield* store.save(Redacted.make("new"))
      expect(existsSync(path)).toBe(true)
    })
  )

  for (const isDangling of [false, true]) {
    it.live(`follows no symbolic link${isDangling ? " to nothing" : ""}`, () =>
      Effect.gen(function* () {
        const target = join(folder, "target")
        if (!isDangling) writeFileSync(target, "theirs")
        symlinkSync(target, path)
        for (const refused of [load(), save("new"), remove()]) {
          const error = yield* Effect.flip(refused)
          expect(error.message).toContain(`${path}): it is a symbolic link`)
        }
        expect(existsSync(target)).toBe(!isDangling)
        if (!isDangling) expect(readFileSync(target, "utf8")).toBe("theirs")
        expect(readdirSync(folder).length).toBe(isDangling ? 1 : 2)
      })
    )
  }

  it.live("reads neither a folder, nor a pipe that nobody writes to, nor what is far too large", () =>
    Effect.gen(function* () {
      const pipe = join(folder, "pipe")
      spawnSync("mkfifo", [pipe])
      writeFileSync(path, "x".repeat(1_000_001))
      expect((yield* Effect.flip(load(folder))).message).toContain("it is no file")
      expect((yield* Effect.flip(load(pipe))).message).toContain("it is no file")
      expect((yield* Effect.flip(load())).message).toContain("far too large")
    })
  )

  it.live("sweeps away what processes left behind that died in it, and nothing else", () =>
    Effect.gen(function* () {
      const left = join(folder, ".session.0123456789abcdef.tmp")
      const recent = ".session.fedcba9876543210.tmp"
      const others = [
        ".other.0123456789abcdef.tmp",
        ".session.mine.tmp",
        "session.0123456789abcdef.tmp",
        ".session.0123456789abcdef.tmp.kept",
        ".session.x0123456789abcdef.tmp"
      ]
      const age = (name: string, seconds: number) => {
        const at = Date.now() / 1_000 - seconds
        writeFileSync(join(folder, name), "half")
        utimesSync(join(folder, name), at, at)
      }
      for (const name of [basename(left), ...others]) age(name, 61)
      age(recent, 30)
      yield* load()
      expect(readdirSync(folder).sort()).toEqual([recent, ...others].sort())
    })
  )

  it.live("says why it cannot, and leaves what is there", () =>
    Effect.gen(function* () {
      mkdirSync(path)
      expect(yield* Effect.flip(save("new"))).toMatchObject({ _tag: "SystemError", method: "rename" })
      expect(readdirSync(folder)).toEqual(["session"])
    })
  )
})

/* ---- trouble at each call ------------------------------------------------------------ */

const bytes = (by: string): string => `${by} `.repeat(1_000)

const prepare = (): void => {
  rmSync(path, { force: true })
  writeFileSync(path, bytes("old"), { mode: 0o600 })
}

const found = (): string | undefined => {
  if (!existsSync(path)) return undefined
  const text = readFileSync(path, "utf8")
  return [bytes("old"), bytes("new")].includes(text) ? text.slice(0, 3) : "a mixture"
}

const operations: Readonly<
  Record<
    string,
    { readonly run: (store: SessionStore.Service) => Effect.Effect<unknown, unknown>; readonly ends: string }
  >
> = {
  save: { run: (store) => store.save(Redacted.make(bytes("new"))), ends: "new" },
  remove: { run: (store) => store.remove, ends: "nothing" },
  load: { run: (store) => store.load, ends: "old" }
}

const callsOf = (name: string) =>
  Effect.gen(function* () {
    prepare()
    const calls = makeCalls()
    yield* operations[name]?.run(yield* storeOf(path, faultyFiles(calls))) ?? Effect.die("no such operation")
    return calls.made
  })

/** The outcome with this trouble: of the operation, and of the file. */
const meet = (name: string, calls: Calls, kind: Trouble) =>
  Effect.gen(function* () {
    const work = operations[name]?.run(yield* storeOf(path, faultyFiles(calls))) ?? Effect.die("no such operation")
    if (kind === "fails" || kind === "fails afterwards") {
      const outcome = yield* Effect.either(work)
      return Either.isRight(outcome) ? "success" : "failure"
    }
    yield* Effect.forkDaemon(work)
    yield* Deferred.await(calls.death)
    return "death"
  })

describe("with trouble at each call of the file system", () => {
  it.live("the calls are these", () =>
    Effect.gen(function* () {
      expect(yield* callsOf("save")).toEqual([
        "readLink",
        "makeDirectory",
        "open",
        "chmod",
        "writeAll",
        "sync",
        "rename",
        "open",
        "sync"
      ])
      expect(yield* callsOf("remove")).toEqual(["readLink", "remove", "open", "sync"])
      expect(yield* callsOf("load")).toEqual(["readDirectory", "readLink", "stat", "readFileString"])
    })
  )

  for (const name of Object.keys(operations)) {
    for (const kind of ["fails", "fails afterwards", "dies", "dies afterwards"] as const) {
      it.live(`${name} leaves the old or the new where one ${kind}`, () =>
        Effect.gen(function* () {
          const made = yield* callsOf(name)
          const seen = new Set<string>()
          for (let at = 1; at <= made.length; at++) {
            prepare()
            const calls = makeCalls({ kind, at })
            const outcome = yield* meet(name, calls, kind)
            const now = found() ?? "nothing"
            seen.add(now)
            expect(["old", operations[name]?.ends]).toContain(now)
            if (outcome === "success") expect(now).toBe(operations[name]?.ends)
            // Tokens lie in no file that others may read, and none is left but by a death.
            const files = readdirSync(folder)
            expect(files.map((file) => modeOf(join(folder, file)))).toEqual(files.map(() => "600"))
            if (outcome !== "death") expect(files).toEqual(now === "nothing" ? [] : ["session"])
            // And the next is none the worse for it.
            yield* save(bytes("new"))
            expect(yield* load()).toEqual(Option.some(bytes("new")))
            for (const file of readdirSync(folder)) rmSync(join(folder, file))
          }
          // Whatever comes before the step that counts, and whatever after it.
          if (kind === "fails" || kind === "dies") expect(seen).toContain("old")
          expect(seen).toContain(operations[name]?.ends)
        })
      )
    }
  }

  for (const [name, at] of [
    ["load", [1]],
    ["save", [8, 9]],
    ["remove", [3, 4]]
  ] as const) {
    it.live(`${name} succeeds all the same where only what is beside the file cannot be done`, () =>
      Effect.gen(function* () {
        for (const one of at) {
          prepare()
          const calls = makeCalls({ kind: "fails", at: one })
          expect(yield* meet(name, calls, "fails")).toBe("success")
        }
      })
    )
  }

  it.live("one leftover that cannot be swept away keeps neither the others nor the file", () =>
    Effect.gen(function* () {
      prepare()
      const left = ["0123456789abcdef", "fedcba9876543210"].map((hex) => join(folder, `.session.${hex}.tmp`))
      for (const one of left) {
        writeFileSync(one, "half")
        utimesSync(one, 0, 0)
      }
      const calls = makeCalls({ kind: "fails", at: 2 })
      const { load } = yield* storeOf(path, faultyFiles(calls))
      expect(Option.isSome(yield* load)).toBe(true)
      expect(calls.made.slice(0, 4)).toEqual(["readDirectory", "stat", "stat", "remove"])
      expect(readdirSync(folder)).toHaveLength(2)
    })
  )

  it.live("a file that somebody has put where the new one is to be made is not written to", () =>
    Effect.gen(function* () {
      const seeded = Effect.withRandom(save(bytes("new")), Random.make("seed"))
      const calls = makeCalls({ kind: "dies", at: 5 })
      const { save: dying } = yield* storeOf(path, faultyFiles(calls))
      yield* Effect.forkDaemon(Effect.withRandom(dying(Redacted.make("")), Random.make("seed")))
      yield* Deferred.await(calls.death)
      const temporary = join(folder, readdirSync(folder)[0] ?? "none")
      rmSync(temporary)
      writeFileSync(join(folder, "theirs"), "")
      symlinkSync(join(folder, "theirs"), temporary)
      expect(yield* Effect.flip(seeded)).toMatchObject({ _tag: "SystemError", reason: "AlreadyExists" })
      expect(readFileSync(join(folder, "theirs"), "utf8")).toBe("")
      expect(found()).toBeUndefined()
    })
  )

  for (const kind of ["fails", "fails afterwards", "dies", "dies afterwards"] as const) {
    it.live(`a save that has failed leaves the old where its cleaning up ${kind}, and a later run does that`, () =>
      Effect.gen(function* () {
        const made = yield* callsOf("save")
        for (let at = made.indexOf("open") + 1; at <= made.indexOf("rename") + 1; at++) {
          prepare()
          const calls = makeCalls({ kind: "fails", at }, { kind, at: at + 1 })
          const outcome = yield* meet("save", calls, kind)
          expect(calls.made).toEqual([...made.slice(0, at), "remove"])
          expect(outcome).toBe(kind === "dies" || kind === "dies afterwards" ? "death" : "failure")
          expect(found()).toBe("old")
          for (const file of readdirSync(folder)) {
            expect(modeOf(join(folder, file))).toBe("600")
            if (file !== "session") utimesSync(join(folder, file), 0, 0)
          }
          yield* load()
          expect(readdirSync(folder)).toEqual(["session"])
        }
      })
    )

    it.live(`a load leaves the file as it is where sweeping up ${kind}, and a later one does that`, () =>
      Effect.gen(function* () {
        for (const at of [2, 3]) {
          prepare()
          const left = join(folder, ".session.0123456789abcdef.tmp")
          writeFileSync(left, "half", { mode: 0o600 })
          utimesSync(left, 0, 0)
          const calls = makeCalls({ kind, at })
          const outcome = yield* meet("load", calls, kind)
          expect(calls.made.slice(0, at)).toEqual(["readDirectory", "stat", "remove"].slice(0, at))
          expect(outcome).toBe(kind === "dies" || kind === "dies afterwards" ? "death" : "success")
          expect(found()).toBe("old")
          expect(yield* load()).toEqual(Option.some(bytes("old")))
          expect(readdirSync(folder)).toEqual(["session"])
        }
      })
    )
  }
})

/* ---- a disk that hangs --------------------------------------------------------------- */

/** Lets go what can go on; the disk's own answers come in between. */
const someTurns = Effect.repeatN(Effect.sleep("1 millis"), 5)

const released = ({ released }: Calls) => Deferred.succeed(released, undefined)

/** It leaves at once, or the test fails. */
const leave = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.timeoutFail(Effect.disconnect(Fiber.interrupt(fiber)), { duration: "1 second", onTimeout: () => "it stays" })

describe("on a disk that hangs", () => {
  for (const name of ["save", "remove"]) {
    it.live(`a ${name} is left at once, and goes on to its end before the next begins, at each of its calls`, () =>
      Effect.gen(function* () {
        const made = yield* callsOf(name)
        for (let at = 1; at <= made.length; at++) {
          prepare()
          const calls = makeCalls({ kind: "hangs", at })
          const store = yield* storeOf(path, faultyFiles(calls))
          const hanging = yield* Effect.fork(operations[name]?.run(store) ?? Effect.die("no such operation"))
          yield* Deferred.await(calls.hung)
          yield* leave(hanging)
          const next = yield* Effect.fork(store.save(Redacted.make("next")))
          yield* someTurns
          expect(calls.made).toEqual(made.slice(0, at))
          yield* released(calls)
          yield* Fiber.join(next)
          expect(calls.made).toEqual([...made, ...(yield* callsOf("save"))])
        }
      })
    )
  }

  it.live("what gives up before its turn has come is never done", () =>
    Effect.gen(function* () {
      prepare()
      const calls = makeCalls({ kind: "hangs", at: 1 })
      const store = yield* storeOf(path, faultyFiles(calls))
      const hanging = yield* Effect.fork(store.save(Redacted.make(bytes("new"))))
      yield* Deferred.await(calls.hung)
      for (const work of [store.save(Redacted.make("late")), store.remove, store.load]) {
        const waiting = yield* Effect.fork(work)
        yield* Effect.yieldNow()
        yield* leave(waiting)
      }
      yield* released(calls)
      yield* Fiber.join(hanging)
      expect(yield* store.load).toEqual(Option.some(Redacted.make(bytes("new"))))
    })
  )

  it.live("nothing is read that is about to be replaced", () =>
    Effect.gen(function* () {
      prepare()
      const calls = makeCalls({ kind: "hangs", at: 7 })
      const store = yield* storeOf(path, faultyFiles(calls))
      yield* Effect.fork(store.save(Redacted.make(bytes("new"))))
      yield* Deferred.await(calls.hung)
      const loading = yield* Effect.fork(store.load)
      yield* someTurns
      yield* released(calls)
      expect(yield* Fiber.join(loading)).toEqual(Option.some(Redacted.make(bytes("new"))))
      expect(calls.made).toEqual([...(yield* callsOf("save")), ...(yield* callsOf("load"))])
    })
  )

  it.live("one that fails leaves the turn to the next", () =>
    Effect.gen(function* () {
      prepare()
      const store = yield* storeOf(path, faultyFiles(makeCalls({ kind: "fails", at: 2 })))
      yield* Effect.flip(store.save(Redacted.make(bytes("new"))))
      yield* store.save(Redacted.make(bytes("new")))
      expect(found()).toBe("new")
    })
  )
})
