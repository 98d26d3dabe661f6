/** The clients of platform, over a pool of the same size. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent } from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { connections } from "./side.ts"

const dispatcher = Effect.acquireRelease(
  Effect.sync(() => new Agent({ connections })),
  (agent) => Effect.promise(() => agent.destroy())
)

export const UndiciLayer: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
  Layer.provide(Layer.scoped(NodeHttpClient.Dispatcher, dispatcher))
)

export const NodeLayer: Layer.Layer<HttpClient.HttpClient> = NodeHttpClient.layerWithoutAgent.pipe(
  Layer.provide(NodeHttpClient.makeAgentLayer({ keepAlive: true, maxSockets: connections }))
)
