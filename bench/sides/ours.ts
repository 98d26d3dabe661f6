/** The library with everything on that `IgClient.layer` turns on: schemas, session, renewal, allowances, read retry. */
import type { Credentials } from "@effect-ig/core/Credentials"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as IgClient from "@effect-ig/core/IgClient"
import type { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { UndiciLayer } from "../http.ts"
import { epic, Market } from "../market.ts"
import { Prices } from "../prices.ts"
import { apiKey, byFibers, identifier, type Open, password, userAgent } from "../side.ts"

const markets = Endpoint.make({
  name: "markets.get",
  method: "GET",
  path: "/markets/{epic}",
  version: 3,
  answer: Market
})
const prices = Endpoint.make({ name: "prices.get", method: "GET", path: "/prices/{epic}", version: 3, answer: Prices })

/** Numbers that are counted and never reached. */
const many = 1_000_000_000
const counted: Throttle.Allowances = { key: many, account: many, trading: many }

type Throttling = Layer.Layer<Throttle.Throttle, unknown>

type Needs = Session.Ig | Credentials | PasswordCipher

const layer = (environment: string, throttle: Throttling): Layer.Layer<Needs, unknown> =>
  Layer.mergeAll(
    IgClient.layer({
      environment,
      apiKey: Redacted.make(apiKey),
      userAgent,
      identifier,
      password: Redacted.make(password)
    }),
    UndiciLayer,
    PasswordEncryption.layer
  ).pipe(Layer.merge(throttle))

const opening =
  (throttle: Throttling, login: Effect.Effect<unknown, unknown, Needs>): Open =>
  async (baseUrl) => {
    const runtime = ManagedRuntime.make(layer(baseUrl, throttle))
    await runtime.runPromise(login)
    const of = (one: Effect.Effect<unknown, unknown, Needs>) => byFibers(runtime, one)
    return {
      read: of(Effect.suspend(() => Endpoint.call(markets, { path: { epic } }))),
      large: of(Effect.suspend(() => Endpoint.call(prices, { path: { epic } }))),
      refused: of(Effect.flip(Effect.suspend(() => Endpoint.call(markets, { path: { epic: "UNKNOWN" } })))),
      login: of(Session.login),
      loginV2: of(Session.loginV2),
      encryptedV2: of(Session.loginV2WithEncryption)
    }
  }

export const open = opening(Throttle.layer(counted), Session.login)
export const openUnlimited = opening(Throttle.layer("unlimited"), Session.login)
export const openUnthrottled = opening(Throttle.off, Session.login)
export const openByTokens = opening(Throttle.layer(counted), Session.loginV2)
