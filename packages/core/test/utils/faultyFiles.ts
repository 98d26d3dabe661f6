/** The machine's own files, with trouble at any call of the file system. */
import { SystemError } from "@effect/platform/Error"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"

export type Trouble =
  /** The call fails, and has done nothing. */
  | "fails"
  /** The call fails, and has done what it was to do. */
  | "fails afterwards"
  /** The process is no more: nothing comes after. */
  | "dies"
  | "dies afterwards"
  /** The disk hangs, and does what it was told to do once it is released. */
  | "hangs"

/** What the `at`th call meets. */
export interface Met {
  readonly kind: Trouble
  readonly at: number
}

/** The calls that were made, and the troubles that some of them meet. */
export interface Calls {
  readonly made: Array<string>
  troubles: ReadonlyArray<Met>
  /** Ends when the process has met its death. */
  readonly death: Deferred.Deferred<void>
  /** Ends when the disk hangs. */
  readonly hung: Deferred.Deferred<void>
  /** To be done for it to go on. */
  readonly released: Deferred.Deferred<void>
}

export const makeCalls = (...troubles: ReadonlyArray<Met>): Calls => ({
  made: [],
  troubles,
  death: Deferred.unsafeMake(FiberId.none),
  hung: Deferred.unsafeMake(FiberId.none),
  released: Deferred.unsafeMake(FiberId.none)
})

const failure = (method: string) => new SystemError({ module: "FileSystem", method, reason: "Unknown" })

const troubled =
  (calls: Calls, method: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | SystemError, R> =>
    Effect.suspend((): Effect.Effect<A, E | SystemError, R> => {
      const { death, hung, made, released, troubles } = calls
      made.push(method)
      switch (troubles.find(({ at }) => at === made.length)?.kind) {
        case undefined:
          return self
        case "fails":
          return Effect.fail(failure(method))
        case "fails afterwards":
          return Effect.zipRight(Effect.exit(self), Effect.fail(failure(method)))
        case "dies":
          return Effect.zipRight(Deferred.succeed(death, undefined), Effect.never)
        case "dies afterwards":
          return Effect.zipRight(Effect.exit(self), Effect.zipRight(Deferred.succeed(death, undefined), Effect.never))
        case "hangs":
          return Effect.zipRight(Deferred.succeed(hung, undefined), Effect.zipRight(Deferred.await(released), self))
      }
    })

/** Every call that the store may make. */
export const faultyFiles = (calls: Calls): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => {
      const file = (opened: FileSystem.File): FileSystem.File => ({
        ...opened,
        [FileSystem.FileTypeId]: FileSystem.FileTypeId,
        stat: opened.stat,
        sync: troubled(calls, "sync")(opened.sync),
        writeAll: (bytes) => troubled(calls, "writeAll")(opened.writeAll(bytes))
      })
      return FileSystem.makeNoop({
        readLink: (path) => troubled(calls, "readLink")(fs.readLink(path)),
        makeDirectory: (path, options) => troubled(calls, "makeDirectory")(fs.makeDirectory(path, options)),
        open: (path, options) => Effect.map(troubled(calls, "open")(fs.open(path, options)), file),
        chmod: (path, mode) => troubled(calls, "chmod")(fs.chmod(path, mode)),
        rename: (from, to) => troubled(calls, "rename")(fs.rename(from, to)),
        remove: (path, options) => troubled(calls, "remove")(fs.remove(path, options)),
        readDirectory: (path, options) => troubled(calls, "readDirectory")(fs.readDirectory(path, options)),
        stat: (path) => troubled(calls, "stat")(fs.stat(path)),
        readFileString: (path, encoding) => troubled(calls, "readFileString")(fs.readFileString(path, encoding))
      })
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))
