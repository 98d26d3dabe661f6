/** The stack that tests run on: the sandbox with planted secrets, and a client of it. */
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgConfig } from "@effect-ig/core/IgConfig"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { inject } from "vitest"
import { remember } from "./secrets.ts"

type ClientOptions = Partial<Omit<IgConfig.Options, "apiKey">>

const rememberTokens = Layer.scopedDiscard(
  Effect.flatMap(Sandbox.Sandbox, ({ issued }) =>
    Effect.addFinalizer(() => Effect.map(issued, (tokens) => remember(...tokens.map(({ value }) => value))))
  )
)

/** One run of a program, for those that outlive it in a sandbox of their own. */
export const clientLayer = (options: ClientOptions = {}) =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, (sandbox) =>
      IgClient.layer({
        environment: sandbox.baseUrl,
        ...options,
        apiKey: Redacted.make(sandbox.apiKey),
        identifier: sandbox.identifier,
        password: Redacted.make(sandbox.password)
      })
    )
  ).pipe(Layer.merge(rememberTokens))

/** An operation by itself: what IG answers is what the caller gets. */
const alone = Layer.mergeAll(Renewal.off, ReadRetry.off, Throttle.off)

type Stack = IgClient.IgClient | Sandbox.Sandbox | HttpClient.HttpClient

/** In memory, with all that is on in `IgClient.layer`. */
export const keptInMemory = (
  client: ClientOptions = {},
  sandbox: Sandbox.Sandbox.Options = {}
): Layer.Layer<Stack, ConfigError.ConfigError> =>
  clientLayer(client).pipe(Layer.provideMerge(Sandbox.layerHttpClient({ ...inject("planted"), ...sandbox })))

/** Over real HTTP, with this client and all that is on in `IgClient.layer`. */
export const keptOverHttp = <E>(
  http: Layer.Layer<HttpClient.HttpClient, E>,
  client: ClientOptions = {},
  sandbox: Sandbox.Sandbox.Options = {}
): Layer.Layer<Stack, ConfigError.ConfigError | Sandbox.SandboxError | E> =>
  clientLayer(client).pipe(Layer.provideMerge(Layer.merge(http, Sandbox.layer({ ...inject("planted"), ...sandbox }))))

/** In memory. */
export const inMemory: typeof keptInMemory = (...options) => Layer.merge(keptInMemory(...options), alone)

/** Over real HTTP, with this client. */
export const overHttp: typeof keptOverHttp = (...options) => Layer.merge(keptOverHttp(...options), alone)
