/** Runs of a program, one after the other, over the same IG and the same store. */
import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgConfig } from "@effect-ig/core/IgConfig"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { SignedIn } from "@effect-ig/core/SessionState"
import { type SessionStore, layerFile, layerKeyValueStore } from "@effect-ig/core/SessionStore"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inject } from "vitest"
import { clientLayer } from "./ig.ts"
import { held, requests } from "./state.ts"

const key = "ig-session"

export type World = Sandbox.Sandbox | HttpClient.HttpClient | KeyValueStore.KeyValueStore | SessionStore

/** What outlives a run. */
export const world = (
  options: Sandbox.Sandbox.Options = {},
  keys: Layer.Layer<KeyValueStore.KeyValueStore> = KeyValueStore.layerMemory
): Layer.Layer<World> =>
  Layer.merge(
    Sandbox.layerHttpClient({ ...inject("planted"), ...options }),
    Layer.provideMerge(layerKeyValueStore({ key }), keys)
  )

export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ig-store-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

/** In place of the store of `world`. */
export const fileStore = (
  path: string,
  files: Layer.Layer<FileSystem.FileSystem> = NodeFileSystem.layer
): Layer.Layer<SessionStore> => layerFile({ path }).pipe(Layer.provide([files, NodePath.layer]))

export type Login = Effect.Effect<SignedIn, IgError, Session.Ig | Credentials>

type Options = Partial<Omit<IgConfig.Options, "apiKey">>

/** What a run did: what it sent, and what its session was in the end. */
export interface Run<O> {
  readonly sent: ReadonlyArray<string>
  readonly end: O
}

const watched = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Run<A>, E, R | Sandbox.Sandbox> =>
  Effect.gen(function* () {
    const seen = (yield* (yield* Sandbox.Sandbox).record).length
    const end = yield* self
    return { sent: yield* requests(seen), end }
  })

type Throttling = Layer.Layer<Throttle.Throttle> | "the default"

const stackOf = (options: Options, throttle: Throttling) =>
  throttle === "the default" ? clientLayer(options) : Layer.merge(clientLayer(options), throttle)

/** One that resumes, or logs in. Where nothing waits for an allowance, to be without one is a failure. */
export const run = <A, E, R>(
  login: Login,
  program: Effect.Effect<A, E, R>,
  options: Options = {},
  throttle: Throttling = Throttle.off
): Effect.Effect<
  Run<string>,
  E | IgError | ConfigError.ConfigError,
  Exclude<R, IgClient.IgClient> | Exclude<World, KeyValueStore.KeyValueStore>
> =>
  watched(
    Effect.provide(
      Effect.zipRight(program, held),
      Layer.provideMerge(IgClient.layerResumed(login), stackOf(options, throttle))
    )
  )

/** One without credentials. */
export const bareRun = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  watched(
    Session.resume.pipe(
      Effect.zipRight(program),
      Effect.zipRight(held),
      Effect.scoped,
      Effect.either,
      Effect.provide(clientLayer())
    )
  )

export const stored: Effect.Effect<string | undefined, never, KeyValueStore.KeyValueStore> = Effect.flatMap(
  KeyValueStore.KeyValueStore,
  (store) => Effect.map(Effect.orDie(store.get(key)), Option.getOrUndefined)
)

export const store = (text: string): Effect.Effect<void, never, KeyValueStore.KeyValueStore> =>
  Effect.flatMap(KeyValueStore.KeyValueStore, ({ set }) => Effect.orDie(set(key, text)))

export const expire = (...kinds: ReadonlyArray<Sandbox.TokenKind>): Effect.Effect<void, never, Sandbox.Sandbox> =>
  Effect.flatMap(Sandbox.Sandbox, ({ expire }) => expire(...kinds))
