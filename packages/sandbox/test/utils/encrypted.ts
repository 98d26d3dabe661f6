/** A login as IG wants it encrypted, by node-forge and none of the sandbox's own code. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import forge from "node-forge"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { ask, login, verdict } from "./raw.ts"

/** `wait` ms between the key and the login; without `inner`, the inner base64 is left out. */
export const encrypted = (version: number, wait = 0, inner = true) =>
  Effect.gen(function* () {
    const { password } = yield* Sandbox
    const key = (yield* ask({ path: "/session/encryptionKey" })).json
    const text = forge.util.encodeUtf8(`${password}|${String(key.get("timeStamp"))}`)
    const der = forge.asn1.fromDer(forge.util.decode64(String(key.get("encryptionKey"))))
    const pem = forge.pki.publicKeyToPem(forge.pki.publicKeyFromAsn1(der))
    const cipher = forge.pki.publicKeyFromPem(pem).encrypt(inner ? forge.util.encode64(text) : text, "RSAES-PKCS1-V1_5")
    yield* TestClock.adjust(wait)
    return verdict(yield* login(version, { password: forge.util.encode64(cipher), encryptedPassword: true }))
  })
