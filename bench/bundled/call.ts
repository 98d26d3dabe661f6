/** A login and a call. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const details = Endpoint.make({
  name: "session.currency",
  method: "GET",
  path: "/session",
  version: 1,
  answer: Schema.Struct({ currency: Schema.String })
})

const program = Effect.zipRight(Session.login, Endpoint.call(details))

const MainLayer = IgClient.layer({
  apiKey: Redacted.make("key"),
  identifier: "identifier",
  password: Redacted.make("password")
}).pipe(Layer.provideMerge(FetchHttpClient.layer))

Effect.runFork(Effect.provide(program, MainLayer))
