/** A cipher of the test's own, as IG documents it. */
import type { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { constants, publicEncrypt } from "node:crypto"
import { remember } from "./secrets.ts"

export const seal = ({ encryptionKey, password, timeStamp }: PasswordCipher.Input): Redacted.Redacted => {
  const key = `-----BEGIN PUBLIC KEY-----\n${encryptionKey}\n-----END PUBLIC KEY-----`
  const text = Buffer.from(`${Redacted.value(password)}|${timeStamp}`).toString("base64")
  const sealed = publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString("base64")
  remember(sealed)
  return Redacted.make(sealed)
}

export const cipher: PasswordCipher.Service = { encrypt: (input) => Effect.sync(() => seal(input)) }
