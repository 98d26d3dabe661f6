import * as IgConfig from "@effect-ig/core/IgConfig"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { ClientLayer } from "../sandboxClient.ts"
import { look, watch } from "./AccountWatch.ts"

const TestLayer = ClientLayer.pipe(Layer.provideMerge(Sandbox.layerHttpClient()))

const watched = (minutes: number) =>
  Effect.gen(function* () {
    let looks = 0
    yield* watch(minutes, () => Effect.sync(() => void looks++))
    const sandbox = yield* Sandbox.Sandbox
    const record = yield* sandbox.record
    const calls = (method: string, path: string) =>
      record.filter((request) => request.method === method && request.path === path && request.status < 300).length
    return {
      record,
      tokens: (yield* sandbox.issued).map((token) => token.value),
      looks,
      logins: calls("POST", "/session"),
      refreshes: calls("POST", "/session/refresh-token"),
      logouts: calls("DELETE", "/session")
    }
  }).pipe(Effect.provide(TestLayer))

const simulated = (minutes: number, seed: string) =>
  Effect.map(Simulation.run(watched(minutes), { seed }), (outcome) => {
    if (outcome._tag === "Stuck") throw new Error("the simulation is stuck")
    return Exit.getOrElse(outcome.exit, (cause) => {
      throw new Error(String(cause))
    })
  })

it.live("lives through 1,000 minutes on one login, in a simulation", () =>
  Effect.gen(function* () {
    const life = yield* simulated(1000, "a")
    expect(life.logins).toBe(1)
    expect(Math.abs(life.refreshes - 1000)).toBeLessThanOrEqual(1)
    expect(life.looks).toBe(1000)
    expect(life.logouts).toBe(1)
  })
)

it.live("has the same record for the same seed", () =>
  Effect.gen(function* () {
    const first = yield* simulated(100, "a")
    expect(yield* simulated(100, "a")).toEqual(first)
    expect((yield* simulated(100, "b")).tokens).not.toEqual(first.tokens)
  })
)

it.effect("lives through 30 minutes under the test clock", () =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(watched(30))
    yield* TestClock.adjust("31 minutes")
    const { logins, logouts, looks, refreshes } = yield* Fiber.join(fiber)
    expect({ logins, logouts, looks }).toEqual({ logins: 1, logouts: 1, looks: 30 })
    expect(Math.abs(refreshes - 30)).toBeLessThanOrEqual(1)
  })
)

it.effect("refreshes nothing while the bearer has time left, with an HttpClient written by hand", () =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        asked.push(`${request.method} ${request.url}`)
        return HttpClientResponse.fromWeb(
          request,
          Response.json({ clientId: "1", accountId: "ABC12", currency: "GBP" })
        )
      })
    )
    const signedIn = new SessionState.OAuthSession({
      accountId: "ABC12",
      clientId: "1",
      lightstreamerEndpoint: Option.none(),
      loggedInBy: "login",
      accessToken: Redacted.make("a bearer"),
      refreshToken: Redacted.make("a refresh token"),
      issuedAt: 0,
      expiresAt: 60_000,
      streamingTokens: Option.none(),
      switchesByHeader: false
    })
    const details = yield* look.pipe(
      Effect.provide(
        Layer.mergeAll(
          IgConfig.layer({ apiKey: Redacted.make("a key") }),
          SessionState.layerTest(signedIn),
          Layer.succeed(HttpClient.HttpClient, client)
        )
      )
    )
    expect(details.currency).toBe("GBP")
    expect(asked).toEqual(["GET https://demo-api.ig.com/gateway/deal/session"])
  })
)
