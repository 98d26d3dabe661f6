/**
 * A place where a session outlives its process. Nothing is written unless asked for: `Session.resumed`,
 * `IgClient.layerResumed`.
 *
 * @since 0.1.0
 */
import * as PlatformError from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as FileStore from "./internal/fileStore.ts"

/**
 * Where a session is kept from one run to the next; used by `Session.resumed` and `IgClient.layerResumed`.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionStore extends Context.Tag("@effect-ig/core/SessionStore")<SessionStore, SessionStore.Service>() {}

/**
 * @since 0.1.0
 */
export declare namespace SessionStore {
  /**
   * A place for one text, which holds tokens in clear. What it fails with is logged, so that must not hold the text.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Service {
    /** Where that is, for warnings. */
    readonly name: string
    readonly load: Effect.Effect<Option.Option<Redacted.Redacted>, PlatformError.PlatformError>
    /** Replaces what is there. */
    readonly save: (text: Redacted.Redacted) => Effect.Effect<void, PlatformError.PlatformError>
    /** Succeeds, too, when nothing is there. */
    readonly remove: Effect.Effect<void, PlatformError.PlatformError>
  }
}

/**
 * In a file that only its owner may read (mode 0600, whatever the umask and whatever was there before). It is replaced in
 * one step, so that a crash leaves the old or the new one, and no symbolic link is followed. Folders that do not exist
 * are made (0700); a relative path counts from the working directory of the time when the layer is built. A save or a
 * removal that is interrupted is left at once and goes on to its end; what comes next waits for that.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (options: {
  readonly path: string
}): Layer.Layer<SessionStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(SessionStore, FileStore.make(options.path))

/** Of a user's error nothing is kept but what kind it is: its words may quote the value. */
const toPlatformError = (
  key: string,
  method: string,
  error: PlatformError.PlatformError
): PlatformError.PlatformError =>
  error._tag === "SystemError"
    ? new PlatformError.SystemError({ module: "KeyValueStore", method, reason: error.reason, pathOrDescriptor: key })
    : new PlatformError.BadArgument({ module: "KeyValueStore", method })

/**
 * Under one key of any `KeyValueStore`: Redis, a keychain, an encrypted one. The text goes into it as it is; whether it
 * is written in one step, and who may read it, is up to that store.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore = (options: {
  readonly key: string
}): Layer.Layer<SessionStore, never, KeyValueStore.KeyValueStore> =>
  Layer.effect(
    SessionStore,
    Effect.map(KeyValueStore.KeyValueStore, (store) => {
      const { key } = options
      const within = <A>(method: string, self: Effect.Effect<A, PlatformError.PlatformError>) =>
        Effect.mapError(self, (error) => toPlatformError(key, method, error))
      return {
        name: key,
        load: within("get", Effect.map(store.get(key), Option.map(Redacted.make))),
        save: (text) => within("set", store.set(key, Redacted.value(text))),
        // A store of files fails where there is none.
        remove: within("remove", store.remove(key)).pipe(
          Effect.catchIf(
            (error) => error._tag === "SystemError" && error.reason === "NotFound",
            () => Effect.void
          )
        )
      }
    })
  )
