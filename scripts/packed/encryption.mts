// A user's program: logs in with an encrypted password against a sandbox of its own, over HTTP, and prints the account.
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const MainLayer = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, (sandbox) =>
    IgClient.layer({
      environment: sandbox.baseUrl,
      apiKey: Redacted.make(sandbox.apiKey),
      identifier: sandbox.identifier,
      password: Redacted.make(sandbox.password)
    })
  )
).pipe(Layer.provideMerge(Layer.mergeAll(Sandbox.layer(), NodeHttpClient.layerUndici, PasswordEncryption.layer)))

const program = Effect.gen(function* () {
  const session = yield* Session.loginV2WithEncryption
  yield* Console.log(`loginV2WithEncryption ${session.accountId}`)
  yield* Session.logout
})

program.pipe(Effect.provide(MainLayer), NodeRuntime.runMain)
