import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import { AuthError, type IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import type * as SessionState from "@effect-ig/core/SessionState"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import type { Fault } from "@effect-ig/sandbox/Fault"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { base64 } from "./utils/keys.ts"

const plain = 'correct horse "battery" stäple'

/** All of a request as it leaves, its bytes as text. */
const asText = ({ body, headers, method, url, urlParams }: HttpClientRequest.HttpClientRequest): string => {
  if (body._tag !== "Empty" && body._tag !== "Uint8Array") throw new Error(`a body that cannot be read: ${body._tag}`)
  const bytes = body._tag === "Empty" ? "" : new TextDecoder().decode(body.body)
  return [method, url, ...urlParams.flat(), JSON.stringify(headers), bytes].join("\n")
}

/** Below everything else, so that it sees each request as it leaves. */
const recording = (requests: Array<string>) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) =>
      HttpClient.make((request) => {
        requests.push(asText(request))
        return client.execute(request)
      })
    )
  )

interface World {
  readonly password?: string
  readonly cipher?: Layer.Layer<PasswordCipher>
  readonly faults?: ReadonlyArray<Fault>
  readonly encryptionKeyBits?: 1024 | 2048
}

type Login = Effect.Effect<SessionState.SignedIn, IgError, Session.Ig | Credentials | PasswordCipher>

/** What left when somebody logged in encrypted in such a world, and what came of it. */
const attempt = (
  login: Login,
  { cipher = PasswordEncryption.layer, faults = [], password = plain, encryptionKeyBits = 2048 }: World
) => {
  const requests: Array<string> = []
  const http = recording(requests).pipe(
    Layer.provideMerge(Sandbox.layerHttpClient({ password: plain, switches: { encryptionKeyBits } }))
  )
  const client = Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier }) =>
      IgClient.layer({
        environment: baseUrl,
        apiKey: Redacted.make(apiKey),
        identifier,
        password: Redacted.make(password)
      })
    )
  )
  return Effect.gen(function* () {
    const { inject } = yield* Sandbox.Sandbox
    yield* Effect.forEach(faults, inject)
    const fiber = yield* Effect.fork(login)
    yield* TestClock.adjust("10 minutes")
    return { exit: yield* Fiber.await(fiber), requests }
  }).pipe(Effect.provide(client.pipe(Layer.merge(Throttle.off), Layer.merge(cipher), Layer.provideMerge(http))))
}

const spellings = [
  plain,
  JSON.stringify(plain).slice(1, -1),
  encodeURIComponent(plain),
  Buffer.from(plain).toString("base64").slice(0, -4)
]

const leaks = (requests: ReadonlyArray<string>, more: ReadonlyArray<string> = []) =>
  requests.filter((request) => [...spellings, ...more].some((spelling) => request.includes(spelling)))

const path = "/session/encryptionKey"
const answer = (text: string, status = 200): Fault => ({ kind: "answer", path, status, text })
const key = (encryptionKey: unknown, timeStamp: unknown = 0) => answer(JSON.stringify({ encryptionKey, timeStamp }))

const keyFails: ReadonlyArray<readonly [what: string, fault: Fault]> = [
  ["is down", { kind: "answer", path, status: 500 }],
  ["is busy", { kind: "answer", path, status: 503, text: "<html>" }],
  ["refuses the API key", { kind: "answer", path, status: 403, errorCode: "error.security.api-key-invalid" }],
  ["is over its allowance", { kind: "allowance", path, allowance: "api-key" }],
  ["is answered by a gateway, not in JSON", { kind: "nonJson403", path }],
  ["does not take GET", { kind: "empty405", path }],
  ["redirects", { kind: "answer", path, status: 302, headers: { location: "https://example.com/" } }],
  ["never answers", { kind: "never", path }],
  ["answers after an hour", { kind: "slow", path, millis: 3_600_000 }],
  ["is cut off before its answer", { kind: "cutHeaders", path }],
  ["is cut off in its answer", { kind: "cutBody", path }],
  ["answers with nothing", answer("")],
  ["answers with broken JSON", answer('{"encryptionKey":"')],
  ["answers with JSON of another kind", answer("[]")],
  ["answers without a key", answer(`{"timeStamp":0}`)],
  ["answers without a timestamp", answer(JSON.stringify({ encryptionKey: base64 }))],
  ["answers with null for a key", key(null)],
  ["answers with an empty key", key("")],
  ["answers with a number for a key", key(1)],
  ["answers with a garbled key", key("AAAA")],
  ["answers with a key that is cut", key(base64.slice(0, -8))],
  ["answers with a garbled timestamp", key(base64, "soon")],
  ["answers with a timestamp of half a millisecond", key(base64, 0.5)],
  ["answers with a timestamp out of range", key(base64, 1e300)],
  ["answers with an error beside a good key", answer(JSON.stringify({ encryptionKey: base64, timeStamp: 0 }), 400)]
]

const refusing = (encrypt: PasswordCipher.Service["encrypt"]) => Layer.succeed(PasswordCipher, { encrypt })

const cipherFails: ReadonlyArray<readonly [what: string, world: World]> = [
  [
    "fails",
    { cipher: refusing(() => new AuthError({ operation: "passwordCipher.encrypt", reason: "encryption-failed" })) }
  ],
  ["has a bug", { cipher: refusing(() => Effect.die("a bug")) }],
  [
    "throws",
    {
      cipher: refusing(() => {
        throw new Error("a bug")
      })
    }
  ],
  ["is interrupted", { cipher: refusing(() => Effect.interrupt) }],
  ["is given a password that is too long", { password: plain + "x".repeat(400) }],
  ["is given half of a surrogate pair", { password: `${plain}\ud800` }],
  ["is given a weaker key than the password needs", { password: plain + "x".repeat(60), encryptionKeyBits: 1024 }]
]

const logins: ReadonlyArray<readonly [name: string, login: Login]> = [
  ["Session.loginWithEncryption", Session.loginWithEncryption],
  ["Session.loginV2WithEncryption", Session.loginV2WithEncryption]
]

const paths = (requests: ReadonlyArray<string>) => requests.map((request) => request.split("\n").slice(0, 2).join(" "))

for (const [name, login] of logins) {
  describe(`${name} sends no password, and no login, when the key endpoint`, () => {
    for (const [what, fault] of keyFails) {
      it.effect(what, () =>
        Effect.gen(function* () {
          const { exit, requests } = yield* attempt(login, { faults: [{ ...fault, times: 100 }] })
          expect(Exit.isFailure(exit)).toBe(true)
          expect(paths(requests)).toEqual([expect.stringMatching(/^GET .*\/session\/encryptionKey$/)])
          expect(leaks(requests)).toEqual([])
        })
      )
    }
  })

  describe(`${name} sends no password, and no login, when the cipher`, () => {
    for (const [what, world] of cipherFails) {
      it.effect(what, () =>
        Effect.gen(function* () {
          const { exit, requests } = yield* attempt(login, world)
          expect(Exit.isFailure(exit)).toBe(true)
          expect(paths(requests)).toEqual([expect.stringMatching(/^GET .*\/session\/encryptionKey$/)])
          expect(leaks(requests)).toEqual([])
        })
      )
    }
  })

  describe(`${name} sends the password encrypted and never again in plain when the login`, () => {
    const at = { method: "POST", path: "/session", times: 100 }
    const loginFails: ReadonlyArray<readonly [what: string, fault: Fault]> = [
      [
        "is refused for its encryption",
        { ...at, kind: "answer", status: 401, errorCode: "error.security.invalid-details" }
      ],
      [
        "is told to encrypt",
        { ...at, kind: "answer", status: 400, errorCode: "error.public-api.failure.encryption.required" }
      ],
      ["fails at IG", { ...at, kind: "answer", status: 500 }],
      ["meets the transient code", { ...at, kind: "failedLogin" }],
      ["is over an allowance", { ...at, kind: "allowance", allowance: "api-key" }],
      ["never answers", { ...at, kind: "never" }],
      ["is cut off", { ...at, kind: "cutHeaders" }],
      ["answers something else", { ...at, kind: "answer", status: 200, text: "{}" }]
    ]
    for (const [what, fault] of loginFails) {
      it.effect(what, () =>
        Effect.gen(function* () {
          const { exit, requests } = yield* attempt(login, { faults: [fault] })
          expect(Exit.isFailure(exit)).toBe(true)
          expect(requests.filter((request) => request.includes(`"encryptedPassword":true`))).toHaveLength(1)
          expect(leaks(requests)).toEqual([])
        })
      )
    }
  })
}

describe("the search for the password", () => {
  it.effect("finds it in a login that is not encrypted", () =>
    Effect.gen(function* () {
      const { exit, requests } = yield* attempt(Session.loginV2, {})
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(leaks(requests)).toHaveLength(1)
    })
  )

  it.effect("finds it in a login whose cipher does nothing, or base64 and no more", () =>
    Effect.gen(function* () {
      const nothing = refusing(({ password }) => Effect.succeed(password))
      const encoding = refusing(({ password }) =>
        Effect.succeed(Redacted.make(Buffer.from(Redacted.value(password)).toString("base64")))
      )
      for (const cipher of [nothing, encoding]) {
        const { requests } = yield* attempt(Session.loginV2WithEncryption, { cipher })
        expect(leaks(requests)).toHaveLength(1)
      }
    })
  )
})
