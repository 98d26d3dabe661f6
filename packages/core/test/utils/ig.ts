/** The stack that tests run on: the sandbox with planted secrets, and a client of it. */
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgConfig } from "@effect-ig/core/IgConfig"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { inject } from "vitest"
import { remember } from "./secrets.ts"

type ClientOptions = Partial<Omit<IgConfig.Options, "apiKey" | "environment">>

const rememberTokens = Layer.scopedDiscard(
  Effect.flatMap(Sandbox.Sandbox, ({ issued }) =>
    Effect.addFinalizer(() => Effect.map(issued, (tokens) => remember(...tokens.map(({ value }) => value))))
  )
)

const clientLayer = (options: ClientOptions) =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, (sandbox) =>
      IgClient.layer({
        ...options,
        environment: sandbox.baseUrl,
        apiKey: Redacted.make(sandbox.apiKey),
        identifier: sandbox.identifier,
        password: Redacted.make(sandbox.password)
      })
    )
  ).pipe(Layer.merge(rememberTokens))

/** In memory. */
export const inMemory = (
  client: ClientOptions = {},
  sandbox: Sandbox.Sandbox.Options = {}
): Layer.Layer<IgClient.IgClient | Sandbox.Sandbox | HttpClient.HttpClient, ConfigError.ConfigError> =>
  clientLayer(client).pipe(Layer.provideMerge(Sandbox.layerHttpClient({ ...inject("planted"), ...sandbox })))

/** Over real HTTP, with this client. */
export const overHttp = <E>(
  http: Layer.Layer<HttpClient.HttpClient, E>,
  client: ClientOptions = {},
  sandbox: Sandbox.Sandbox.Options = {}
): Layer.Layer<
  IgClient.IgClient | Sandbox.Sandbox | HttpClient.HttpClient,
  ConfigError.ConfigError | Sandbox.SandboxError | E
> =>
  clientLayer(client).pipe(Layer.provideMerge(Layer.merge(http, Sandbox.layer({ ...inject("planted"), ...sandbox }))))
