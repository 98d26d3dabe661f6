/**
 * A program: watches the session of IG's demo environment for ten minutes. Needs `IG_API_KEY`, `IG_IDENTIFIER` and
 * `IG_PASSWORD` in the environment; makes one login attempt.
 */
import * as IgClient from "@effect-ig/core/IgClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { watch } from "./service/AccountWatch.ts"

const MainLayer = IgClient.layerEnv.pipe(Layer.provideMerge(NodeHttpClient.layerUndici))

watch(10, (details) => Effect.log(`signed in, ${details.currency ?? "no currency"}`)).pipe(
  Effect.provide(MainLayer),
  NodeRuntime.runMain
)
