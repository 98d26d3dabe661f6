// A user's program: logs in both ways against a sandbox of its own, over HTTP, and prints the accounts.
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
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
).pipe(Layer.provideMerge(Layer.merge(Sandbox.layer(), NodeHttpClient.layerUndici)))

const program = Effect.gen(function* () {
  const oauth = yield* Session.login
  yield* Console.log(`login ${oauth.accountId}`)
  const tokens = yield* Session.loginV2
  yield* Console.log(`loginV2 ${tokens.accountId}`)
  yield* Session.logout
})

program.pipe(Effect.provide(MainLayer), NodeRuntime.runMain)
