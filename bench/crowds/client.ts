/** A client of the sandbox in memory, in virtual time: nothing is waited for that costs nothing. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

export const ClientLayer = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier, password }) =>
    IgClient.layer({
      environment: baseUrl,
      apiKey: Redacted.make(apiKey),
      identifier,
      password: Redacted.make(password)
    })
  )
).pipe(Layer.provideMerge(Sandbox.layerHttpClient()))
