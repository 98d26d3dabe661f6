/** The clients under test: all that `IgClient.layer` has, an allowance that is met, and a store. */
import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { SignedIn } from "@effect-ig/core/SessionState"
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as Throttle from "@effect-ig/core/Throttle"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Address } from "./gateway.ts"
import * as Load from "./load.ts"
import * as Tally from "./tally.ts"

type Login = Effect.Effect<SignedIn, IgError, Session.Ig | Credentials>

/** So few that bursts wait, and so many that the load as a whole does not. */
const allowances: Throttle.Allowances = { key: 600, account: 600, trading: 200 }

type Stack = IgClient.IgClient | HttpClient.HttpClient

const layer = (
  address: Address,
  path: string,
  login: Login
): Layer.Layer<IgClient.IgClient, IgError | ConfigError.ConfigError, HttpClient.HttpClient> =>
  IgClient.layerResumed(login).pipe(
    Layer.provide(SessionStore.layerFile({ path })),
    Layer.provideMerge(
      Layer.merge(
        IgClient.layer({
          environment: address.baseUrl,
          apiKey: Redacted.make(address.apiKey),
          identifier: address.identifier,
          password: Redacted.make(address.password),
          requestTimeout: "1500 millis"
        }),
        Throttle.layer(allowances)
      )
    ),
    Layer.provide([NodeFileSystem.layer, NodePath.layer])
  )

/** One that lives as long as the run. */
export interface Client {
  /** Works until then, in ms since the epoch. */
  readonly work: (until: number) => Effect.Effect<void>
  /** Does nothing wait, and is nothing being renewed? */
  readonly isQuiet: Effect.Effect<boolean>
}

const patience = "3 seconds"

/** What a person does when a session is lost. */
const human = (tally: Tally.Tally, login: Login) =>
  Effect.gen(function* () {
    yield* Effect.sleep("200 millis")
    const status = yield* Session.status
    if (status._tag === "SignedOut" || status.isLost) yield* Tally.counted(tally, "login by hand", patience)(login)
  }).pipe(Effect.forever)

const listening = (tally: Tally.Tally): Effect.Effect<void, never, Session.Ig | Scope.Scope> =>
  Effect.gen(function* () {
    const countedSession = (event: Stream.Stream.Success<typeof Session.events>) =>
      Effect.sync(() => Tally.countSession(tally, event))
    const countedThrottle = (event: Throttle.Event) => Effect.sync(() => Tally.countThrottle(tally, event))
    yield* Effect.forkScoped(Stream.runForEach(Session.events, countedSession))
    yield* Effect.forkScoped(Stream.runForEach(Throttle.events, countedThrottle))
  })

const isQuiet = Effect.gen(function* () {
  const status = yield* Session.status
  const throttle = yield* Throttle.status
  const isWaiting = Option.exists(throttle, ({ waiting }) => waiting > 0)
  return !isWaiting && (status._tag === "SignedOut" || !status.isRenewing)
})

export const open = (
  tally: Tally.Tally,
  address: Address,
  path: string,
  login: Login,
  doings: Load.Doings
): Effect.Effect<Client, IgError | ConfigError.ConfigError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const http = yield* Effect.context<HttpClient.HttpClient>()
    const context: Context.Context<Stack> = Context.merge(http, yield* Layer.build(layer(address, path, login)))
    yield* Effect.provide(listening(tally), context)
    return {
      work: (until) =>
        Effect.raceFirst(Load.work(tally, doings, until), human(tally, login)).pipe(Effect.provide(context)),
      isQuiet: Effect.provide(isQuiet, context)
    }
  })

/** A whole client for one read: it takes up the session of the one before, and leaves it to the next. */
export const visit = (
  tally: Tally.Tally,
  address: Address,
  path: string,
  login: Login
): Effect.Effect<void, never, HttpClient.HttpClient> =>
  Session.read().pipe(
    Effect.provide(layer(address, path, login)),
    Effect.catchTag("ConfigError", Effect.die),
    Tally.counted(tally, "visit", patience)
  )
