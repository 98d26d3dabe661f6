/**
 * Encrypts the password of a login as IG wants it: RSA with PKCS#1 v1.5 padding over `base64(utf8(password|timeStamp))`.
 * Fills core's port `PasswordCipher` by node-forge and `crypto.getRandomValues`, in Node and in browsers alike.
 *
 * @since 0.1.0
 */
import { AuthError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { encrypt, readKey } from "./internal/rsa.ts"

/**
 * What goes into the `password` of a login beside `encryptedPassword: true`. The key is base64 of an X.509
 * SubjectPublicKeyInfo, of any RSA size from 1024 bits to 16384; PEM is tolerated. Of a password 73, 169, 265 and 361
 * bytes of UTF-8 fit into keys of 1024, 2048, 3072 and 4096 bits.
 *
 * Fails with `AuthError` reason `encryption-failed`, whose `detail` says what is wrong with the key or the password.
 *
 * @since 0.1.0
 * @category encryption
 */
export const encryptPassword = ({
  encryptionKey,
  password,
  timeStamp
}: PasswordCipher.Input): Effect.Effect<Redacted.Redacted, AuthError> =>
  Effect.suspend(() =>
    Either.match(
      Either.flatMap(readKey(encryptionKey), (key) => encrypt(key, Redacted.value(password), timeStamp)),
      {
        onLeft: (detail) =>
          Effect.fail(new AuthError({ operation: "passwordCipher.encrypt", reason: "encryption-failed", detail })),
        onRight: (text) => Effect.succeed(Redacted.make(text))
      }
    )
  )

/**
 * What both encrypted logins need, by `encryptPassword`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<PasswordCipher> = Layer.succeed(PasswordCipher, { encrypt: encryptPassword })
