/** A session that came from nowhere: nobody has logged it in here, and nothing of it was stored. */
import * as IgConfig from "@effect-ig/core/IgConfig"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { layerKeyValueStore } from "@effect-ig/core/SessionStore"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { stored } from "./utils/runs.ts"

const session = new SessionState.OAuthSession({
  accountId: "ABC12",
  clientId: "100000001",
  lightstreamerEndpoint: Option.none(),
  loggedInBy: "login",
  accessToken: Redacted.make("an-access-token"),
  refreshToken: Redacted.make("a-refresh-token"),
  issuedAt: 0,
  expiresAt: 60_000,
  streamingTokens: Option.none(),
  switchesByHeader: false
})

const tokens = { access_token: "another-access-token", refresh_token: "another-refresh-token", expires_in: "60" }

const client = HttpClient.make((request) => Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(tokens))))

const stack = Layer.mergeAll(
  SessionState.layerTest(session),
  IgConfig.layer({ apiKey: Redacted.make("a-key") }),
  Layer.succeed(HttpClient.HttpClient, client),
  layerKeyValueStore({ key: "ig-session" })
).pipe(Layer.provideMerge(KeyValueStore.layerMemory))

it.effect("is stored as nobody's once it changes", () =>
  Effect.gen(function* () {
    yield* Effect.zipRight(Effect.exit(Session.resume), Session.refresh).pipe(Effect.scoped)
    expect(JSON.parse((yield* stored) ?? "")).toMatchObject({
      identifier: null,
      isSpent: false,
      session: { accessToken: tokens.access_token, refreshToken: tokens.refresh_token }
    })
  }).pipe(Effect.provide(stack))
)
