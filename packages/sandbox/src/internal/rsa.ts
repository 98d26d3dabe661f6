/** The gateway's own RSA keys. Node refuses PKCS#1 v1.5 with a private key, so forge decrypts. */
import forge from "node-forge"
import { generateKeyPairSync } from "node:crypto"
import type { Call } from "./routes.ts"

interface KeyPair {
  /** Base64 of a DER SubjectPublicKeyInfo. */
  readonly publicKey: string
  readonly privateKey: forge.pki.rsa.PrivateKey
}

const generate = (modulusLength: number): KeyPair => {
  const pair = generateKeyPairSync("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" }
  })
  return {
    publicKey: pair.publicKey.toString("base64"),
    privateKey: forge.pki.privateKeyFromPem(pair.privateKey)
  }
}

/** One pair a process and size: making one takes a tenth of a second, and no test depends on which it is. */
const pairs = new Map<number, KeyPair>()

const pairOf = (bits: number): KeyPair => {
  const pair = pairs.get(bits) ?? generate(bits)
  pairs.set(bits, pair)
  return pair
}

export const publicKey = (bits: number): string => pairOf(bits).publicKey

const decrypt = (bits: number, password: string): string | undefined => {
  try {
    const inner = pairOf(bits).privateKey.decrypt(forge.util.decode64(password), "RSAES-PKCS1-V1_5")
    const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(inner) && inner.length % 4 === 0
    return isBase64 ? forge.util.decodeUtf8(forge.util.decode64(inner)) : undefined
  } catch {
    return undefined
  }
}

/** The password, if it was encrypted as IG wants it: `base64(password|timestamp)`, with a timestamp that is not stale. */
export const decryptPassword = ({ now, world }: Call, password: string): string | undefined => {
  const text = decrypt(world.switches.encryptionKeyBits, password)
  const bar = text?.lastIndexOf("|") ?? -1
  if (text === undefined || bar < 0) return undefined
  const age = now - Number(text.slice(bar + 1))
  return age >= 0 && age < world.switches.encryptionKeyTtl ? text.slice(0, bar) : undefined
}
