import * as IgClient from "@effect-ig/core/IgClient"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

/** The client's whole stack but the `HttpClient`, made for whichever sandbox is there. */
export const ClientLayer: Layer.Layer<IgClient.IgClient, ConfigError.ConfigError, Sandbox> = Layer.unwrapEffect(
  Effect.map(Sandbox, (sandbox) =>
    IgClient.layer({
      environment: sandbox.baseUrl,
      apiKey: Redacted.make(sandbox.apiKey),
      identifier: sandbox.identifier,
      password: Redacted.make(sandbox.password)
    })
  )
)
