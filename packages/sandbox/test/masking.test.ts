import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { encrypted } from "./utils/encrypted.ts"
import { inEach, loginOf, type Sent } from "./utils/exchange.ts"
import { ask, bearer, forms, login, pair, refresh } from "./utils/raw.ts"

const key = { "X-IG-API-KEY": "sandbox-api-key" }

/** Every place where a client may put a value, rightly or by mistake. */
const places = (secret: string): Readonly<Record<string, Sent>> => {
  const json = JSON.stringify
  const post = (body: string): Sent => ({ method: "POST", headers: key, body })
  return {
    "its header": { headers: { ...key, CST: secret, "X-SECURITY-TOKEN": secret } },
    "the API key's header": { headers: { "X-IG-API-KEY": secret } },
    "a bearer": { headers: { ...key, Authorization: `Bearer ${secret}` } },
    "a bearer twice": { headers: { ...key, Authorization: `Bearer ${secret}, Bearer ${secret}` } },
    "another scheme": { headers: { ...key, Authorization: `Basic ${secret}` } },
    "the account's header": { headers: { ...key, "IG-ACCOUNT-ID": secret } },
    "the version": { headers: { ...key, Version: secret } },
    "any other header": { headers: { ...key, "User-Agent": `a ${secret} b`, Cookie: `x=${secret}; y=${secret}` } },
    "the path": { path: `/session/${secret}`, headers: key },
    "the query": { path: `/session?fetchSessionTokens=${secret}&other=${secret}`, headers: key },
    "the query, encoded": { path: `/session?x=${secret.replaceAll("-", "%2D").replaceAll("a", "%61")}`, headers: key },
    "its field": post(json({ identifier: "sandbox", password: secret })),
    "the identifier": post(json({ identifier: secret, password: "x" })),
    "a refresh": { ...post(json({ refresh_token: secret })), path: "/session/refresh-token" },
    "a switch": { ...post(json({ accountId: secret })), method: "PUT" },
    "any other field": post(json({ a: { b: [{ c: `before ${secret} after` }] } })),
    "the name of a field": post(json({ a: { [secret]: 1 } })),
    "an escaped text": post(json({ a: secret }).replaceAll("d", String.raw`\u0064`)),
    "a text alone": post(json(secret)),
    "no JSON": post(`password=${secret}`)
  }
}

inEach(({ exchange, layer, name }) => {
  describe(`the record ${name}`, () => {
    it.effect("shows no secret, wherever it is put", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        for (const version of [2, 3]) yield* (yield* exchange(loginOf(sandbox, version))).end
        const tokens = (yield* sandbox.issued).map(({ value }) => value)
        expect(tokens).toHaveLength(4)
        for (const secret of [sandbox.password, sandbox.apiKey, ...tokens]) {
          for (const [place, sent] of Object.entries(places(secret))) {
            const { length } = yield* sandbox.record
            yield* (yield* exchange(sent)).end
            const shown = JSON.stringify((yield* sandbox.record).slice(length))
            expect([place, shown.length > 2, shown.includes(secret)]).toEqual([place, true, false])
          }
        }
      }).pipe(Effect.provide(layer()))
    )

    it.effect("shows no secret that has characters of its own in JSON and patterns", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const { password } = sandbox
        const inJson = JSON.stringify(password).slice(1, -1)
        for (const body of [
          { password },
          { password: [password] },
          { a: `before ${password} after` },
          { [password]: 1 }
        ]) {
          const text = JSON.stringify({ identifier: "sandbox", ...body })
          yield* (yield* exchange({ method: "POST", headers: key, body: text })).end
        }
        yield* (yield* exchange({ headers: key, path: `/session?a=${encodeURIComponent(password)}` })).end
        const record = yield* sandbox.record
        expect(record).toHaveLength(5)
        expect(JSON.stringify(record)).not.toContain(inJson)
        expect(record[0]?.body).toMatchObject({ password: "password:correct" })
      }).pipe(Effect.provide(layer({ password: String.raw`$& .* \d "quoted" <ü€😀>` })))
    )
  })
})

const body = ({ body }: { readonly body: unknown }): unknown => body

for (const [form, layer] of forms) {
  describe(`what is masked ${form}`, () => {
    it.effect("can be compared: a token has one name, a stranger one hash, wherever they are met", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        const { headers, refreshToken } = yield* bearer()
        const tokens = yield* pair
        yield* sandbox.reset
        const strangers = [
          yield* login(2, { password: "one" }),
          yield* login(2, { password: "one" }),
          yield* login(2, { password: "other" })
        ]
        expect(strangers.map(({ status }) => status)).toEqual([401, 401, 401])
        const [one, again, other] = (yield* sandbox.record).map(body)
        expect(again).toEqual(one)
        expect(other).not.toEqual(one)
        // From before the reset: strangers, too, each by the same hash in each place.
        yield* ask({ headers: { cst: tokens.cst, authorization: headers.authorization } })
        yield* ask({ headers: { "x-security-token": tokens.cst } })
        yield* refresh(refreshToken)
        const [, , , both, moved, refreshed] = yield* sandbox.record
        expect(both?.headers["cst"]).toMatch(/^unknown:[0-9a-f]{8}$/)
        expect(both?.headers["authorization"]).toMatch(/^Bearer unknown:[0-9a-f]{8}$/)
        expect(moved?.headers["x-security-token"]).toBe(both?.headers["cst"])
        expect(refreshed?.body).toEqual({ refresh_token: expect.stringMatching(/^unknown:[0-9a-f]{8}$/) })
      }).pipe(Effect.provide(layer()))
    )

    it.effect("says when each request came, in which order, and under which version", () =>
      Effect.gen(function* () {
        const sandbox = yield* Sandbox
        yield* TestClock.setTime(1_795_521_979_363)
        yield* login(3)
        yield* TestClock.adjust("90 seconds")
        yield* ask({ path: "/session/encryptionKey/" })
        yield* ask({ method: "POST", version: "x", headers: { _method: "delete" } })
        expect(yield* sandbox.record).toMatchObject([
          { seq: 1, receivedAt: 1_795_521_979_363, method: "POST", path: "/session", version: 3, status: 200 },
          {
            seq: 2,
            receivedAt: 1_795_522_069_363,
            path: "/session/encryptionKey",
            version: undefined,
            body: undefined
          },
          { seq: 3, method: "DELETE", wireMethod: "POST", version: undefined, status: 401 }
        ])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("is the same for the same seed, though a cipher is not, and tokens of other seeds are others", () =>
      Effect.gen(function* () {
        const life = Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const seen = [yield* encrypted(2), yield* encrypted(2, 0, false), yield* encrypted(3)]
          const record = (yield* sandbox.record).map(({ body, issued, path, receivedAt, seq, status }) => {
            return { seq, receivedAt, path, body, status, issued }
          })
          return { seen, record: JSON.stringify(record), tokens: (yield* sandbox.issued).map(({ value }) => value) }
        })
        const lived = (seed: string) => Effect.withRandom(Effect.provide(life, layer()), Random.make(seed))
        const first = yield* lived("a")
        expect(first.seen).toEqual(["200", "401 error.security.invalid-details", "401 error.security.invalid-details"])
        const second = yield* lived("a")
        expect(second.tokens).toEqual(first.tokens)
        expect(second.record).toBe(first.record)
        expect((yield* lived("b")).tokens).not.toEqual(first.tokens)
      })
    )
  })
}
