/** Keys, good and bad. */
import forge from "node-forge"
import { generateKeyPairSync, type KeyObject } from "node:crypto"

export const pemOf = (text: string, label: string): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----`

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" })

const rsa = (modulusLength: number): Buffer => spki(generateKeyPairSync("rsa", { modulusLength }).publicKey)

const ec = spki(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey)
const pss = spki(generateKeyPairSync("rsa-pss", { modulusLength: 1024 }).publicKey)
const privateKey = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({
  type: "pkcs8",
  format: "der"
})

const good = rsa(1024)

/** A good key of 1024 bits. */
export const base64 = good.toString("base64")

const { asn1 } = forge
const universal = asn1.Class.UNIVERSAL

const integer = (hex: string) => asn1.create(universal, asn1.Type.INTEGER, false, forge.util.hexToBytes(hex))

type Parts = ReadonlyArray<forge.asn1.Asn1>

const constructed = (tagClass: forge.asn1.Class, type: forge.asn1.Type, ...parts: Parts) =>
  asn1.create(tagClass, type, true, [...parts])

const sequence = (...parts: Parts) => constructed(universal, asn1.Type.SEQUENCE, ...parts)

const toBase64 = (node: forge.asn1.Asn1) => forge.util.encode64(asn1.toDer(node).getBytes())

const none = asn1.create(universal, asn1.Type.NULL, false, "")

const algorithm = sequence(
  asn1.create(universal, asn1.Type.OID, false, asn1.oidToDer("1.2.840.113549.1.1.1").getBytes()),
  none
)

const bitString = (node: forge.asn1.Asn1, unused = 0) =>
  asn1.create(universal, asn1.Type.BITSTRING, false, String.fromCharCode(unused) + asn1.toDer(node).getBytes())

/** A key of these integers in hex, whatever they are. */
const keyOf = (...numbers: ReadonlyArray<string>) =>
  toBase64(sequence(algorithm, bitString(sequence(...numbers.map(integer)))))

const modulus = `00${forge.pki.publicKeyFromPem(pemOf(base64, "PUBLIC KEY")).n.toString(16)}`

/** 65537 */
const f4 = "010001"

const numbers = sequence(integer(modulus), integer(f4))

/** Keys at the limits of what is taken, and how many letters what they seal has. */
export const extreme: ReadonlyArray<readonly [name: string, key: string, length: number]> = [
  ["of 16384 bits", keyOf(`00${"cd".repeat(2048)}`, f4), 2732],
  ["of an exponent of 256 bits", keyOf(modulus, `00${"ff".repeat(32)}`), 172]
]

const notBase64 = "The key is not base64."
const notDer = "The key is not well-formed DER; it may be cut."
const bytesAfter = "The key has bytes after its end."
const notSpki = "The key is not in SubjectPublicKeyInfo form."
const otherAlgorithm = "The key is of another algorithm; expected RSA."
const notTwoNumbers = "The key does not hold a modulus and an exponent, both positive."
const tooShort = "The key's modulus is too short; expected 1024 bits or more."
const tooLong = "The key is too long; expected RSA of 16384 bits or less."
const exponent = "The key's exponent must be odd and at least 3."
const notPem = "The key is not a well-formed PEM block."
const otherPem = 'The key is a PEM block of another kind; expected "PUBLIC KEY".'

/** Keys that must be refused, and what the refusal says. */
export const malformed: ReadonlyArray<readonly [name: string, key: string, detail: string]> = [
  ["only blanks", " \n", "The key is empty."],
  ["an empty PEM block", pemOf("", "PUBLIC KEY"), "The key is empty."],
  ["no base64", "not base64!", notBase64],
  ["base64 after something else", `!AAA${base64}`, notBase64],
  ["base64 before something else", `${base64}!AAA`, notBase64],
  ["base64 of a wrong length", `${base64.replace(/=+$/, "")}A`, notBase64],
  ["a whole page", "<html></html>".repeat(1000), notBase64],
  ["4096 letters", "AAAA".repeat(1024), bytesAfter],
  ["4100 letters", "AAAA".repeat(1025), tooLong],
  ["cut DER", good.subarray(0, -5).toString("base64"), notDer],
  ["DER nested without end", Buffer.from("3080".repeat(1000), "hex").toString("base64"), notDer],
  ["followed by other bytes", Buffer.concat([good, Buffer.from([0, 0])]).toString("base64"), bytesAfter],
  ["an EC key", ec.toString("base64"), otherAlgorithm],
  ["a key for signatures", pss.toString("base64"), otherAlgorithm],
  ["DER of something else", Buffer.from([0x02, 0x01, 0x05]).toString("base64"), notSpki],
  ["a private key", privateKey.toString("base64"), notSpki],
  ["a bare RSAPublicKey", toBase64(numbers), notSpki],
  ["without numbers", toBase64(sequence(algorithm)), notSpki],
  ["with something after its numbers", toBase64(sequence(algorithm, bitString(numbers), none)), notSpki],
  ["of an algorithm without a name", toBase64(sequence(sequence(none), bitString(numbers))), notSpki],
  [
    "of a class of its own",
    toBase64(constructed(asn1.Class.APPLICATION, asn1.Type.SEQUENCE, algorithm, bitString(numbers))),
    notSpki
  ],
  ["a set", toBase64(constructed(universal, asn1.Type.SET, algorithm, bitString(numbers))), notSpki],
  ["of bits in parts", toBase64(sequence(algorithm, constructed(universal, asn1.Type.BITSTRING, numbers))), notSpki],
  ["of one number", keyOf(modulus), notTwoNumbers],
  ["of three numbers", keyOf(modulus, f4, "05"), notTwoNumbers],
  ["of a negative modulus", keyOf(modulus.slice(2), f4), notTwoNumbers],
  ["of a negative exponent", keyOf(modulus, "ff"), notTwoNumbers],
  ["of a number without bytes", keyOf(modulus, ""), notTwoNumbers],
  ["not a whole number of bytes", toBase64(sequence(algorithm, bitString(numbers, 1))), notTwoNumbers],
  ["RSA of 512 bits", rsa(512).toString("base64"), tooShort],
  ["RSA of modulus 0", keyOf("00", f4), tooShort],
  ["RSA of 16392 bits", keyOf(`00${"cd".repeat(2049)}`, f4), tooLong],
  ["RSA of 80000 bits", keyOf(`00${"cd".repeat(10_000)}`, f4), tooLong],
  [
    "RSA of an even modulus",
    keyOf(modulus.replace(/.$/, "2"), f4),
    "The key's modulus is even, so it is no RSA modulus."
  ],
  ["RSA of exponent 1", keyOf(modulus, "01"), exponent],
  ["RSA of exponent 4", keyOf(modulus, "04"), exponent],
  [
    "RSA of an exponent of 264 bits",
    keyOf(modulus, "7f".repeat(33)),
    "The key's exponent is too long; expected 256 bits or less."
  ],
  ["under a wrong PEM label", pemOf(base64, "CERTIFICATE"), otherPem],
  ["under two PEM labels", pemOf(base64, "PUBLIC KEY").replace("END PUBLIC", "END PRIVATE"), otherPem],
  ["under the wrong one first", pemOf(base64, "PUBLIC KEY").replace("BEGIN PUBLIC", "BEGIN PRIVATE"), otherPem],
  ["half a PEM block", pemOf(base64, "PUBLIC KEY").slice(0, -10), notPem],
  ["two PEM blocks", `${pemOf(base64, "PUBLIC KEY")}\n${pemOf(base64, "PUBLIC KEY")}`, notPem]
]
