/**
 * Reading IG's key and encrypting with it, as plain functions that answer with what is wrong. Forge reads the DER and
 * does the arithmetic; randomness is the platform's own.
 */
import * as Either from "effect/Either"
import type forge from "node-forge"
import asn1 from "node-forge/lib/asn1.js"
import jsbn from "node-forge/lib/jsbn.js"
import util from "node-forge/lib/util.js"

/** A sentence for a human; never holds key or password. */
export type Problem = string

export interface PublicKey {
  readonly modulus: forge.jsbn.BigInteger
  readonly exponent: forge.jsbn.BigInteger
}

type Asn1 = forge.asn1.Asn1

const attempt = <A>(evaluate: () => A, problem: Problem): Either.Either<A, Problem> =>
  Either.try({ try: evaluate, catch: () => problem })

const least = 1024

/** As OpenSSL has it. There must be a limit, since the work grows with the cube of it and cannot be interrupted. */
const most = 16_384

/** As FIPS 186-5 has it; for the same reason. */
const mostOfExponent = 256

const tooLong = `The key is too long; expected RSA of ${most} bits or less.`

/** Base64 of DER, bare or as a PEM block. */
const unwrap = (text: string): Either.Either<string, Problem> => {
  const pem = /^\s*-----BEGIN ([^-]*)-----([^-]*)-----END ([^-]*)-----\s*$/.exec(text)
  if (pem === null && text.includes("-----")) return Either.left("The key is not a well-formed PEM block.")
  if (pem !== null && (pem[1] !== "PUBLIC KEY" || pem[3] !== "PUBLIC KEY")) {
    return Either.left('The key is a PEM block of another kind; expected "PUBLIC KEY".')
  }
  const base64 = (pem?.[2] ?? text).replaceAll(/\s/g, "")
  if (base64 === "") return Either.left("The key is empty.")
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return Either.left("The key is not base64.")
  return base64.length > most / 4 ? Either.left(tooLong) : Either.right(base64)
}

const readDer = (base64: string): Either.Either<Asn1, Problem> =>
  Either.gen(function* () {
    const bytes = util.createBuffer(util.decode64(base64))
    const node = yield* attempt(
      () => asn1.fromDer(bytes, { strict: true, parseAllBytes: false, decodeBitStrings: true }),
      "The key is not well-formed DER; it may be cut."
    )
    return bytes.isEmpty() ? node : yield* Either.left("The key has bytes after its end.")
  })

const isOf = (type: forge.asn1.Type, node: Asn1): boolean =>
  node.tagClass === asn1.Class.UNIVERSAL && node.type === type && node.constructed === (type === asn1.Type.SEQUENCE)

/** What is in a sequence, or in a bit string that holds DER; nothing if it is not of that type. */
const partsOf = (type: forge.asn1.Type, node: Asn1 | undefined): ReadonlyArray<Asn1> =>
  node !== undefined && isOf(type, node) && Array.isArray(node.value) ? node.value : []

const hexOf = (type: forge.asn1.Type, node: Asn1 | undefined): string =>
  node !== undefined && isOf(type, node) && typeof node.value === "string" ? util.bytesToHex(node.value) : ""

/** 1.2.840.113549.1.1.1 */
const rsaEncryption = "2a864886f70d010101"

const isPositive = (hex: string): boolean => /^[0-7]/.test(hex)

const isOdd = (value: forge.jsbn.BigInteger): boolean => value.testBit(0)

const weakness = ({ exponent, modulus }: PublicKey): Problem | undefined => {
  if (modulus.bitLength() < least) return `The key's modulus is too short; expected ${least} bits or more.`
  if (modulus.bitLength() > most) return tooLong
  if (!isOdd(modulus)) return "The key's modulus is even, so it is no RSA modulus."
  if (!isOdd(exponent) || exponent.bitLength() < 2) return "The key's exponent must be odd and at least 3."
  return exponent.bitLength() > mostOfExponent
    ? `The key's exponent is too long; expected ${mostOfExponent} bits or less.`
    : undefined
}

/**
 * `SEQUENCE { SEQUENCE { OID, parameters }, BIT STRING { SEQUENCE { INTEGER modulus, INTEGER exponent } } }`, looked at
 * node by node: forge's own reader takes other forms, too, further numbers, and negative ones as positive.
 */
const fromSubjectPublicKeyInfo = (node: Asn1): Either.Either<PublicKey, Problem> => {
  const { BITSTRING, INTEGER, OID, SEQUENCE } = asn1.Type
  const [algorithm, bits, ...others] = partsOf(SEQUENCE, node)
  const oid = hexOf(OID, partsOf(SEQUENCE, algorithm)[0])
  if (oid === "" || bits === undefined || !isOf(BITSTRING, bits) || others.length > 0) {
    return Either.left("The key is not in SubjectPublicKeyInfo form.")
  }
  if (oid !== rsaEncryption) return Either.left("The key is of another algorithm; expected RSA.")
  const numbers = partsOf(SEQUENCE, partsOf(BITSTRING, bits)[0]).map((number) => hexOf(INTEGER, number))
  const [modulus, exponent] = numbers
  if (modulus === undefined || exponent === undefined || numbers.length > 2 || !numbers.every(isPositive)) {
    return Either.left("The key does not hold a modulus and an exponent, both positive.")
  }
  return Either.right({
    modulus: new jsbn.BigInteger(modulus, 16),
    exponent: new jsbn.BigInteger(exponent, 16)
  })
}

export const readKey = (text: string): Either.Either<PublicKey, Problem> =>
  Either.gen(function* () {
    const base64 = yield* unwrap(text)
    const key = yield* fromSubjectPublicKeyInfo(yield* readDer(base64))
    const problem = weakness(key)
    return problem === undefined ? key : yield* Either.left(problem)
  })

/** How many bytes a block of this key has. */
const size = ({ modulus }: PublicKey): number => Math.ceil(modulus.bitLength() / 8)

/** How many bytes fit, before base64 makes four of three and PKCS#1 takes its 11. */
const room = (key: PublicKey): number => Math.floor((size(key) - 11) / 4) * 3

/** Random bytes that are not zero, since a zero ends the padding. Forge's own are `Math.random` where it finds no better. */
const randomBytes = (count: number): ReadonlyArray<number> => {
  const found = Array.from(globalThis.crypto.getRandomValues(new Uint8Array(count))).filter((byte) => byte !== 0)
  return found.length === count ? found : [...found, ...randomBytes(count - found.length)]
}

const toHex = (bytes: ReadonlyArray<number>): string => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")

/** `message ** exponent % modulus` as a byte string, where the message is padded by PKCS#1 v1.5: `00 02 … 00 inner`. */
const seal = (key: PublicKey, inner: string, padding: ReadonlyArray<number>): string => {
  const block = `0002${toHex(padding)}00${util.bytesToHex(inner)}`
  const sealed = new jsbn.BigInteger(block, 16).modPow(key.exponent, key.modulus)
  return util.hexToBytes(sealed.toString(16).padStart(2 * size(key), "0"))
}

/** Base64 of the PKCS#1 v1.5 encryption of `base64(utf8(password|timeStamp))`. */
export const encrypt = (key: PublicKey, password: string, timeStamp: number): Either.Either<string, Problem> =>
  Either.gen(function* () {
    if (!Number.isSafeInteger(timeStamp) || timeStamp < 0) {
      return yield* Either.left("The key's timeStamp is not a whole number of milliseconds.")
    }
    if (/\p{Surrogate}/u.test(password)) {
      return yield* Either.left("The password is not well-formed Unicode: it has half of a surrogate pair.")
    }
    const plain = util.encodeUtf8(`${password}|${timeStamp}`)
    if (plain.length > room(key)) {
      const limit = room(key) - `|${timeStamp}`.length
      return yield* Either.left(`The password is too long: this key takes ${limit} bytes of UTF-8 at most.`)
    }
    const inner = util.encode64(plain)
    const padding = yield* attempt(
      () => randomBytes(size(key) - 3 - inner.length),
      "There is no source of random numbers here that is fit for encryption."
    )
    return util.encode64(seal(key, inner, padding))
  })
