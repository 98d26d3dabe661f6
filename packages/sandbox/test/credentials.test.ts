import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { constants, createPublicKey, generateKeyPairSync, type KeyObject, publicEncrypt } from "node:crypto"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { ask, asked, bearer, forms, login, pair, refresh, tokensIn, verdict } from "./utils/raw.ts"

const refused = "401 error.security.invalid-details"
const oauthInvalid = "401 error.security.oauth-token-invalid"
const clientInvalid = "401 error.security.client-token-invalid"

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")

const encrypt = (key: KeyObject, text: string, padding: number = constants.RSA_PKCS1_PADDING): string =>
  publicEncrypt({ key, padding }, Buffer.from(text)).toString("base64")

const fetchKey = Effect.map(ask({ path: "/session/encryptionKey" }), ({ json }) => ({
  key: createPublicKey({ key: Buffer.from(String(json.get("encryptionKey")), "base64"), format: "der", type: "spki" }),
  timeStamp: Number(json.get("timeStamp"))
}))

const sent = (password: string, version: number | string = 2) =>
  Effect.map(login(version, { password, encryptedPassword: true }), verdict)

for (const [form, layer] of forms) {
  describe(`a password that OpenSSL has encrypted, ${form},`, () => {
    it.effect("is taken under Versions 1 and 2 as IG wants it, and refused under Version 3", () =>
      Effect.gen(function* () {
        const { password } = yield* Sandbox
        yield* TestClock.setTime(1_795_521_979_363)
        const { key, timeStamp } = yield* fetchKey
        expect(timeStamp).toBe(1_795_521_979_363)
        const good = base64(`${password}|${timeStamp}`)
        expect(yield* sent(encrypt(key, good))).toBe("200")
        expect(yield* sent(encrypt(key, good), 1)).toBe("200")
        expect(yield* sent(encrypt(key, good), 3)).toBe(refused)
        // What is not said to be encrypted is taken for the password itself.
        const plain = yield* login(2, { password: encrypt(key, good), encryptedPassword: false })
        expect(verdict(plain)).toBe(refused)
        expect(verdict(yield* login(3, { encryptedPassword: false }))).toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("is refused when it was put together in another way", () =>
      Effect.gen(function* () {
        const { password } = yield* Sandbox
        yield* TestClock.setTime(1_795_521_979_363)
        const { key, timeStamp } = yield* fetchKey
        const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
        const good = base64(`${password}|${timeStamp}`)
        const others: Readonly<Record<string, string>> = {
          "no inner base64": encrypt(key, `${password}|${timeStamp}`),
          "another password": encrypt(key, base64(`${password}!|${timeStamp}`)),
          "no timestamp": encrypt(key, base64(password)),
          "an empty timestamp": encrypt(key, base64(`${password}|`)),
          "a timestamp that is no number": encrypt(key, base64(`${password}|now`)),
          "a timestamp of the future": encrypt(key, base64(`${password}|${timeStamp + 60_000}`)),
          "the timestamp first": encrypt(key, base64(`${timeStamp}|${password}`)),
          "another padding": encrypt(key, good, constants.RSA_PKCS1_OAEP_PADDING),
          "another key": encrypt(publicKey, good),
          "no encryption": good,
          "the password itself": password,
          "no base64": "%%%"
        }
        for (const [how, one] of Object.entries(others)) expect([how, yield* sent(one)]).toEqual([how, refused])
        expect(yield* sent(encrypt(key, good))).toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("is refused when its timestamp has become stale, and its key serves again with a new one", () =>
      Effect.gen(function* () {
        const { password } = yield* Sandbox
        const { key, timeStamp } = yield* fetchKey
        const cipher = encrypt(key, base64(`${password}|${timeStamp}`))
        yield* TestClock.adjust(599_999)
        expect(yield* sent(cipher)).toBe("200")
        yield* TestClock.adjust(1)
        expect(yield* sent(cipher)).toBe(refused)
        expect(yield* sent(encrypt(key, base64(`${password}|${(yield* fetchKey).timeStamp}`)))).toBe("200")
      }).pipe(Effect.provide(layer()))
    )
  })

  describe(`tokens ${form}`, () => {
    it.effect("rotate for as long as they are refreshed in time, each new one in the place of the old", () =>
      Effect.gen(function* () {
        const first = yield* bearer()
        const spent = [first.refreshToken]
        const account = { "ig-account-id": "SBX01" }
        let access = first.headers.authorization
        for (let round = 0; round < 5; round++) {
          yield* TestClock.adjust(659_999)
          expect(yield* asked({ headers: { ...account, authorization: access } })).toBe(oauthInvalid)
          const { json } = yield* refresh(spent.at(-1) ?? "")
          spent.push(String(json.get("refresh_token")))
          access = `Bearer ${String(json.get("access_token"))}`
          expect(yield* asked({ headers: { ...account, authorization: access } })).toBe("200")
        }
        expect(new Set(spent).size).toBe(6)
        for (const old of spent.slice(0, -1)) expect(verdict(yield* refresh(old))).toBe(oauthInvalid)
        yield* TestClock.adjust(660_000)
        expect(verdict(yield* refresh(spent.at(-1) ?? ""))).toBe(oauthInvalid)
        expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("of CST live to the last millisecond of 6 hours idle, and of 72 in all", () =>
      Effect.gen(function* () {
        const hour = 3_600_000
        const headers = yield* pair
        yield* TestClock.adjust(6 * hour - 1)
        expect(yield* asked({ headers })).toBe("200")
        for (let used = 1; used < 12; used++) {
          yield* TestClock.adjust(6 * hour - 1)
          expect(yield* asked({ headers })).toBe("200")
        }
        yield* TestClock.adjust(11)
        expect(yield* asked({ headers })).toBe("200")
        yield* TestClock.adjust(1)
        expect(yield* asked({ headers })).toBe(clientInvalid)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("of one family do not stand in for the other's", () =>
      Effect.gen(function* () {
        const { headers, refreshToken } = yield* bearer()
        const access = headers.authorization.replace("Bearer ", "")
        const { cst, "x-security-token": xst } = yield* pair
        for (const token of [cst, xst, refreshToken, `${access}0`, "", "  "]) {
          expect(yield* asked({ headers: { authorization: `Bearer ${token}` } })).toBe(oauthInvalid)
        }
        expect(yield* asked({ headers: { cst: access, "x-security-token": xst } })).toBe(clientInvalid)
        expect(yield* asked({ headers: { cst: xst, "x-security-token": cst } })).toBe(clientInvalid)
        expect(yield* asked({ headers: { cst, "x-security-token": access } })).toBe(
          "401 error.security.account-token-invalid"
        )
        expect(verdict(yield* refresh(access))).toBe(oauthInvalid)
        expect(yield* asked({ headers: { cst, "x-security-token": xst, authorization: "" } })).not.toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("of two sessions are not mixed, and one session's end leaves the other alone", () =>
      Effect.gen(function* () {
        const one = yield* pair
        const two = yield* pair
        const mixed = { cst: one.cst, "x-security-token": two["x-security-token"] }
        expect(yield* asked({ headers: mixed })).toBe("401 error.security.account-token-invalid")
        expect(yield* asked({ method: "DELETE", headers: one })).toBe("204")
        expect(yield* asked({ method: "DELETE", headers: one })).toBe(clientInvalid)
        expect(yield* asked({ headers: two })).toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("of both families in one request: the bearer counts", () =>
      Effect.gen(function* () {
        const { headers } = yield* bearer("SBX02")
        const tokens = yield* pair
        expect((yield* ask({ headers: { ...tokens, ...headers } })).json.get("accountId")).toBe("SBX02")
        yield* TestClock.adjust("1 minute")
        expect(yield* asked({ headers: { ...tokens, ...headers } })).toBe(oauthInvalid)
        expect(yield* asked({ headers: tokens })).toBe("200")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("that are stale do no harm to what needs none: login, refresh, encryption key", () =>
      Effect.gen(function* () {
        const { refreshToken } = yield* bearer()
        const stale = { cst: "stale", "x-security-token": "stale", authorization: "Bearer stale" }
        expect(verdict(yield* login(2, {}, stale))).toBe("200")
        expect(yield* asked({ path: "/session/encryptionKey", headers: stale })).toBe("200")
        const body = { refresh_token: refreshToken }
        expect(yield* asked({ method: "POST", path: "/session/refresh-token", headers: stale, body })).toBe("200")
      }).pipe(Effect.provide(layer()))
    )
  })

  describe(`the order of checks ${form}`, () => {
    it.effect("is the same for every operation: key, verb, tokens, body", () =>
      Effect.gen(function* () {
        const operations = [
          ["POST", "/session"],
          ["GET", "/session"],
          ["PUT", "/session"],
          ["DELETE", "/session"],
          ["POST", "/session/refresh-token"],
          ["GET", "/session/encryptionKey"]
        ] as const
        for (const [method, path] of operations) {
          const body = method === "POST" || method === "PUT" ? { body: "{" } : {}
          const seen = (what: Readonly<Record<string, string>>) => asked({ method, path, headers: what, ...body })
          expect(yield* seen({ "x-ig-api-key": "" })).toBe("400 error.security.api-key-missing")
          expect(yield* seen({ "x-ig-api-key": "x" })).toBe("403 error.security.api-key-invalid")
          expect(yield* asked({ method, path: `${path}/` })).toBe(yield* asked({ method, path }))
        }
        expect(yield* asked({ method: "GET", path: "/session/refresh-token", body: undefined })).toBe("405")
        expect(yield* asked({ method: "POST", path: "/session/encryptionKey", body: "{" })).toBe("405")
        expect(yield* asked({ method: "PUT", body: "{" })).toBe("401 error.security.client-token-missing")
        const headers = yield* pair
        expect(yield* asked({ method: "PUT", headers, body: "{" })).toBe("400 invalid.input")
        expect(yield* asked({ method: "PUT", headers })).toBe("400 validation.null-not-allowed.request")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("takes an identifier of 30 characters and a password of 350, and not one more", () =>
      Effect.gen(function* () {
        const wrong = (body: Readonly<Record<string, string>>) => Effect.map(login(2, body), verdict)
        const pattern = "400 validation.pattern.invalid.authenticationRequest"
        expect(yield* wrong({ identifier: "aZ0_-".repeat(6) })).toBe(refused)
        for (const identifier of ["a".repeat(31), "a@b", "a b", "ä"]) {
          expect(yield* wrong({ identifier })).toBe(`${pattern}.identifier`)
        }
        expect(yield* wrong({ password: "x".repeat(350) })).toBe(refused)
        expect(yield* wrong({ password: "x".repeat(351) })).toBe(`${pattern}.password`)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("takes _method on a POST for the verb, in any case, and a real DELETE without its body", () =>
      Effect.gen(function* () {
        const tunnelled = (_method: string) =>
          Effect.flatMap(pair, (headers) => asked({ method: "POST", headers: { ...headers, _method }, body: {} }))
        for (const verb of ["DELETE", "delete", "Delete"]) expect(yield* tunnelled(verb)).toBe("204")
        expect(yield* tunnelled("PATCH")).toBe("405")
        const headers = yield* pair
        for (const method of ["GET", "PUT", "DELETE"] as const) {
          const leftover = { ...headers, _method: method === "DELETE" ? "PUT" : "DELETE" }
          expect(yield* ask({ method, headers: leftover })).toMatchObject({ status: 405, text: "" })
        }
        expect(yield* asked({ headers })).toBe("200")
        expect(yield* asked({ method: "DELETE", headers, body: { accountId: 3 } })).toBe("204")
        expect((yield* (yield* Sandbox).record).at(-1)?.body).toBeUndefined()
      }).pipe(Effect.provide(layer()))
    )

    it.effect("keeps clients of the platform for shares out, but for Version 3", () =>
      Effect.gen(function* () {
        const shares = "403 error.public-api.failure.stockbroking-not-supported"
        for (const version of [1, 2]) expect(verdict(yield* login(version))).toBe(shares)
        expect(verdict(yield* login(2, { password: "wrong" }))).toBe(refused)
        const opened = yield* login(3)
        expect(opened.json.get("accountId")).toBe("ISA01")
        expect(tokensIn(opened).cst).toBe("")
      }).pipe(
        Effect.provide(
          layer({
            accounts: [
              { accountId: "CFD01", accountType: "CFD" },
              { accountId: "ISA01", accountType: "PHYSICAL", preferred: true }
            ]
          })
        )
      )
    )
  })
}
