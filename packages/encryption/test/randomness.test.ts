import { encryptPassword } from "@effect-ig/encryption/PasswordEncryption"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import forge from "node-forge"
import { generateKeyPairSync } from "node:crypto"
import { afterEach, describe, expect, it, vi } from "vitest"

const pair = generateKeyPairSync("rsa", { modulusLength: 1024 })
const privateKey = forge.pki.privateKeyFromPem(pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString())

const sealing = encryptPassword({
  encryptionKey: pair.publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  password: Redacted.make("hunter2"),
  timeStamp: 1_700_000_000_000
})

const inner = "aHVudGVyMnwxNzAwMDAwMDAwMDAw"

const withSource = (getRandomValues: (bytes: Uint8Array) => Uint8Array) => vi.stubGlobal("crypto", { getRandomValues })

/** The whole block that was encrypted, with its padding. */
const block = () => privateKey.decrypt(forge.util.decode64(Redacted.value(Effect.runSync(sealing))), "RAW")

const noSource = {
  _tag: "AuthError",
  reason: "encryption-failed",
  detail: "There is no source of random numbers here that is fit for encryption."
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("the padding", () => {
  it("is what crypto.getRandomValues gives", () => {
    withSource((bytes) => bytes.fill(7))
    expect(block()).toBe(`\0\u0002${"\u0007".repeat(128 - 3 - inner.length)}\0${inner}`)
  })

  it("never holds a zero, which would end it early: another byte is drawn", () => {
    let drawn = 0
    withSource((bytes) => bytes.map(() => drawn++ % 3))
    expect(block()).toMatch(new RegExp(`^\\0\\u0002[\\u0001\\u0002]{${128 - 3 - inner.length}}\\0${inner}$`))
  })

  it("is of that source only: where there is none, nothing is encrypted with less", () => {
    const weak = vi.spyOn(Math, "random")
    vi.stubGlobal("crypto", undefined)
    expect(Effect.runSync(Effect.flip(sealing))).toMatchObject(noSource)
    expect(weak).not.toHaveBeenCalled()
    weak.mockRestore()
  })

  it("is not made of a source that fails, or gives nothing but zeros", () => {
    withSource(() => {
      throw new Error("out of entropy")
    })
    expect(Effect.runSync(Effect.flip(sealing))).toMatchObject(noSource)
    withSource((bytes) => bytes.fill(0))
    expect(Effect.runSync(Effect.flip(sealing))).toMatchObject(noSource)
  })
})
