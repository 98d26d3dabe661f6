import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { ask, asked, bearer, forms, login, pair, refresh, tokensIn, verdict } from "./utils/raw.ts"

const oauthInvalid = "401 error.security.oauth-token-invalid"
const clientInvalid = "401 error.security.client-token-invalid"
const accountInvalid = "401 error.security.account-token-invalid"

for (const [form, layer] of forms) {
  describe(`the session ${form}`, () => {
    it.effect("checks in IG's order: key, path, verb, tokens, body", () =>
      Effect.gen(function* () {
        const noKey = { "x-ig-api-key": "" }
        const wrongKey = { "x-ig-api-key": "of nobody" }
        expect(yield* asked({ path: "/nowhere", headers: noKey })).toBe("400 error.security.api-key-missing")
        expect(yield* asked({ path: "/nowhere", headers: wrongKey })).toBe("403 error.security.api-key-invalid")
        expect(yield* asked({ path: "/nowhere" })).toBe("404 invalid.url")
        expect(yield* ask({ method: "PATCH" })).toMatchObject({ status: 405, text: "" })
        expect(yield* asked({})).toBe("401 error.security.client-token-missing")
        expect(yield* asked({ headers: { cst: "x" } })).toBe(clientInvalid)
        const { cst } = yield* pair
        expect(yield* asked({ headers: { cst } })).toBe("401 error.security.account-token-missing")
        expect(yield* asked({ headers: { cst, "x-security-token": "x" } })).toBe(accountInvalid)
        expect(yield* asked({ headers: { authorization: "Bearer x" } })).toBe(oauthInvalid)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("logs in under Version 3 with tokens in the body, and none in the headers", () =>
      Effect.gen(function* () {
        const answer = yield* login(3)
        expect(answer.status).toBe(200)
        expect([...answer.json.keys()]).toEqual([
          "clientId",
          "accountId",
          "timezoneOffset",
          "lightstreamerEndpoint",
          "oauthToken"
        ])
        expect(answer.json.get("oauthToken")).toMatchObject({
          expires_in: "60",
          scope: "profile",
          token_type: "Bearer"
        })
        expect(tokensIn(answer)).toEqual({ cst: "", "x-security-token": "" })
        expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/)
      }).pipe(Effect.provide(layer()))
    )

    for (const version of [1, 2, undefined]) {
      it.effect(`logs in under Version ${version ?? "none, which is 1,"} with tokens in the headers`, () =>
        Effect.gen(function* () {
          const { identifier, password } = yield* Sandbox
          const answer = yield* ask({
            method: "POST",
            body: { identifier, password },
            ...(version === undefined ? {} : { version })
          })
          expect([...answer.json.keys()]).toEqual([
            "accountType",
            "accountInfo",
            "currencyIsoCode",
            "currencySymbol",
            "currentAccountId",
            "lightstreamerEndpoint",
            "accounts",
            "clientId",
            "timezoneOffset",
            "hasActiveDemoAccounts",
            "hasActiveLiveAccounts",
            "trailingStopsEnabled",
            "reroutingEnvironment",
            "dealingEnabled"
          ])
          expect(answer.json.get("currentAccountId")).toBe("SBX01")
          expect(yield* asked({ headers: tokensIn(answer) })).toBe("200")
        }).pipe(Effect.provide(layer()))
      )
    }

    it.effect("says what is wrong with a login", () =>
      Effect.gen(function* () {
        const wrong = (body: Readonly<Record<string, unknown>>) => Effect.map(login(2, body), verdict)
        expect(yield* wrong({ password: "wrong" })).toBe("401 error.security.invalid-details")
        expect(yield* wrong({ identifier: "nobody" })).toBe("401 error.security.invalid-details")
        expect(yield* wrong({ identifier: "a.b" })).toBe(
          "400 validation.pattern.invalid.authenticationRequest.identifier"
        )
        expect(yield* wrong({ identifier: "" })).toBe(
          "400 validation.null-not-allowed.authenticationRequest.identifier"
        )
        expect(yield* wrong({ password: null })).toBe("400 validation.null-not-allowed.authenticationRequest.password")
        expect(yield* asked({ method: "POST" })).toBe("400 validation.null-not-allowed.request")
        expect(yield* asked({ method: "POST", body: "[]" })).toBe("400 validation.null-not-allowed.request")
        expect(yield* asked({ method: "POST", body: "{" })).toBe("400 invalid.input")
        expect(verdict(yield* login(9))).toBe("404 invalid.url")
        expect(verdict(yield* login("x"))).toBe("404 invalid.url")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("lets a bearer live 60 seconds, and its refresh token 600 more", () =>
      Effect.gen(function* () {
        const { headers, refreshToken } = yield* bearer()
        yield* TestClock.adjust(59_999)
        expect(yield* asked({ headers })).toBe("200")
        yield* TestClock.adjust(1)
        expect(yield* asked({ headers })).toBe(oauthInvalid)
        yield* TestClock.adjust(600_000 - 1)
        const other = yield* bearer()
        expect(verdict(yield* refresh(refreshToken))).toBe("200")
        yield* TestClock.adjust(660_000)
        expect(verdict(yield* refresh(other.refreshToken))).toBe(oauthInvalid)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("spends a refresh token at once, and leaves the bearer before it alone", () =>
      Effect.gen(function* () {
        const { headers, refreshToken } = yield* bearer()
        const answer = yield* refresh(refreshToken)
        expect([...answer.json.keys()].toSorted()).toEqual([
          "access_token",
          "expires_in",
          "refresh_token",
          "scope",
          "token_type"
        ])
        expect(answer.json.get("refresh_token")).not.toBe(refreshToken)
        expect(verdict(yield* refresh(refreshToken))).toBe(oauthInvalid)
        expect(yield* asked({ headers })).toBe("200")
        const path = "/session/refresh-token"
        expect(yield* asked({ method: "POST", path, body: { refreshToken } })).toBe(
          "400 validation.null-not-allowed.request.refresh_token"
        )
      }).pipe(Effect.provide(layer()))
    )

    it.effect("lets CST live 6 hours unused, and 72 however much it is used", () =>
      Effect.gen(function* () {
        const idle = yield* pair
        yield* TestClock.adjust("6 hours")
        expect(yield* asked({ headers: idle })).toBe(clientInvalid)
        const used = yield* pair
        for (let hours = 5; hours < 72; hours += 5) {
          yield* TestClock.adjust("5 hours")
          expect(yield* asked({ headers: used })).toBe("200")
        }
        yield* TestClock.adjust("2 hours")
        expect(yield* asked({ headers: used })).toBe(clientInvalid)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("gives streaming tokens beside a bearer, for the account in the header, in either case of true", () =>
      Effect.gen(function* () {
        const { headers } = yield* bearer("SBX02")
        for (const flag of ["true", "TRUE", "True"]) {
          const answer = yield* ask({ path: `/session?fetchSessionTokens=${flag}`, headers })
          expect(answer.json.get("accountId")).toBe("SBX02")
          const own = yield* ask({ headers: tokensIn(answer) })
          expect(own.json.get("accountId")).toBe("SBX02")
        }
        expect(tokensIn(yield* ask({ path: "/session?fetchSessionTokens=false", headers })).cst).toBe("")
        expect(yield* asked({ headers })).toBe("200")
        expect(yield* asked({ headers: { ...headers, "ig-account-id": "NONE" } })).toBe(accountInvalid)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("counts the longest life of streaming tokens from when they were given out", () =>
      Effect.gen(function* () {
        const { refreshToken } = yield* bearer()
        yield* TestClock.adjust("2 hours")
        const answer = yield* refresh(refreshToken)
        const headers = { authorization: `Bearer ${String(answer.json.get("access_token"))}`, "ig-account-id": "SBX01" }
        const tokens = tokensIn(yield* ask({ path: "/session?fetchSessionTokens=true", headers }))
        yield* TestClock.adjust("2 hours")
        expect(yield* asked({ headers: tokens })).toBe("200")
        yield* TestClock.adjust("1 hour")
        expect(yield* asked({ headers: tokens })).toBe(clientInvalid)
      }).pipe(Effect.provide(layer({ switches: { cstMax: 3 * 3_600_000, refreshTtl: 24 * 3_600_000 } })))
    )

    it.effect("switches under CST with a new X-SECURITY-TOKEN, and the old one dies", () =>
      Effect.gen(function* () {
        const old = yield* pair
        const put = (accountId: unknown, headers: Readonly<Record<string, string>> = old) =>
          ask({ method: "PUT", version: 1, headers, body: { accountId } })
        const same = yield* put("SBX01")
        expect(verdict(same)).toBe("412 error.switch.accountId-must-be-different")
        expect(tokensIn(same)).toEqual({ cst: "", "x-security-token": "" })
        expect(verdict(yield* put("NONE"))).toBe("400 error.switch.invalid-accountId")
        expect(verdict(yield* put("a_b"))).toBe("400 validation.pattern.invalid.request.accountId")
        expect(verdict(yield* put(null))).toBe("400 validation.null-not-allowed.request.accountId")
        const answer = yield* put("SBX02")
        expect([...answer.json.keys()].toSorted()).toEqual([
          "dealingEnabled",
          "hasActiveDemoAccounts",
          "hasActiveLiveAccounts",
          "trailingStopsEnabled"
        ])
        expect(tokensIn(answer).cst).toBe("")
        expect(yield* asked({ headers: old })).toBe(accountInvalid)
        const fresh = { ...old, "x-security-token": tokensIn(answer)["x-security-token"] }
        expect((yield* ask({ headers: fresh })).json.get("accountId")).toBe("SBX02")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("changes the account of the next login only when it is told to", () =>
      Effect.gen(function* () {
        const active = Effect.map(login(2), ({ json }) => json.get("currentAccountId"))
        const put = (body: unknown) =>
          Effect.flatMap(pair, (headers) => asked({ method: "PUT", version: 1, headers, body }))
        expect(yield* put({ accountId: "SBX02" })).toBe("200")
        expect(yield* active).toBe("SBX01")
        expect(yield* put({ accountId: "SBX02", defaultAccount: true })).toBe("200")
        expect(yield* active).toBe("SBX02")
      }).pipe(Effect.provide(layer()))
    )

    it.effect("logs both families of a session out, by DELETE or by a POST that says so", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const { headers, refreshToken } = yield* bearer()
        const streaming = tokensIn(yield* ask({ path: "/session?fetchSessionTokens=true", headers }))
        const other = yield* pair
        expect(yield* sandbox.liveSessions).toBe(2)
        expect(yield* ask({ method: "DELETE", headers })).toMatchObject({ status: 204, text: "" })
        expect(yield* sandbox.liveSessions).toBe(1)
        expect(yield* asked({ headers })).toBe(oauthInvalid)
        expect(verdict(yield* refresh(refreshToken))).toBe(oauthInvalid)
        expect(yield* asked({ headers: streaming })).toBe(clientInvalid)
        expect(yield* asked({ method: "POST", body: {}, headers: { ...other, _method: "DELETE" } })).toBe("204")
        expect(yield* asked({ headers: other })).toBe(clientInvalid)
        expect(yield* sandbox.liveSessions).toBe(0)
      }).pipe(Effect.provide(layer()))
    )

    it.effect("refuses a leftover _method on a GET as a wrong verb, and takes trailing slashes", () =>
      Effect.gen(function* () {
        const headers = yield* pair
        expect(yield* ask({ headers: { ...headers, _method: "DELETE" } })).toMatchObject({ status: 405, text: "" })
        expect(yield* asked({ path: "/session/", headers })).toBe("200")
        const [, refused] = yield* (yield* Sandbox).record
        expect(refused).toMatchObject({ method: "GET", wireMethod: "GET", status: 405 })
      }).pipe(Effect.provide(layer()))
    )
  })
}
