import * as Credentials from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import * as IgConfig from "@effect-ig/core/IgConfig"
import { expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { describe } from "vitest"

const apiKey = Redacted.make("key")

const made = (options: Partial<IgConfig.IgConfig.Options>) => IgConfig.make({ apiKey, ...options })

const accepted = (options: Partial<IgConfig.IgConfig.Options>): IgConfig.IgConfig.Service =>
  Either.getOrThrow(made(options))

const refused = (options: Partial<IgConfig.IgConfig.Options>) =>
  Either.flip(made(options)).pipe(
    Either.map((error) => (ConfigError.isInvalidData(error) ? `${error.path.join(".")}: ${error.message}` : error)),
    Either.getOrThrow
  )

const notPrintable = "expected printable ASCII characters"
const notAnAccount = "expected 1 to 30 letters, digits and hyphens"
const notADuration = "expected a finite duration above zero"
const notPlain = "expected a URL without user, password, query and fragment"
const inClear = "http:// would send passwords and tokens in clear; it is for loopback only"

const environment = (url: string) => ({ environment: url })

describe("the configuration", () => {
  it("is IG's demo, 30 seconds a request and 5 for logging out, where nothing else is said", () => {
    expect(accepted({})).toEqual({
      baseUrl: "https://demo-api.ig.com/gateway/deal",
      apiKey,
      accountId: Option.none(),
      userAgent: "effect-ig/0.1",
      requestTimeout: Duration.seconds(30),
      logoutTimeout: Duration.seconds(5)
    })
  })

  it("keeps what is said", () => {
    const said = {
      environment: "live",
      accountId: "ABC-12",
      userAgent: "a b",
      requestTimeout: "1 second",
      logoutTimeout: 250
    } as const
    expect(accepted(said)).toEqual({
      baseUrl: "https://api.ig.com/gateway/deal",
      apiKey,
      accountId: Option.some("ABC-12"),
      userAgent: "a b",
      requestTimeout: Duration.seconds(1),
      logoutTimeout: Duration.millis(250)
    })
  })

  const gateways: ReadonlyArray<readonly [given: string, baseUrl: string]> = [
    ["demo", "https://demo-api.ig.com/gateway/deal"],
    ["https://example.com/gateway/deal", "https://example.com/gateway/deal"],
    ["https://example.com/deal///", "https://example.com/deal"],
    ["https://example.com:8443", "https://example.com:8443"],
    ["http://localhost:1234/", "http://localhost:1234"],
    ["http://127.0.0.1", "http://127.0.0.1"],
    ["http://127.10.200.255:80/x", "http://127.10.200.255/x"],
    ["http://[::1]:1", "http://[::1]:1"]
  ]
  for (const [given, baseUrl] of gateways) {
    it(`takes ${given} for a gateway`, () => {
      expect(accepted({ environment: given }).baseUrl).toBe(baseUrl)
    })
  }

  const refusals: ReadonlyArray<readonly [options: Partial<IgConfig.IgConfig.Options>, why: string]> = [
    [environment("prod"), `environment: expected "demo", "live" or a URL`],
    [environment("ftp://example.com"), "environment: expected a URL that begins with https://"],
    [environment("http://example.com"), `environment: ${inClear}`],
    [environment("http://localhost.example.com"), `environment: ${inClear}`],
    [environment("http://my-localhost"), `environment: ${inClear}`],
    [environment("http://128.0.0.1"), `environment: ${inClear}`],
    [environment("https://user@example.com"), `environment: ${notPlain}`],
    [environment("https://:pass@example.com"), `environment: ${notPlain}`],
    [environment("https://example.com/?a=b"), `environment: ${notPlain}`],
    [environment("https://example.com/#a"), `environment: ${notPlain}`],
    [{ apiKey: Redacted.make("") }, `apiKey: ${notPrintable}`],
    [{ apiKey: Redacted.make("a\nb") }, `apiKey: ${notPrintable}`],
    [{ apiKey: Redacted.make("é") }, `apiKey: ${notPrintable}`],
    [{ apiKey: Redacted.make(" key") }, `apiKey: ${notPrintable}`],
    [{ apiKey: Redacted.make("key ") }, `apiKey: ${notPrintable}`],
    [{ userAgent: "" }, `userAgent: ${notPrintable}`],
    [{ userAgent: "a\r\nb: c" }, `userAgent: ${notPrintable}`],
    [{ accountId: "" }, `accountId: ${notAnAccount}`],
    [{ accountId: "A/B" }, `accountId: ${notAnAccount}`],
    [{ accountId: "A".repeat(31) }, `accountId: ${notAnAccount}`],
    [{ requestTimeout: 0 }, `requestTimeout: ${notADuration}`],
    [{ requestTimeout: Infinity }, `requestTimeout: ${notADuration}`],
    [{ requestTimeout: NaN }, `requestTimeout: ${notADuration}`],
    [{ logoutTimeout: 0 }, `logoutTimeout: ${notADuration}`]
  ]
  for (const [options, why] of refusals) {
    const said = Object.entries(options).map(([name, value]) => {
      const text = Redacted.isRedacted(value) ? Redacted.value(value) : value
      return `${name} ${typeof text === "string" ? JSON.stringify(text) : String(text)}`
    })
    it(`refuses ${said.join()}`, () => {
      expect(refused(options)).toBe(why)
    })
  }

  it("takes a key of one character, and an account id of 30", () => {
    const { accountId, apiKey } = accepted({ apiKey: Redacted.make("k"), accountId: "A".repeat(30) })
    expect([Redacted.value(apiKey), Option.getOrThrow(accountId)]).toEqual(["k", "A".repeat(30)])
  })
})

const environmentOf = (values: Readonly<Record<string, string>>) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

const needed = { IG_API_KEY: "key", IG_IDENTIFIER: "user", IG_PASSWORD: "pass" }

const seen = Effect.gen(function* () {
  const { accountId, apiKey, baseUrl } = yield* IgConfig.IgConfig
  const { identifier, password } = yield* yield* Credentials.Credentials
  return [
    baseUrl,
    Redacted.value(apiKey),
    Option.getOrUndefined(accountId),
    identifier,
    Redacted.value(password)
  ] as const
})

describe("the environment", () => {
  it.effect("says which gateway, whose key, and who logs in", () =>
    Effect.gen(function* () {
      expect(yield* seen).toEqual(["https://api.ig.com/gateway/deal", "key", "ABC", "user", "pass"])
    }).pipe(
      Effect.provide(
        Layer.provide(IgClient.layerEnv, environmentOf({ ...needed, IG_ENVIRONMENT: "live", IG_ACCOUNT_ID: "ABC" }))
      )
    )
  )

  it.effect("is demo, on the default account, where it does not say", () =>
    Effect.gen(function* () {
      expect(yield* seen).toEqual([IgConfig.gateways.demo, "key", undefined, "user", "pass"])
    }).pipe(Effect.provide(Layer.provide(IgClient.layerEnv, environmentOf(needed))))
  )

  for (const name of Object.keys(needed)) {
    it.effect(`is refused without ${name}`, () =>
      Effect.gen(function* () {
        const others = Object.fromEntries(Object.entries(needed).filter(([other]) => other !== name))
        const error = yield* Effect.flip(Effect.provide(seen, Layer.provide(IgClient.layerEnv, environmentOf(others))))
        expect(String(error)).toContain(name)
      })
    )
  }

  it.effect("may have names of its user's own", () =>
    Effect.gen(function* () {
      expect(yield* seen).toEqual([IgConfig.gateways.demo, "K", undefined, "U", "P"])
    }).pipe(
      Effect.provide(
        Layer.provide(
          IgClient.layerConfig({
            apiKey: Config.redacted("MY_KEY"),
            identifier: Config.string("MY_USER"),
            password: Config.redacted("MY_PASSWORD")
          }),
          environmentOf({ MY_KEY: "K", MY_USER: "U", MY_PASSWORD: "P" })
        )
      )
    )
  )

  it.effect("may name those who log in by itself", () =>
    Effect.gen(function* () {
      const { identifier, password } = yield* yield* Credentials.Credentials
      expect([identifier, Redacted.value(password)]).toEqual(["U", "P"])
    }).pipe(
      Effect.provide(
        Layer.provide(
          Credentials.layerConfig({ identifier: Config.string("U"), password: Config.redacted("P") }),
          environmentOf({ U: "U", P: "P" })
        )
      )
    )
  )
})
