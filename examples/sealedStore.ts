/** Any `KeyValueStore`, with what is in it sealed by AES-256-GCM: a session in it is of no use without the key. */
import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"

const nonceLength = 12
const tagLength = 16

const seal = (key: Uint8Array, text: string): string => {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv("aes-256-gcm", key, nonce)
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64")
}

const open = (key: Uint8Array, sealed: string): string => {
  const bytes = Buffer.from(sealed, "base64")
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceLength))
  decipher.setAuthTag(bytes.subarray(-tagLength))
  return decipher.update(bytes.subarray(nonceLength, -tagLength)).toString("utf8") + decipher.final("utf8")
}

/** Another key, or a text that was tampered with. */
const invalid = () => new SystemError({ module: "KeyValueStore", method: "get", reason: "InvalidData" })

/** Around the store below it; the key is 32 bytes, from wherever you keep such things. */
export const layer = (
  key: Redacted.Redacted<Uint8Array>
): Layer.Layer<KeyValueStore.KeyValueStore, never, KeyValueStore.KeyValueStore> =>
  Layer.effect(
    KeyValueStore.KeyValueStore,
    Effect.map(KeyValueStore.KeyValueStore, (inner) =>
      KeyValueStore.makeStringOnly({
        get: (name) =>
          Effect.flatMap(
            inner.get(name),
            Option.match({
              onNone: () => Effect.succeedNone,
              onSome: (sealed) =>
                Effect.asSome(Effect.try({ try: () => open(Redacted.value(key), sealed), catch: invalid }))
            })
          ),
        set: (name, text) => Effect.suspend(() => inner.set(name, seal(Redacted.value(key), text))),
        remove: inner.remove,
        clear: inner.clear,
        size: inner.size
      })
    )
  )
