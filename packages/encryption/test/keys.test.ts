import type { Credentials } from "@effect-ig/core/Credentials"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import type { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import type * as SessionState from "@effect-ig/core/SessionState"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { describe, expectTypeOf } from "vitest"
import { unhurried } from "../../core/test/utils/effort.ts"
import { base64, extreme, malformed, pemOf } from "./utils/keys.ts"

const password = "correct horse battery staple"

const stack = (cipher: Layer.Layer<PasswordCipher> = PasswordEncryption.layer, switches = {}) =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, (sandbox) =>
      IgClient.layer({
        environment: sandbox.baseUrl,
        apiKey: Redacted.make(sandbox.apiKey),
        identifier: sandbox.identifier,
        password: Redacted.make(sandbox.password)
      })
    )
  ).pipe(Layer.merge(cipher), Layer.provideMerge(Sandbox.layerHttpClient({ password, switches })))

const logins: ReadonlyArray<
  readonly [
    name: string,
    login: Effect.Effect<SessionState.SignedIn, IgError, Session.Ig | Credentials | PasswordCipher>
  ]
> = [
  ["Session.loginWithEncryption", Session.loginWithEncryption],
  ["Session.loginV2WithEncryption", Session.loginV2WithEncryption]
]

const keyAnswer = (encryptionKey: string, timeStamp: unknown = 0) =>
  ({
    kind: "answer",
    path: "/session/encryptionKey",
    status: 200,
    text: JSON.stringify({ encryptionKey, timeStamp })
  }) as const

const sent = Effect.gen(function* () {
  const record = yield* (yield* Sandbox.Sandbox).record
  return record.map(({ method, path }) => `${method} ${path}`)
})

const sealedBy = (encryptionKey: string) =>
  PasswordEncryption.encryptPassword({ encryptionKey, password: Redacted.make(password), timeStamp: 1 })

describe("a key is refused that is", () => {
  for (const [what, encryptionKey, detail] of [["empty", "", "The key is empty."] as const, ...malformed]) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(sealedBy(encryptionKey))
        expect({ ...error }).toEqual({
          _tag: "AuthError",
          operation: "passwordCipher.encrypt",
          reason: "encryption-failed",
          detail
        })
      })
    )
  }
})

describe("a key is taken", () => {
  for (const [what, encryptionKey, length] of extreme) {
    it.effect(what, () =>
      Effect.gen(function* () {
        expect(Redacted.value(yield* sealedBy(encryptionKey))).toHaveLength(length)
      })
    )
  }
})

for (const [name, login] of logins) {
  describe(`${name} sends no login when IG's key is`, () => {
    for (const [what, key, detail] of malformed) {
      it.effect(what, () =>
        Effect.gen(function* () {
          yield* (yield* Sandbox.Sandbox).inject(keyAnswer(key))
          const error = yield* Effect.flip(login)
          expect(error).toMatchObject({ _tag: "AuthError", reason: "encryption-failed", detail })
          expect(yield* sent).toEqual(["GET /session/encryptionKey"])
        }).pipe(Effect.provide(stack()))
      )
    }

    it.effect("empty", () =>
      Effect.gen(function* () {
        yield* (yield* Sandbox.Sandbox).inject(keyAnswer(""))
        expect(yield* Effect.flip(login)).toMatchObject({
          _tag: "AuthError",
          reason: "encryption-failed",
          paths: ["encryptionKey"]
        })
        expect(yield* sent).toEqual(["GET /session/encryptionKey"])
      }).pipe(Effect.provide(stack()))
    )
  })

  describe(`${name} never sends the password in plain`, () => {
    const failures = [
      ["the key endpoint is down", { kind: "answer", path: "/session/encryptionKey", status: 500 }],
      ["the key endpoint is cut off", { kind: "cutHeaders", path: "/session/encryptionKey" }],
      ["the key is garbled", keyAnswer("AAAA")],
      ["the key's timestamp is garbled", keyAnswer(base64, "soon")]
    ] as const
    for (const [what, fault] of failures) {
      it.effect(`when ${what}`, () =>
        Effect.gen(function* () {
          yield* (yield* Sandbox.Sandbox).inject(fault)
          yield* Effect.flip(login)
          expect(yield* sent).toEqual(["GET /session/encryptionKey"])
        }).pipe(Effect.provide(stack()))
      )
    }

    it.effect("when it is taken, and when it is refused", () =>
      Effect.gen(function* () {
        yield* Effect.exit(login)
        const record = yield* (yield* Sandbox.Sandbox).record
        const posted = record.filter(({ method }) => method === "POST").map(({ body }) => body)
        expect(posted).toHaveLength(1)
        expect(posted[0]).toMatchObject({ identifier: "sandbox", encryptedPassword: true })
        expect(JSON.stringify(record)).not.toContain("password:correct")
      }).pipe(Effect.provide(stack()))
    )
  })
}

describe("an encrypted login", () => {
  it.effect("by Version 2 is taken, and remembered as encrypted", () =>
    Effect.gen(function* () {
      expect(yield* Session.loginV2WithEncryption).toMatchObject({
        loggedInBy: "loginV2WithEncryption",
        accountId: "SBX01"
      })
      expect((yield* Session.read()).accountId).toBe("SBX01")
    }).pipe(Effect.provide(stack()))
  )

  it.effect("by Version 3 is refused with a hint at Version 2, as IG was seen to do", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Session.loginWithEncryption)
      expect(error).toMatchObject({ _tag: "ApiError", errorCode: "error.security.invalid-details", action: "fix" })
      expect(error._tag === "ApiError" && error.hint).toContain("Session.loginV2WithEncryption")
    }).pipe(Effect.provide(stack()))
  )

  it.effect("by Version 3 is taken where IG takes it, and remembered as encrypted", () =>
    Effect.gen(function* () {
      expect((yield* Session.loginWithEncryption).loggedInBy).toBe("loginWithEncryption")
      expect(yield* sent).toEqual(["GET /session/encryptionKey", "POST /session"])
    }).pipe(Effect.provide(stack(undefined, { encryptedV3: true })))
  )

  for (const encryptionKeyBits of [1024, ...unhurried([3072, 4096] as const)] as const) {
    it.effect(`is taken by a key of ${encryptionKeyBits} bits, too`, () =>
      Effect.gen(function* () {
        expect((yield* Session.loginV2WithEncryption).accountId).toBe("SBX01")
      }).pipe(Effect.provide(stack(undefined, { encryptionKeyBits })))
    )
  }

  it.effect("is taken with IG's clock as text, and where IG demands encryption", () =>
    Effect.gen(function* () {
      expect((yield* Session.loginV2WithEncryption).accountId).toBe("SBX01")
      expect(yield* Effect.flip(Session.loginV2)).toMatchObject({
        errorCode: "error.public-api.failure.encryption.required"
      })
    }).pipe(Effect.provide(stack(undefined, { timeStampAsString: true, encryptionRequired: true })))
  )

  it.effect("with a key that is stale is refused like a wrong password", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(Session.loginV2WithEncryption)).toMatchObject({
        errorCode: "error.security.invalid-details"
      })
    }).pipe(Effect.provide(stack(undefined, { encryptionKeyTtl: 0 })))
  )

  it.effect("fetches a key for each login", () =>
    Effect.gen(function* () {
      yield* Effect.repeatN(Session.loginV2WithEncryption, 1)
      expect((yield* sent).filter((request) => request.startsWith("GET"))).toHaveLength(2)
    }).pipe(Effect.provide(stack()))
  )

  it.effect("takes a PEM key with blanks and line breaks in it", () =>
    Effect.gen(function* () {
      const sealed = yield* sealedBy(
        `  ${pemOf(base64, "PUBLIC KEY").replace(base64, base64.replaceAll(/(.{64})/g, "$1\r\n"))}\n`
      )
      expect(Redacted.value(sealed)).toHaveLength(172)
    })
  )

  it("does not compile without a cipher", () => {
    type Provided = SessionState.SessionState | HttpClient.HttpClient | IgClient.IgClient
    type Needs = Effect.Effect.Context<typeof Session.loginV2WithEncryption>
    expectTypeOf<Exclude<Needs, Provided>>().toEqualTypeOf<PasswordCipher>()
    expect(Effect.isEffect(Session.loginV2WithEncryption)).toBe(true)
  })
})
