/** The gateway's own RSA keys. Node refuses PKCS#1 v1.5 with a private key, so forge decrypts. */
import forge from "node-forge"
import { generateKeyPairSync } from "node:crypto"
import type { GatewayRequest } from "./http.ts"
import type { Call } from "./routes.ts"
import type { World } from "./world.ts"

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

interface Opened {
  readonly password: string
  readonly timeStamp: number
}

/** Opening one takes 30 ms, and both the login and the record ask. */
const opened = new WeakMap<GatewayRequest, { readonly result: Opened | undefined }>()

/** What was encrypted, if it was as IG wants it: `base64(password|timestamp)`. A password may hold a `|`, too. */
export const openPassword = (world: World, request: GatewayRequest, password: string): Opened | undefined => {
  const known = opened.get(request)
  if (known !== undefined) return known.result
  const text = decrypt(world.switches.encryptionKeyBits, password)
  const bar = text?.lastIndexOf("|") ?? -1
  const isWhole = text !== undefined && bar >= 0 && /^\d+$/.test(text.slice(bar + 1))
  const result = isWhole ? { password: text.slice(0, bar), timeStamp: Number(text.slice(bar + 1)) } : undefined
  opened.set(request, { result })
  return result
}

/** The password, if its timestamp is not stale. */
export const decryptPassword = ({ now, request, world }: Call, password: string): string | undefined => {
  const found = openPassword(world, request, password)
  if (found === undefined) return undefined
  const age = now - found.timeStamp
  return age >= 0 && age < world.switches.encryptionKeyTtl ? found.password : undefined
}
