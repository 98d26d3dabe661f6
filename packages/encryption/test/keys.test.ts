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
import forge from "node-forge"
import { generateKeyPairSync } from "node:crypto"
import { describe, expectTypeOf } from "vitest"

const password = "correct horse battery staple"

const rsa = (modulusLength: number): Buffer =>
  generateKeyPairSync("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" }
  }).publicKey

const ec = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { type: "spki", format: "der" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
}).publicKey

const good = rsa(1024)
const base64 = good.toString("base64")

/** The good key with another modulus or exponent. */
const altered = (change: (key: forge.pki.rsa.PublicKey) => forge.pki.rsa.PublicKey): string => {
  const der = forge.asn1.fromDer(forge.util.createBuffer(good.toString("binary")))
  const key: forge.pki.rsa.PublicKey = change(forge.pki.publicKeyFromAsn1(der))
  return Buffer.from(forge.asn1.toDer(forge.pki.publicKeyToAsn1(key)).getBytes(), "binary").toString("base64")
}

const BigInteger = forge.jsbn.BigInteger
const withExponent = (exponent: string) =>
  altered(({ n }) => forge.pki.setRsaPublicKey(n, new BigInteger(exponent, 10)))
const evenModulus = altered(({ e, n }) =>
  forge.pki.setRsaPublicKey(new BigInteger(`${n.toString(16).slice(0, -1)}2`, 16), e)
)

const pem = (label: string) => `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----`

const notRsa = "The key is not an RSA public key in SubjectPublicKeyInfo form."
const notDer = "The key is not well-formed DER: it is cut, or has bytes to spare."
const exponent = "The key's exponent must be odd and at least 3."

const malformed: ReadonlyArray<readonly [name: string, key: string, detail: string]> = [
  ["only blanks", " \n", "The key is empty."],
  ["no base64", "not base64!", "The key is not base64."],
  ["base64 of a wrong length", `${base64.replace(/=+$/, "")}A`, "The key is not base64."],
  ["cut DER", good.subarray(0, -5).toString("base64"), notDer],
  ["trailing bytes", Buffer.concat([good, Buffer.from([0, 0])]).toString("base64"), notDer],
  ["an EC key", ec.toString("base64"), notRsa],
  ["DER of something else", Buffer.from([0x02, 0x01, 0x05]).toString("base64"), notRsa],
  ["RSA of 512 bits", rsa(512).toString("base64"), "The key's modulus is too short; expected 1024 bits or more."],
  ["an even modulus", evenModulus, "The key's modulus is even, so it is no RSA modulus."],
  ["exponent 1", withExponent("1"), exponent],
  ["exponent 4", withExponent("4"), exponent],
  ["a wrong PEM label", pem("CERTIFICATE"), 'The key is a PEM block of another kind; expected "PUBLIC KEY".'],
  ["half a PEM block", pem("PUBLIC KEY").slice(0, -10), "The key is not a well-formed PEM block."]
]

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
        expect(yield* Effect.flip(login)).toMatchObject({ _tag: "DecodeError", paths: ["encryptionKey"] })
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

  for (const encryptionKeyBits of [1024, 3072, 4096] as const) {
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
      const sealed = yield* PasswordEncryption.encryptPassword({
        encryptionKey: `  ${pem("PUBLIC KEY").replace(base64, base64.replaceAll(/(.{64})/g, "$1\r\n"))}\n`,
        password: Redacted.make(password),
        timeStamp: 1
      })
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
