/**
 * What this package needs of one that can encrypt: `@effect-ig/encryption` supplies it. Whoever logs in without
 * encryption never installs it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { AuthError } from "./IgError.ts"

/**
 * What `Session.loginWithEncryption` and `Session.loginV2WithEncryption` encrypt the password with. There is one in
 * `@effect-ig/encryption`.
 *
 * @since 0.1.0
 * @category tags
 */
export class PasswordCipher extends Context.Tag("@effect-ig/core/PasswordCipher")<
  PasswordCipher,
  PasswordCipher.Service
>() {}

/**
 * @since 0.1.0
 */
export declare namespace PasswordCipher {
  /**
   * What is encrypted, and with what.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Input {
    readonly password: Redacted.Redacted
    /** As `Session.encryptionKey` gives it: base64 of an X.509 SubjectPublicKeyInfo. */
    readonly encryptionKey: string
    /** As `Session.encryptionKey` gives it: IG's clock, in ms since the epoch. */
    readonly timeStamp: number
  }

  /**
   * An implementation; anything that can do RSA with PKCS#1 v1.5 padding.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Service {
    /**
     * Answers with what goes into `password` beside `encryptedPassword: true`. Fails with `AuthError` reason
     * `encryption-failed` and a `detail` that says why.
     */
    readonly encrypt: (input: Input) => Effect.Effect<Redacted.Redacted, AuthError>
  }
}
