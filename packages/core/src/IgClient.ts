/**
 * The common stack in one Layer: which gateway, who logs in, the session, IG's allowances, and reads that are repeated
 * when they fail for a passing reason. Everything but the `HttpClient`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Credentials from "./Credentials.ts"
import * as IgConfig from "./IgConfig.ts"
import * as ReadRetry from "./ReadRetry.ts"
import * as Session from "./Session.ts"
import * as SessionState from "./SessionState.ts"
import type { SessionStore } from "./SessionStore.ts"
import * as Throttle from "./Throttle.ts"

/**
 * What the layers of this module provide, and `Session.login` needs beside an `HttpClient`.
 *
 * @since 0.1.0
 * @category models
 */
export type IgClient = SessionState.SessionState | IgConfig.IgConfig | Credentials.Credentials

/**
 * Gateway, API key and login in one: `identifier` and `password` are the user's own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends IgConfig.IgConfig.Options, Credentials.Credentials.Values {}

/** Two clients of one program have a session and a throttle each: Effect builds a layer once wherever it is the same. */
const withState = <E>(
  config: Layer.Layer<IgConfig.IgConfig, E>,
  credentials: Layer.Layer<Credentials.Credentials, E>
): Layer.Layer<IgClient, E> =>
  Layer.mergeAll(
    config,
    credentials,
    Layer.fresh(SessionState.layer),
    ReadRetry.layer(),
    Layer.provide(Layer.fresh(Throttle.layerEnvironment), config)
  )

/**
 * The whole stack but the `HttpClient`, from values. Fails with a `ConfigError` that says which option is no good.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<IgClient, ConfigError.ConfigError> =>
  withState(IgConfig.layer(options), Credentials.layer(options))

/**
 * The same from `Config`s of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (options: Config.Config.Wrap<Options>): Layer.Layer<IgClient, ConfigError.ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * From `IG_ENVIRONMENT`, `IG_API_KEY`, `IG_IDENTIFIER`, `IG_PASSWORD` and `IG_ACCOUNT_ID` (optional).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<IgClient, ConfigError.ConfigError> = withState(
  IgConfig.layerEnv,
  Credentials.layerEnv
)

/**
 * Logs in when it is built, and out when it closes: on top of one of the layers above, for a service that is signed in
 * for as long as it runs.
 *
 * @example
 * import * as IgClient from "@effect-ig/core/IgClient"
 * import * as Session from "@effect-ig/core/Session"
 * import * as Layer from "effect/Layer"
 *
 * export const MainLayer = IgClient.layerSignedIn(Session.login).pipe(Layer.provideMerge(IgClient.layerEnv))
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSignedIn = <A, E, R>(
  login: Effect.Effect<A, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope> | Session.Ig> => Layer.scopedDiscard(Session.scoped(login))

/**
 * Resumes the session of the run before when it is built, or logs in; when it closes the session is left to the next run,
 * not logged out. On top of one of the layers above and one of `SessionStore`.
 *
 * @example
 * import * as IgClient from "@effect-ig/core/IgClient"
 * import * as Session from "@effect-ig/core/Session"
 * import * as SessionStore from "@effect-ig/core/SessionStore"
 * import * as Layer from "effect/Layer"
 *
 * export const MainLayer = IgClient.layerResumed(Session.loginV2).pipe(
 *   Layer.provide(SessionStore.layerFile({ path: ".ig-session" })),
 *   Layer.provideMerge(IgClient.layerEnv)
 * )
 *
 * @since 0.1.0
 * @category layers
 */
export const layerResumed = <A, E, R>(
  login: Effect.Effect<A, E, R>
): Layer.Layer<never, E, Exclude<R, Scope.Scope> | Session.Ig | SessionStore> =>
  Layer.scopedDiscard(Session.resumed(login))
