import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { gunzipSync } from "node:zlib"
import { layer, Sandbox } from "@effect-ig/sandbox/Sandbox"
import { byNode, loginOf, type Seen, type Sent } from "./utils/exchange.ts"

const asked = (sent: Sent) => Effect.flatMap(byNode(sent), ({ end }) => end)

const textOf = ({ body }: Seen): string => body.toString("utf8")

const header = ({ headers }: Seen, name: string): string => headers.find(([found]) => found === name)?.[1] ?? ""

const endpoint = "https://demo-apd.marketdatasystems.com"
const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
const key = { "X-IG-API-KEY": "sandbox-api-key" }

/** The whole text, in which `*` stands for a UUID. */
const whole = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll(/[.?+^$()[\]{}|\\]/g, String.raw`\$&`).replaceAll("*", uuid)}$`)

const oauth = '{"access_token":"*","refresh_token":"*","scope":"profile","token_type":"Bearer","expires_in":"60"}'

const text3 =
  `{"clientId":"100000001","accountId":"SBX01","timezoneOffset":1,"lightstreamerEndpoint":"${endpoint}",` +
  `"oauthToken":${oauth}}`

const text2 =
  '{"accountType":"CFD","accountInfo":{"balance":10000,"deposit":0,"profitLoss":0,"available":10000},' +
  '"currencyIsoCode":"GBP","currencySymbol":"£","currentAccountId":"SBX01",' +
  `"lightstreamerEndpoint":"${endpoint}","accounts":[` +
  '{"accountId":"SBX01","accountName":"CFD account","preferred":true,"accountType":"CFD"},' +
  '{"accountId":"SBX02","accountName":"SPREADBET account","preferred":false,"accountType":"SPREADBET"}],' +
  '"clientId":"100000001","timezoneOffset":1,"hasActiveDemoAccounts":true,"hasActiveLiveAccounts":false,' +
  '"trailingStopsEnabled":false,"reroutingEnvironment":null,"dealingEnabled":true}'

const pair = Effect.gen(function* () {
  const answer = yield* asked(loginOf(yield* Sandbox, 2))
  return { CST: header(answer, "CST"), "X-SECURITY-TOKEN": header(answer, "X-SECURITY-TOKEN") }
})

it.effect("a login under Version 3 is answered with these bytes, and JSON alone in the headers", () =>
  Effect.gen(function* () {
    const answer = yield* asked(loginOf(yield* Sandbox, 3))
    expect(textOf(answer)).toMatch(whole(text3))
    expect(header(answer, "content-type")).toBe("application/json; charset=UTF-8")
    expect(header(answer, "content-length")).toBe(String(answer.body.length))
    expect(answer.headers.map(([name]) => name.toLowerCase())).not.toContain("cst")
  }).pipe(Effect.provide(layer()))
)

for (const version of [1, 2]) {
  it.effect(`a login under Version ${version} is answered with these bytes, and tokens in the headers`, () =>
    Effect.gen(function* () {
      const answer = yield* asked(loginOf(yield* Sandbox, version))
      expect(textOf(answer)).toBe(text2)
      expect(header(answer, "CST")).toMatch(/^[0-9a-f]{62}CC01116$/)
      expect(header(answer, "X-SECURITY-TOKEN")).toMatch(/^[0-9a-f]{62}CD01116$/)
      expect(header(answer, "X-REQUEST-ID")).toMatch(new RegExp(`^${uuid}$`))
    }).pipe(Effect.provide(layer()))
  )
}

it.effect("what is read, switched, refreshed and logged out is answered with these bytes", () =>
  Effect.gen(function* () {
    const tokens = yield* pair
    const read = yield* asked({ headers: { ...key, ...tokens } })
    expect(textOf(read)).toBe(
      '{"clientId":"100000001","accountId":"SBX01","timezoneOffset":1,"locale":"en_GB","currency":"GBP",' +
        `"lightstreamerEndpoint":"${endpoint}"}`
    )
    const switched = yield* asked({
      method: "PUT",
      headers: { ...key, ...tokens, Version: "1" },
      body: '{"accountId":"SBX02","defaultAccount":false}'
    })
    expect(textOf(switched)).toBe(
      '{"trailingStopsEnabled":false,"dealingEnabled":true,"hasActiveDemoAccounts":true,"hasActiveLiveAccounts":false}'
    )
    const fresh = { ...tokens, "X-SECURITY-TOKEN": header(switched, "X-SECURITY-TOKEN") }
    const out = yield* asked({ method: "DELETE", headers: { ...key, ...fresh, Version: "1" } })
    expect(out).toMatchObject({ status: 204, end: "whole" })
    expect(textOf(out)).toBe("")
    expect(out.headers.map(([name]) => name.toLowerCase())).not.toContain("content-type")
    const opened = yield* asked(loginOf(yield* Sandbox, 3))
    const token = /"refresh_token":"([^"]+)"/.exec(textOf(opened))?.[1]
    const refreshed = yield* asked({
      method: "POST",
      path: "/session/refresh-token",
      headers: key,
      body: JSON.stringify({ refresh_token: token })
    })
    expect(textOf(refreshed)).toMatch(whole(oauth))
  }).pipe(Effect.provide(layer()))
)

it.effect("the encryption key is an RSA key of 2048 bits, with the time of the clock as a number", () =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1_795_521_979_363)
    const answer = yield* asked({ path: "/session/encryptionKey", headers: key })
    expect(textOf(answer)).toMatch(
      /^\{"encryptionKey":"MIIBIjAN[A-Za-z0-9+/]{383}[A-Za-z0-9+/=]","timeStamp":1795521979363\}$/
    )
  }).pipe(Effect.provide(layer()))
)

it.effect("an error is compact JSON with the code alone, gzipped for those who offer it", () =>
  Effect.gen(function* () {
    const same = { method: "PUT", body: '{"accountId":"SBX01"}' } as const
    const headers = { ...key, ...(yield* pair) }
    const plain = yield* asked({ ...same, headers })
    expect(plain.status).toBe(412)
    expect(textOf(plain)).toBe('{"errorCode":"error.switch.accountId-must-be-different"}')
    expect(header(plain, "content-encoding")).toBe("")
    const zipped = yield* asked({ ...same, headers: { ...headers, "Accept-Encoding": "gzip, deflate, br" } })
    expect(header(zipped, "content-encoding")).toBe("gzip")
    expect(header(zipped, "content-length")).toBe(String(zipped.body.length))
    expect(gunzipSync(zipped.body)).toEqual(plain.body)
  }).pipe(Effect.provide(layer()))
)

it.effect("a wrong verb has no body at all, gzip offered or not", () =>
  Effect.gen(function* () {
    for (const offer of [{}, { "accept-encoding": "gzip" }]) {
      const answer = yield* asked({ method: "PATCH", headers: { ...key, ...offer } })
      expect(answer).toMatchObject({ status: 405, end: "whole" })
      expect(answer.body).toHaveLength(0)
      expect(header(answer, "content-encoding")).toBe("")
    }
  }).pipe(Effect.provide(layer()))
)

it.effect("the names of headers, and the word of the bearer, count in any case", () =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const status = (headers: Readonly<Record<string, string>>) => Effect.map(asked({ headers }), ({ status }) => status)
    const tokens = yield* pair
    const opened = textOf(yield* asked(loginOf(sandbox, 3)))
    const access = /"access_token":"([^"]+)"/.exec(opened)?.[1] ?? ""
    for (const spelt of [(name: string) => name.toLowerCase(), (name: string) => name.toUpperCase()]) {
      const own = { [spelt("x-ig-api-key")]: sandbox.apiKey, [spelt("Version")]: "1" }
      const cst = { [spelt("cst")]: tokens.CST, [spelt("X-Security-Token")]: tokens["X-SECURITY-TOKEN"] }
      expect(yield* status({ ...own, ...cst })).toBe(200)
      const account = { [spelt("Ig-Account-Id")]: "SBX02" }
      for (const word of ["Bearer", "bearer", "BEARER"]) {
        expect(yield* status({ ...own, ...account, [spelt("Authorization")]: `${word} ${access}` })).toBe(200)
      }
      const login = yield* asked({
        ...loginOf(sandbox),
        headers: { [spelt("X-Ig-Api-Key")]: sandbox.apiKey, [spelt("version")]: "2" }
      })
      expect(textOf(login)).toBe(text2)
      const spare = yield* pair
      const method = { [spelt("_Method")]: spelt("delete") }
      const out = { method: "POST", body: "{}", headers: { ...key, ...spare, ...method } } as const
      expect((yield* asked(out)).status).toBe(204)
      expect(yield* status({ ...key, ...spare })).toBe(401)
    }
  }).pipe(Effect.provide(layer()))
)

it.effect("fetch, which knows nothing of all this, goes through a life", () =>
  Effect.gen(function* () {
    const { apiKey, baseUrl, identifier, password } = yield* Sandbox
    const go = (path: string, init: RequestInit, headers: Readonly<Record<string, string>> = {}) =>
      Effect.promise(async () => {
        const response = await fetch(`${baseUrl}${path}`, { ...init, headers: { "x-ig-api-key": apiKey, ...headers } })
        const own = (name: string) => response.headers.get(name) ?? ""
        return { status: response.status, encoding: own("content-encoding"), text: await response.text(), own }
      })
    const post = { method: "POST", body: JSON.stringify({ identifier, password }) }
    const opened = yield* go("/session", post, { version: "2" })
    expect(opened.text).toBe(text2)
    expect(opened.encoding).toBe("gzip")
    const old = { cst: opened.own("CST"), "x-security-token": opened.own("X-SECURITY-TOKEN") }
    const put = { method: "PUT", body: '{"accountId":"SBX02"}' }
    const switched = yield* go("/session/", put, old)
    expect(switched.status).toBe(200)
    expect((yield* go("/session", {}, old)).text).toBe('{"errorCode":"error.security.account-token-invalid"}')
    const fresh = { ...old, "x-security-token": switched.own("x-security-token") }
    expect((yield* go("/session?fetchSessionTokens=TRUE", {}, fresh)).own("cst")).toBe(old.cst)
    expect(yield* go("/session", { method: "DELETE" }, fresh)).toMatchObject({ status: 204, text: "" })
    expect((yield* go("/session", {}, fresh)).text).toBe('{"errorCode":"error.security.client-token-invalid"}')
  }).pipe(Effect.provide(layer()))
)
