/** The gateway's own RSA keys. Node refuses PKCS#1 v1.5 with a private key, so the padding is taken off here. */
import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, privateDecrypt } from "node:crypto"
import type { GatewayRequest } from "./http.ts"
import type { Call } from "./routes.ts"
import type { World } from "./world.ts"

interface KeyPair {
  /** Base64 of a DER SubjectPublicKeyInfo. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

const generate = (modulusLength: number): KeyPair => {
  const pair = generateKeyPairSync("rsa", {
    modulusLength,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs1", format: "pem" }
  })
  return {
    publicKey: pair.publicKey.toString("base64"),
    privateKey: createPrivateKey(pair.privateKey)
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

/** `00 02`, eight or more bytes that are not zero, `00`, then what was encrypted. */
const unpadded = (block: Buffer): Buffer | undefined => {
  const end = block.indexOf(0, 2)
  return block[0] === 0 && block[1] === 2 && end >= 10 ? block.subarray(end + 1) : undefined
}

const decrypt = (bits: number, password: string): string | undefined => {
  try {
    const key = { key: pairOf(bits).privateKey, padding: constants.RSA_NO_PADDING }
    const inner = unpadded(privateDecrypt(key, Buffer.from(password, "base64")))?.toString("latin1") ?? ""
    const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(inner) && inner.length % 4 === 0
    return isBase64
      ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(inner, "base64"))
      : undefined
  } catch {
    return undefined
  }
}

interface Opened {
  readonly password: string
  readonly timeStamp: number
}

/** Opening one takes a millisecond, and both the login and the record ask. */
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
