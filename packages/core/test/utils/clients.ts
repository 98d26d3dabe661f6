/** The three clients that people use in Node, and what a call needs beside one. */
import * as Credentials from "@effect-ig/core/Credentials"
import * as IgConfig from "@effect-ig/core/IgConfig"
import type { IgError } from "@effect-ig/core/IgError"
import * as ReadRetry from "@effect-ig/core/ReadRetry"
import * as Renewal from "@effect-ig/core/Renewal"
import type { Ig } from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import { remember } from "./secrets.ts"

export type Http = Layer.Layer<HttpClient.HttpClient>

/** fetch keeps connections for its next request in a pool of the runtime's, which no layer closes. */
export const clients: ReadonlyArray<{ readonly name: string; readonly http: Http; readonly keepsIdle: boolean }> = [
  { name: "undici", http: NodeHttpClient.layerUndici, keepsIdle: false },
  { name: "Node http", http: NodeHttpClient.layer, keepsIdle: false },
  { name: "fetch", http: FetchHttpClient.layer, keepsIdle: true }
]

export type Operation = Effect.Effect<unknown, IgError, Ig | Credentials.Credentials>

const secret = (name: string): string => {
  const value = `${name}-${randomBytes(20).toString("hex")}`
  remember(value)
  return value
}

/** What must not reach a stranger. */
export const tokens = {
  cst: secret("cst"),
  securityToken: secret("xst"),
  accessToken: secret("access"),
  refreshToken: secret("refresh")
}

export const secrets: ReadonlyArray<string> = [...Object.values(tokens), ...Object.values(inject("planted"))]

const signedIn = { accountId: "ACC1", clientId: "100", lightstreamerEndpoint: Option.none() }

export const tokenSession = new SessionState.TokenSession({
  ...signedIn,
  loggedInBy: "loginV2",
  cst: Redacted.make(tokens.cst),
  securityToken: Redacted.make(tokens.securityToken)
})

export const oauthSession = new SessionState.OAuthSession({
  ...signedIn,
  loggedInBy: "login",
  accessToken: Redacted.make(tokens.accessToken),
  refreshToken: Redacted.make(tokens.refreshToken),
  issuedAt: 0,
  expiresAt: 60_000,
  streamingTokens: Option.none(),
  switchesByHeader: false
})

/** A body that every operation can do with. */
export const anyBody = JSON.stringify({
  clientId: "100",
  accountId: "ACC1",
  access_token: tokens.accessToken,
  refresh_token: tokens.refreshToken,
  expires_in: "60",
  oauthToken: { access_token: tokens.accessToken, refresh_token: tokens.refreshToken, expires_in: "60" }
})

/** An operation by itself: what is sent is what the caller asked for. */
export const ig = (
  http: Http,
  baseUrl: string,
  session: SessionState.SignedIn = tokenSession
): Layer.Layer<Ig | Credentials.Credentials, ConfigError.ConfigError> =>
  Layer.mergeAll(
    http,
    SessionState.layerTest(session),
    Renewal.off,
    ReadRetry.off,
    IgConfig.layer({ environment: baseUrl, apiKey: Redacted.make(inject("planted").apiKey) }),
    Credentials.layer({ identifier: "trader", password: Redacted.make(inject("planted").password) })
  )

/** A user's own client on top of one of the three. */
export const changed = (
  http: Http,
  change: (client: HttpClient.HttpClient) => HttpClient.HttpClient
): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, change)).pipe(Layer.provide(http))

/** An outcome in a few words, as in `docs/transport.md`. */
export const spell = (outcome: Either.Either<unknown, IgError>): string => {
  if (Either.isRight(outcome)) return "the answer"
  const error = outcome.left
  switch (error._tag) {
    case "TransportError":
      return `\`${error.reason}\`, ${error.mayHaveExecuted ? "may have executed" : "nothing sent"}`
    case "ApiError":
      return [`\`ApiError\` ${error.status}`, error.errorCode].filter((part) => part !== undefined).join(" ")
    default:
      return `\`${error._tag}\``
  }
}
