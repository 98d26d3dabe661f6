import { encryptPassword } from "@effect-ig/encryption/PasswordEncryption"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { spawnSync } from "node:child_process"
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe } from "vitest"
import { runs } from "../../core/test/utils/effort.ts"

const timeStamp = 1_795_500_000_000

/** What fits into a key of this many bits, beside a timestamp of 13 digits. */
const sizes = [
  { bits: 1024, most: 73, cases: 200 },
  { bits: 2048, most: 169, cases: 200 },
  { bits: 3072, most: 265, cases: 20 },
  { bits: 4096, most: 361, cases: 20 }
] as const

const pairs = new Map(
  sizes.map(({ bits }) => {
    const pair = generateKeyPairSync("rsa", {
      modulusLength: bits,
      publicKeyEncoding: { type: "spki", format: "der" },
      privateKeyEncoding: { type: "pkcs1", format: "pem" }
    })
    return [bits, { publicKey: pair.publicKey.toString("base64"), privateKey: pair.privateKey }]
  })
)

const pairOf = (bits: (typeof sizes)[number]["bits"]) => {
  const pair = pairs.get(bits)
  if (pair === undefined) throw new Error(`no key of ${bits} bits`)
  return pair
}

const encrypted = (encryptionKey: string, password: string, at = timeStamp) =>
  Effect.map(encryptPassword({ encryptionKey, password: Redacted.make(password), timeStamp: at }), Redacted.value)

/** By the machine's own RSA, which has nothing in common with ours; the padding is looked at here. */
const inside = (privateKey: string, sealed: string): string => {
  const block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, Buffer.from(sealed, "base64"))
  const end = block.indexOf(0, 2)
  expect([block[0], block[1], end >= 10]).toEqual([0, 2, true])
  return block.subarray(end + 1).toString("latin1")
}

/** What IG does with it: decrypt, and take the base64 off. */
const opened = (privateKey: string, sealed: string): string =>
  Buffer.from(inside(privateKey, sealed), "base64").toString("utf8")

/** The worked example of the documentation: password, timestamp, what is inside. */
const example: ReadonlyArray<string> =
  /For the password `(.+?)` and the timestamp `(.+?)` the inner text is `(.+?)`/.exec(
    readFileSync(join(import.meta.dirname, "../../../docs/encryption.md"), "utf8")
  ) ?? []

const bytes = (text: string): number => Buffer.byteLength(text, "utf8")

/** Unicode of every width, cut to what fits; `|` is as likely as anything else. */
const passwords = (most: number) =>
  FastCheck.string({
    unit: FastCheck.oneof(FastCheck.constant("|"), FastCheck.string({ unit: "binary", minLength: 1, maxLength: 1 })),
    minLength: 1,
    maxLength: most
  }).map((text) => {
    let kept = ""
    for (const character of text) if (bytes(kept + character) <= most) kept += character
    return kept
  })

const wellFormed = (most: number) => passwords(most).filter((text) => !/\p{Surrogate}/u.test(text) && text !== "")

describe("IG reads back the very password", () => {
  for (const { bits, cases, most } of sizes) {
    it(`by a key of ${bits} bits, whatever Unicode it is`, () => {
      const { privateKey, publicKey } = pairOf(bits)
      FastCheck.assert(
        FastCheck.property(wellFormed(most), (password) => {
          expect(opened(privateKey, Effect.runSync(encrypted(publicKey, password)))).toBe(`${password}|${timeStamp}`)
        }),
        { numRuns: runs(cases) }
      )
    }, 120_000)
  }
})

describe("a key of another size or exponent is as good", () => {
  for (const options of [
    { modulusLength: 1030 },
    { modulusLength: 1536, publicExponent: 3 },
    { modulusLength: 2047 },
    { modulusLength: 2048, publicExponent: 0xff_ff_ff_fb }
  ]) {
    it.effect(JSON.stringify(options), () =>
      Effect.gen(function* () {
        const { privateKey, publicKey } = generateKeyPairSync("rsa", options)
        const sealed = yield* encrypted(
          publicKey.export({ type: "spki", format: "der" }).toString("base64"),
          "pässword"
        )
        expect(Buffer.from(sealed, "base64")).toHaveLength(Math.ceil(options.modulusLength / 8))
        const key = privateKey.export({ type: "pkcs1", format: "pem" }).toString()
        expect(opened(key, sealed)).toBe(`pässword|${timeStamp}`)
      })
    )
  }
})

const folder = mkdtempSync(join(tmpdir(), "encryption-"))
afterAll(() => rmSync(folder, { recursive: true }))

describe("openssl reads back base64 of password and timestamp", () => {
  for (const { bits, most } of sizes) {
    it(`by a key of ${bits} bits`, () => {
      const { privateKey, publicKey } = pairOf(bits)
      const file = join(folder, `${bits}.pem`)
      writeFileSync(file, privateKey)
      for (const password of FastCheck.sample(wellFormed(most), 5)) {
        const { stdout } = spawnSync(
          "openssl",
          ["pkeyutl", "-decrypt", "-inkey", file, "-pkeyopt", "rsa_padding_mode:pkcs1"],
          { input: Buffer.from(Effect.runSync(encrypted(publicKey, password)), "base64") }
        )
        expect(stdout.toString("latin1")).toBe(Buffer.from(`${password}|${timeStamp}`).toString("base64"))
      }
    })
  }
})

const detailOf = (self: ReturnType<typeof encrypted>) =>
  Effect.map(Effect.flip(self), (error) => {
    expect(error).toMatchObject({ _tag: "AuthError", reason: "encryption-failed" })
    return error.detail
  })

describe("a password", () => {
  for (const { bits, most } of sizes) {
    it.effect(`of ${most} bytes fits into ${bits} bits, and one byte more is refused with the limit`, () =>
      Effect.gen(function* () {
        const { publicKey } = pairOf(bits)
        expect((yield* encrypted(publicKey, "x".repeat(most))).length).toBe(Math.ceil(bits / 24) * 4)
        const detail = yield* detailOf(encrypted(publicKey, `ü${"x".repeat(most - 1)}`))
        expect(detail).toBe(`The password is too long: this key takes ${most} bytes of UTF-8 at most.`)
      })
    )
  }

  it.effect("with half of a surrogate pair is refused, not changed", () =>
    Effect.gen(function* () {
      const { publicKey } = pairOf(1024)
      for (const password of ["\ud800", "a\udc00b", "\udc00\ud800"]) {
        expect(yield* detailOf(encrypted(publicKey, password))).toContain("not well-formed Unicode")
      }
    })
  )

  it.effect("is encrypted differently each time", () =>
    Effect.gen(function* () {
      const { publicKey } = pairOf(1024)
      expect(yield* encrypted(publicKey, "the same")).not.toBe(yield* encrypted(publicKey, "the same"))
    })
  )

  it.effect("that holds a bar survives: IG splits at the last one", () =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = pairOf(1024)
      const text = opened(privateKey, yield* encrypted(publicKey, "a|b|"))
      expect(text.slice(0, text.lastIndexOf("|"))).toBe("a|b|")
    })
  )

  it.effect(
    "is as long as the key even when the encrypted number begins with zeros",
    () =>
      Effect.gen(function* () {
        const { publicKey } = pairOf(1024)
        let begun = -1
        for (let drawn = 0; begun !== 0 && drawn < 4000; drawn++) {
          const bytes = Buffer.from(yield* encrypted(publicKey, "password"), "base64")
          expect(bytes).toHaveLength(128)
          begun = bytes.readUInt8(0)
        }
        expect(begun).toBe(0)
      }),
    120_000
  )

  it.effect("is not left without the inner base64, as the reference leaves it (plaintext not base64'd)", () =>
    Effect.gen(function* () {
      const { privateKey, publicKey } = pairOf(1024)
      const [, password = "", at, inner] = example
      const sealed = yield* encrypted(publicKey, password, Number(at))
      expect(inside(privateKey, sealed)).toBe("aHVudGVyMnwxNzAwMDAwMDAwMDAw")
      expect(inner).toBe("aHVudGVyMnwxNzAwMDAwMDAwMDAw")
    })
  )

  it.effect("goes with a timestamp in whole milliseconds only", () =>
    Effect.gen(function* () {
      const { publicKey } = pairOf(1024)
      for (const at of [1.5, -1, 1e21, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(yield* detailOf(encrypted(publicKey, "password", at))).toContain("timeStamp")
      }
    })
  )
})
