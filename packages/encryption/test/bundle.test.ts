/** What a bundler makes of this package. */
import forge from "node-forge"
import { spawnSync } from "node:child_process"
import { generateKeyPairSync, webcrypto } from "node:crypto"
import { createRequire } from "node:module"
import { join } from "node:path"
import { createContext, runInContext } from "node:vm"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"

const src = join(import.meta.dirname, "../src")

const esbuild = createRequire(import.meta.filename).resolve("esbuild/bin/esbuild")

const bundle = (stdin: string, ...options: ReadonlyArray<string>): string => {
  const { status, stderr, stdout } = spawnSync(esbuild, ["--bundle", "--minify", ...options], {
    cwd: src,
    input: stdin,
    encoding: "utf8",
    maxBuffer: 2 ** 26
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
const privateKey = forge.pki.privateKeyFromPem(pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString())

const program = `
  import { encryptPassword } from "./PasswordEncryption.ts"
  import * as Effect from "effect/Effect"
  import * as Redacted from "effect/Redacted"
  globalThis.sealed = Redacted.value(Effect.runSync(encryptPassword({
    encryptionKey: "${pair.publicKey.export({ type: "spki", format: "der" }).toString("base64")}",
    password: Redacted.make("pässword"),
    timeStamp: 1700000000000
  })))
`

/** Runs a bundle where there is nothing but what is given. */
const sealedBy = (code: string, globals: Readonly<Record<string, unknown>>): string => {
  const context = createContext({ TextEncoder, TextDecoder, URL, URLSearchParams, ...globals })
  runInContext("globalThis.self = globalThis", context)
  runInContext(code, context)
  const sealed: unknown = runInContext("sealed", context)
  return Buffer.from(privateKey.decrypt(forge.util.decode64(String(sealed)), "RSAES-PKCS1-V1_5"), "base64").toString(
    "utf8"
  )
}

describe("a bundle", () => {
  it("for browsers encrypts where there is nothing of Node", () => {
    const code = bundle(program, "--platform=browser", "--format=iife")
    expect(sealedBy(code, { crypto: webcrypto })).toBe("pässword|1700000000000")
  })

  it("for browsers encrypts where something pretends to be Node, as Electron and edge workers do", () => {
    const code = bundle(program, "--platform=browser", "--format=iife")
    const process = { versions: { node: "20.0.0" }, env: {} }
    expect(sealedBy(code, { crypto: webcrypto, process, global: {} })).toBe("pässword|1700000000000")
  })

  it("for Node as an ES module asks for nothing by require", () => {
    const code = bundle(`export { readKey, encrypt } from "./internal/rsa.ts"`, "--platform=node", "--format=esm")
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module"], { input: code, encoding: "utf8" })
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" })
  })

  it("carries of forge what RSA needs, by size less than a quarter", () => {
    const code = bundle(`export * from "./internal/rsa.ts"`, "--format=esm", "--minify=false")
    const files = Array.from(code.matchAll(/^\s*\/\/ .*node-forge\/lib\/(.*)\.js$/gm), ([, name]) => name)
    expect(files.toSorted()).toEqual(["asn1", "baseN", "forge", "jsbn", "oids", "util"])
    const parts = ["asn1", "jsbn", "util"].map((name) => `export * as ${name} from "node-forge/lib/${name}.js"`)
    const ours = gzipSync(bundle(parts.join("\n"), "--format=esm")).length
    const whole = gzipSync(bundle(`export * as forge from "node-forge"`, "--format=esm")).length
    expect(ours).toBeLessThan(20_000)
    expect(whole / ours).toBeGreaterThan(4)
  })
})
