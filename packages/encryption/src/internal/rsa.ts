/** Reading IG's key and encrypting with it, as plain functions that answer with what is wrong. */
import * as Either from "effect/Either"
import type forgeTypes from "node-forge"
import forge from "node-forge/lib/forge.js"
import "node-forge/lib/rsa.js"

/** A sentence for a human; never holds key or password. */
export type Problem = string

type PublicKey = forgeTypes.pki.rsa.PublicKey

const attempt = <A>(evaluate: () => A, problem: Problem): Either.Either<A, Problem> =>
  Either.try({ try: evaluate, catch: () => problem })

/** Base64 of DER, bare or as a PEM block. */
const unwrap = (text: string): Either.Either<string, Problem> => {
  const pem = /^\s*-----BEGIN ([^-]*)-----([^-]*)-----END ([^-]*)-----\s*$/.exec(text)
  if (pem === null && text.includes("-----")) return Either.left("The key is not a well-formed PEM block.")
  if (pem !== null && (pem[1] !== "PUBLIC KEY" || pem[3] !== "PUBLIC KEY")) {
    return Either.left('The key is a PEM block of another kind; expected "PUBLIC KEY".')
  }
  const base64 = (pem?.[2] ?? text).replaceAll(/\s/g, "")
  if (base64 === "") return Either.left("The key is empty.")
  return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && base64.length % 4 === 0
    ? Either.right(base64)
    : Either.left("The key is not base64.")
}

const notRsa = "The key is not an RSA public key in SubjectPublicKeyInfo form."

/** A SubjectPublicKeyInfo is a sequence of an algorithm and a bit string; forge alone would take other forms, too. */
const isSubjectPublicKeyInfo = ({ value }: forgeTypes.asn1.Asn1): boolean =>
  Array.isArray(value) && value.length === 2 && value[1]?.type === forge.asn1.Type.BITSTRING

const least = 1024

const isOdd = (value: forgeTypes.jsbn.BigInteger): boolean => BigInt(`0x${value.toString(16)}`) % 2n === 1n

const weakness = ({ e, n }: PublicKey): Problem | undefined => {
  if (n.bitLength() < least) return `The key's modulus is too short; expected ${least} bits or more.`
  if (!isOdd(n)) return "The key's modulus is even, so it is no RSA modulus."
  return isOdd(e) && e.bitLength() > 1 ? undefined : "The key's exponent must be odd and at least 3."
}

export const readKey = (text: string): Either.Either<PublicKey, Problem> =>
  Either.gen(function* () {
    const base64 = yield* unwrap(text)
    const der = yield* attempt(
      () => forge.asn1.fromDer(forge.util.createBuffer(forge.util.decode64(base64))),
      "The key is not well-formed DER: it is cut, or has bytes to spare."
    )
    if (!isSubjectPublicKeyInfo(der)) return yield* Either.left(notRsa)
    const key = yield* attempt((): PublicKey => forge.pki.publicKeyFromAsn1(der), notRsa)
    const problem = weakness(key)
    return problem === undefined ? key : yield* Either.left(problem)
  })

/** How many bytes fit, before base64 makes four of three and PKCS#1 takes its 11. */
const room = ({ n }: PublicKey): number => Math.floor((Math.ceil(n.bitLength() / 8) - 11) / 4) * 3

/** Base64 of the PKCS#1 v1.5 encryption of `base64(utf8(password|timeStamp))`. */
export const encrypt = (key: PublicKey, password: string, timeStamp: number): Either.Either<string, Problem> =>
  Either.gen(function* () {
    if (!Number.isSafeInteger(timeStamp) || timeStamp < 0) {
      return yield* Either.left("The key's timeStamp is not a whole number of milliseconds.")
    }
    if (/\p{Surrogate}/u.test(password)) {
      return yield* Either.left("The password is not well-formed Unicode: it has half of a surrogate pair.")
    }
    const plain = forge.util.encodeUtf8(`${password}|${timeStamp}`)
    if (plain.length > room(key)) {
      const most = room(key) - `|${timeStamp}`.length
      return yield* Either.left(`The password is too long: this key takes ${most} bytes of UTF-8 at most.`)
    }
    return yield* attempt(
      () => forge.util.encode64(key.encrypt(forge.util.encode64(plain), "RSAES-PKCS1-V1_5")),
      "The encryption itself failed."
    )
  })
