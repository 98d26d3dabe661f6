/** A service as users write it, which the tests start as a process of its own and tell to stop. */
import * as Credentials from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { SignedIn } from "@effect-ig/core/SessionState"
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const setting = (name: string): string => process.env[name] ?? ""

const http = { undici: NodeHttpClient.layerUndici, node: NodeHttpClient.layer, fetch: FetchHttpClient.layer }
type Login = Effect.Effect<SignedIn, IgError, Session.Ig | Credentials.Credentials>

const logins: Readonly<Record<string, Login>> = { login: Session.login, loginV2: Session.loginV2 }

const pick = <A>(choices: Readonly<Record<string, A>>, name: string): Effect.Effect<A> => {
  const found = choices[setting(name)]
  return found === undefined
    ? Effect.die(`${name} is none of ${Object.keys(choices).join(", ")}`)
    : Effect.succeed(found)
}

const say = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${text}\n`))

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Struct({ positions: Schema.Array(Schema.Unknown) })
})

const works: Readonly<Record<string, Effect.Effect<unknown, unknown, Session.Ig>>> = {
  end: Effect.zipRight(Session.read(), say("worked")),
  accounts: Effect.all([Session.read(), withAccount("SBX02")(Session.read()), say("worked")]),
  fail: Effect.zipRight(say("worked"), Effect.fail("no")),
  wait: Effect.zipRight(say("ready"), Effect.never),
  refresh: Session.refresh,
  call: Effect.zipRight(Session.read(), Endpoint.call(positions, {}))
}

/** From the second time on nobody supplies them. */
const Forgetful = Layer.effect(
  Credentials.Credentials,
  Effect.map(Credentials.Credentials, (credentials) => {
    let asked = 0
    return Effect.suspend(() => (asked++ === 0 ? credentials : Effect.zipRight(say("asked"), Effect.never)))
  })
)

const main = Effect.gen(function* () {
  const login = yield* pick(logins, "LOGIN")
  const client = yield* pick(http, "HTTP")
  const work = yield* pick(works, "WORK")
  const environment = IgClient.layer({
    environment: setting("BASE_URL"),
    apiKey: Redacted.make(setting("API_KEY")),
    identifier: setting("IDENTIFIER"),
    password: Redacted.make(setting("PASSWORD")),
    logoutTimeout: "2 seconds"
  }).pipe(Layer.provideMerge(client))
  const Stack = setting("CREDENTIALS") === "once" ? Layer.provideMerge(Forgetful, environment) : environment
  const body = Effect.onInterrupt(work, () => say("stopping"))
  const Store = SessionStore.layerFile({ path: setting("STORE") }).pipe(
    Layer.provide([NodeFileSystem.layer, NodePath.layer])
  )
  const bound = yield* pick(
    {
      layer: Effect.provide(body, Layer.provideMerge(IgClient.layerSignedIn(login), Stack)),
      scoped: Effect.scoped(Effect.zipRight(Session.scoped(login), body)).pipe(Effect.provide(Stack)),
      store: Effect.provide(body, IgClient.layerResumed(login).pipe(Layer.provide(Store), Layer.provideMerge(Stack)))
    },
    "BY"
  )
  yield* bound
})

NodeRuntime.runMain(main)
