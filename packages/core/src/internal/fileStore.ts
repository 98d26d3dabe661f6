/**
 * A file that is always whole: written beside it, brought to the disk, and put in its place by one rename. What platform
 * offers has no `O_NOFOLLOW`, so whether there is a symbolic link is looked at before each step; a new file is made with
 * `O_EXCL`, which follows none.
 */
import { type PlatformError, SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { SessionStore } from "../SessionStore.ts"
import { randomHex } from "./random.ts"

/** A session is a few kB, each further account half of one more. */
const largest = 1_000_000

/** A write takes milliseconds; what is older was left behind by a process that died in it. */
const abandonedAfter = 60_000

/** One after the other. Who waits for a turn may leave without a trace. */
const makeTurns = Effect.map(Effect.makeSemaphore(1), (turn) => ({
  /**
   * Whoever leaves is let go at once, and the work goes on in a fiber of its own: the system does what it was told to do
   * in any case, and the next must not begin before that.
   */
  alone: <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      restore(turn.take(1)).pipe(
        Effect.zipRight(Effect.forkDaemon(Effect.ensuring(work, turn.release(1)))),
        Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
      )
    ),
  /** Once nothing is under way. */
  after: <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.zipRight(turn.withPermits(1)(Effect.void), work)
}))

const isMissing = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "NotFound"

export const make = (given: string): Effect.Effect<SessionStore.Service, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const { after, alone } = yield* makeTurns
    const path = paths.resolve(given)
    const folder = paths.dirname(path)
    const base = paths.basename(path)

    const refuse = (method: string, description: string) =>
      new SystemError({ module: "FileSystem", method, reason: "BadResource", pathOrDescriptor: path, description })

    const refuseLink = (method: string): Effect.Effect<void, PlatformError> =>
      Effect.flatMap(Effect.option(fs.readLink(path)), (link) =>
        Option.isSome(link) ? refuse(method, "it is a symbolic link, and none is followed") : Effect.void
      )

    /** A rename is on the disk when its folder is; not every system lets a folder be opened. */
    const syncFolder = Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), ({ sync }) => sync)).pipe(
      Effect.ignore
    )

    const isTemporary = (name: string): boolean =>
      name.startsWith(`.${base}.`) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(base.length + 2))

    const sweepOne = (leftover: string): Effect.Effect<void, PlatformError> =>
      Effect.gen(function* () {
        const { mtime } = yield* fs.stat(leftover)
        const now = yield* Clock.currentTimeMillis
        if (Option.exists(mtime, (at) => now - at.getTime() > abandonedAfter)) yield* fs.remove(leftover)
      })

    /** Tokens must not lie about in what a crash has left. */
    const sweep = Effect.flatMap(fs.readDirectory(folder), (names) =>
      Effect.forEach(names.filter(isTemporary), (name) => Effect.ignore(sweepOne(paths.join(folder, name))), {
        discard: true
      })
    ).pipe(Effect.ignore)

    const load = Effect.gen(function* () {
      yield* sweep
      yield* refuseLink("open")
      const { size, type } = yield* fs.stat(path)
      if (type !== "File") return yield* refuse("open", "it is no file")
      if (size > largest) return yield* refuse("open", "it is far too large for a session")
      return Option.some(Redacted.make(yield* fs.readFileString(path)))
    }).pipe(Effect.catchIf(isMissing, () => Effect.succeedNone))

    const write = (temporary: string, text: Redacted.Redacted) =>
      Effect.scoped(
        Effect.gen(function* () {
          const file = yield* fs.open(temporary, { flag: "wx", mode: 0o600 })
          // A umask may have taken away even the owner's rights.
          yield* fs.chmod(temporary, 0o600)
          yield* file.writeAll(new TextEncoder().encode(Redacted.value(text)))
          yield* file.sync
        })
      )

    const save = (text: Redacted.Redacted) =>
      Effect.gen(function* () {
        yield* refuseLink("rename")
        yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
        const temporary = paths.join(folder, `.${base}.${yield* randomHex}.tmp`)
        yield* Effect.zipRight(write(temporary, text), fs.rename(temporary, path)).pipe(
          Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
        )
        yield* syncFolder
      })

    const remove = refuseLink("remove").pipe(
      Effect.zipRight(fs.remove(path, { force: true })),
      // Or what was removed would be back after a loss of power.
      Effect.zipRight(syncFolder)
    )

    return {
      name: path,
      // What is about to be replaced may hold a refresh token that has been spent since.
      load: after(load),
      save: (text) => alone(save(text)),
      remove: alone(remove)
    }
  })
