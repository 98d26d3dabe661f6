/**
 * Who logs in. The service's value is itself an Effect, so that a keychain or a prompt can supply it: it is run at each
 * login and its result is never kept.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { AuthError } from "./IgError.ts"

/**
 * Fail with `AuthError` reason `credentials-unavailable` when they cannot be had.
 *
 * @since 0.1.0
 * @category tags
 */
export class Credentials extends Context.Tag("@effect-ig/core/Credentials")<
  Credentials,
  Effect.Effect<Credentials.Values, AuthError>
>() {}

/**
 * @since 0.1.0
 */
export declare namespace Credentials {
  /**
   * The user name for IG's web platform (not an e-mail address) and its password.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Values {
    readonly identifier: string
    readonly password: Redacted.Redacted
  }
}

/**
 * The same user and password for every login.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (values: Credentials.Values): Layer.Layer<Credentials> =>
  Layer.succeed(Credentials, Effect.succeed(values))

/**
 * From `Config`s of one's own, read once when the layer is built; fails with the `ConfigError` of what is missing.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  values: Config.Config.Wrap<Credentials.Values>
): Layer.Layer<Credentials, ConfigError.ConfigError> =>
  Layer.effect(
    Credentials,
    Effect.map(Config.unwrap(values), (values) => Effect.succeed(values))
  )

/**
 * From `IG_IDENTIFIER` and `IG_PASSWORD`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<Credentials, ConfigError.ConfigError> = layerConfig({
  identifier: Config.string("IG_IDENTIFIER"),
  password: Config.redacted("IG_PASSWORD")
})
