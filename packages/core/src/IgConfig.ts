/**
 * Which IG gateway to talk to, and as which application.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { isAccountId } from "./internal/identifiers.ts"

/**
 * Where IG is and who asks: gateway, API key, account, time limits. Each request reads it.
 *
 * @since 0.1.0
 * @category tags
 */
export class IgConfig extends Context.Tag("@effect-ig/core/IgConfig")<IgConfig, IgConfig.Service>() {}

/**
 * @since 0.1.0
 */
export declare namespace IgConfig {
  /**
   * The settings as checked.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Service {
    /** Without a trailing slash, as `https://demo-api.ig.com/gateway/deal`. */
    readonly baseUrl: string
    readonly apiKey: Redacted.Redacted
    /** The account to be on once a login is complete; without it, the client's default account. */
    readonly accountId: Option.Option<string>
    readonly userAgent: string
    readonly requestTimeout: Duration.Duration
    readonly logoutTimeout: Duration.Duration
  }

  /**
   * The settings as given.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Options {
    /** `"demo"` (the default), `"live"`, or the base URL of another gateway. `http://` is for loopback only. */
    readonly environment?: string | undefined
    /** A demo key works on demo only, a live key on live only. */
    readonly apiKey: Redacted.Redacted
    /** The account to be on once a login is complete. */
    readonly accountId?: string | undefined
    /** Sent with every request; IG refuses some by `error.security.invalid-application`. */
    readonly userAgent?: string | undefined
    /** How long one request on the wire may take, headers and body; 30 seconds. */
    readonly requestTimeout?: Duration.DurationInput | undefined
    /** How long `Session.scoped` may take to log out; 5 seconds. */
    readonly logoutTimeout?: Duration.DurationInput | undefined
  }
}

/**
 * IG's two gateways.
 *
 * @since 0.1.0
 * @category constants
 */
export const gateways = {
  demo: "https://demo-api.ig.com/gateway/deal",
  live: "https://api.ig.com/gateway/deal"
} as const

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

const invalid = (path: string, message: string) => Either.left(ConfigError.InvalidData([path], message))

const baseUrlOf = (environment: string): Either.Either<string, ConfigError.ConfigError> => {
  if (environment === "demo" || environment === "live") return Either.right(gateways[environment])
  if (!URL.canParse(environment)) return invalid("environment", `expected "demo", "live" or a URL`)
  const url = new URL(environment)
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return invalid("environment", "expected a URL that begins with https://")
  }
  if (url.protocol === "http:" && !loopback.test(url.hostname)) {
    return invalid("environment", "http:// would send passwords and tokens in clear; it is for loopback only")
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return invalid("environment", "expected a URL without user, password, query and fragment")
  }
  return Either.right(`${url.origin}${url.pathname}`.replace(/\/+$/, ""))
}

const timeout = (
  path: string,
  input: Duration.DurationInput
): Either.Either<Duration.Duration, ConfigError.ConfigError> => {
  const duration = Duration.decodeUnknown(input)
  return Option.isSome(duration) && Duration.isFinite(duration.value) && Duration.toMillis(duration.value) > 0
    ? Either.right(duration.value)
    : invalid(path, "expected a finite duration above zero")
}

const headerValue = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Fills in the defaults and refuses what cannot work: an `http://` address that is not loopback, an API key that is not
 * a header value, a malformed account id.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: IgConfig.Options): Either.Either<IgConfig.Service, ConfigError.ConfigError> =>
  Either.gen(function* () {
    const { accountId, apiKey, userAgent = "effect-ig/0.1" } = options
    const baseUrl = yield* baseUrlOf(options.environment ?? "demo")
    if (!headerValue.test(Redacted.value(apiKey)))
      return yield* invalid("apiKey", "expected printable ASCII characters")
    if (!headerValue.test(userAgent)) return yield* invalid("userAgent", "expected printable ASCII characters")
    if (accountId !== undefined && !isAccountId(accountId)) {
      return yield* invalid("accountId", "expected 1 to 30 letters, digits and hyphens")
    }
    return {
      baseUrl,
      apiKey,
      accountId: Option.fromNullable(accountId),
      userAgent,
      requestTimeout: yield* timeout("requestTimeout", options.requestTimeout ?? "30 seconds"),
      logoutTimeout: yield* timeout("logoutTimeout", options.logoutTimeout ?? "5 seconds")
    }
  })

/**
 * From values. Fails with a `ConfigError` for a key, a header or a URL that cannot be sent, and for `http://` that
 * leaves this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: IgConfig.Options): Layer.Layer<IgConfig, ConfigError.ConfigError> =>
  Layer.effect(
    IgConfig,
    Effect.suspend(() => make(options))
  )

/**
 * The same from `Config`s of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<IgConfig.Options>
): Layer.Layer<IgConfig, ConfigError.ConfigError> =>
  Layer.effect(IgConfig, Effect.flatMap(Config.unwrap(options), make))

const optional = (name: string): Config.Config<string | undefined> =>
  Config.string(name).pipe(Config.withDefault(undefined))

/**
 * From `IG_ENVIRONMENT` (`demo` by default, `live`, or a URL), `IG_API_KEY` and `IG_ACCOUNT_ID` (optional).
 *
 * @since 0.1.0
 * @category layers
 */
export const layerEnv: Layer.Layer<IgConfig, ConfigError.ConfigError> = layerConfig(
  Config.all({
    environment: optional("IG_ENVIRONMENT"),
    apiKey: Config.redacted("IG_API_KEY"),
    accountId: optional("IG_ACCOUNT_ID")
  })
)
