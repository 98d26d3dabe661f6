/** A login and a call. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const program = Effect.zipRight(Session.login, Session.read())

const MainLayer = IgClient.layer({
  apiKey: Redacted.make("key"),
  identifier: "identifier",
  password: Redacted.make("password")
}).pipe(Layer.provideMerge(FetchHttpClient.layer))

Effect.runFork(Effect.provide(program, MainLayer))
