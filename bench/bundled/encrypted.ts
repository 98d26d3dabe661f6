/** The same with an encrypted password. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const program = Effect.zipRight(Session.loginV2WithEncryption, Session.read())

const MainLayer = IgClient.layer({
  apiKey: Redacted.make("key"),
  identifier: "identifier",
  password: Redacted.make("password")
}).pipe(Layer.provideMerge(Layer.merge(FetchHttpClient.layer, PasswordEncryption.layer)))

Effect.runFork(Effect.provide(program, MainLayer))
