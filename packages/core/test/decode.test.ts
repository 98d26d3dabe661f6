/** What IG's 2xx answers become: lenient in what only informs, strict in what a session is made of. */
import type { Credentials } from "@effect-ig/core/Credentials"
import { AuthError, DecodeError, type IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import {
  type Answer,
  attempt,
  oauthSession,
  ok,
  type Operation,
  refused,
  type Reply,
  signedOut,
  tokenSession
} from "./utils/answers.ts"

type Body = Readonly<Record<string, unknown>>

/** The body with something else at `oauthToken.expires_in`; `undefined` leaves the field out. */
const put = (body: Body, path: string, value: unknown): Body => {
  const [key = "", ...rest] = path.split(".")
  const inner = body[key]
  return {
    ...body,
    [key]: rest.length === 0 ? value : put(Predicate.isRecord(inner) ? inner : {}, rest.join("."), value)
  }
}

/** In the open, so that it can be read what differs. */
const plain = (value: unknown): unknown => {
  if (Redacted.isRedacted(value)) return Redacted.value(value)
  if (Option.isOption(value)) return plain(Option.getOrNull(value))
  return Predicate.isRecord(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
    : value
}

const succeeded = <A>(exit: Exit.Exit<A, unknown>): unknown => {
  if (Exit.isSuccess(exit)) return plain(exit.value)
  throw new Error(`expected success: ${inspect(exit)}`)
}

const failed = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isFailure(exit) && exit.cause._tag === "Fail") return exit.cause.error
  throw new Error(`expected a failure: ${inspect(exit)}`)
}

const everyPrint = (error: unknown): string =>
  [String(error), JSON.stringify(error), inspect(error, { depth: null, showHidden: true })].join("\n")

interface Call<A = unknown> {
  readonly operation: Operation<A>
  readonly session: SessionState.Session
  readonly headers: Readonly<Record<string, string>>
}

const answered = (call: Call, body: Body, reply: Reply = {}) =>
  attempt(call.operation, call.session, () => ({ ...ok(body, call.headers), ...reply }))

const secrets = ["new-access-token", "new-refresh-token", "new-cst", "new-security-token"] as const
const [accessToken, refreshToken, cst, securityToken] = secrets

const tokenHeaders = { CST: cst, "X-SECURITY-TOKEN": securityToken }

interface Documented extends Call {
  /** As IG sends it. */
  readonly body: Body
  /** Without any of these, and with null in their place, there is no session. */
  readonly required: ReadonlyArray<string>
  /** These only inform: IG may send null, or nothing. */
  readonly informative: ReadonlyArray<string>
  /** What comes of the whole answer, and of the least that will do. */
  readonly whole: unknown
  readonly least: unknown
}

const accounts = [
  { accountId: "ABC12", accountName: "CFD", accountAlias: null, preferred: true, accountType: "CFD", balance: null },
  { accountId: "XYZ34", accountName: " Spread bet", preferred: false, accountType: "SPREADBET" }
]

const endpoint = "https://demo-apd.marketdatasystems.com"

const oauth = {
  _tag: "OAuthSession",
  accountId: "ABC12",
  clientId: "100000001",
  lightstreamerEndpoint: null,
  loggedInBy: "login",
  accessToken,
  refreshToken,
  issuedAt: 0,
  expiresAt: 60_000,
  streamingTokens: null,
  switchesByHeader: false
}

const flags = {
  trailingStopsEnabled: true,
  dealingEnabled: true,
  hasActiveDemoAccounts: true,
  hasActiveLiveAccounts: false
}

const details = { clientId: "100000001", accountId: "ABC12" }

const detailsBody = {
  ...details,
  timezoneOffset: 1,
  locale: "en_GB",
  currency: "GBP",
  lightstreamerEndpoint: endpoint
}

const documented: Readonly<Record<string, Documented>> = {
  "a Version 3 login": {
    operation: Session.login,
    session: tokenSession,
    headers: {},
    body: {
      clientId: "100000001",
      accountId: "ABC12",
      timezoneOffset: 0,
      lightstreamerEndpoint: endpoint,
      oauthToken: {
        access_token: accessToken,
        refresh_token: refreshToken,
        scope: "profile",
        token_type: "Bearer",
        expires_in: "60"
      }
    },
    required: [
      "clientId",
      "accountId",
      "oauthToken",
      "oauthToken.access_token",
      "oauthToken.refresh_token",
      "oauthToken.expires_in"
    ],
    informative: [
      "timezoneOffset",
      "lightstreamerEndpoint",
      "accountType",
      "currencyIsoCode",
      "locale",
      "oauthToken.scope",
      "oauthToken.token_type"
    ],
    whole: { ...oauth, lightstreamerEndpoint: endpoint },
    least: oauth
  },
  "a Version 2 login": {
    operation: Session.loginV2,
    session: oauthSession,
    headers: tokenHeaders,
    body: {
      accountType: "CFD",
      accountInfo: { balance: 0.0, deposit: 0.0, profitLoss: 0.0, available: 0.0 },
      currencyIsoCode: "EUR",
      currencySymbol: "E",
      currentAccountId: "ABC12",
      lightstreamerEndpoint: endpoint,
      accounts,
      clientId: "100000001",
      timezoneOffset: 1,
      hasActiveDemoAccounts: true,
      hasActiveLiveAccounts: true,
      trailingStopsEnabled: false,
      reroutingEnvironment: null,
      dealingEnabled: true
    },
    required: ["clientId", "currentAccountId"],
    informative: [
      "accountType",
      "accountInfo",
      "currencyIsoCode",
      "currencySymbol",
      "lightstreamerEndpoint",
      "accounts",
      "timezoneOffset",
      "hasActiveDemoAccounts",
      "hasActiveLiveAccounts",
      "trailingStopsEnabled",
      "reroutingEnvironment",
      "dealingEnabled",
      "authenticationStatus",
      "formDetails"
    ],
    whole: {
      _tag: "TokenSession",
      accountId: "ABC12",
      clientId: "100000001",
      lightstreamerEndpoint: endpoint,
      loggedInBy: "loginV2",
      cst,
      securityToken
    },
    least: {
      _tag: "TokenSession",
      accountId: "ABC12",
      clientId: "100000001",
      lightstreamerEndpoint: null,
      loggedInBy: "loginV2",
      cst,
      securityToken
    }
  },
  "a refresh": {
    operation: Session.refresh,
    session: oauthSession,
    headers: {},
    body: {
      access_token: accessToken,
      refresh_token: refreshToken,
      scope: "profile",
      token_type: "Bearer",
      expires_in: "60"
    },
    required: ["access_token", "refresh_token", "expires_in"],
    informative: ["scope", "token_type"],
    whole: { ...oauth, streamingTokens: plain(oauthSession.streamingTokens) },
    least: { ...oauth, streamingTokens: plain(oauthSession.streamingTokens) }
  },
  "reading the session": {
    operation: Session.read(),
    session: oauthSession,
    headers: {},
    body: detailsBody,
    required: ["clientId", "accountId"],
    informative: ["timezoneOffset", "locale", "currency", "lightstreamerEndpoint"],
    whole: detailsBody,
    least: details
  },
  "reading it with tokens": {
    operation: Session.read({ fetchTokens: true }),
    session: oauthSession,
    headers: tokenHeaders,
    body: detailsBody,
    required: ["clientId", "accountId"],
    informative: ["timezoneOffset", "locale", "currency", "lightstreamerEndpoint"],
    whole: detailsBody,
    least: details
  },
  "a switch under CST": {
    operation: Session.switchAccount("XYZ34"),
    session: tokenSession,
    headers: tokenHeaders,
    body: flags,
    required: [],
    informative: Object.keys(flags),
    whole: { _tag: "Switched", accountId: "XYZ34", ...flags },
    least: { _tag: "Switched", accountId: "XYZ34" }
  },
  "a switch under OAuth": {
    operation: Session.switchAccount("XYZ34"),
    session: oauthSession,
    headers: {},
    body: flags,
    required: [],
    informative: Object.keys(flags),
    whole: { _tag: "Switched", accountId: "XYZ34", ...flags },
    least: { _tag: "Switched", accountId: "XYZ34" }
  },
  "the encryption key": {
    operation: Session.encryptionKey,
    session: signedOut,
    headers: {},
    body: { encryptionKey: "MIIBIjANBgkqhkiG9w0B", timeStamp: 1_691_573_827_381 },
    required: ["encryptionKey", "timeStamp"],
    informative: [],
    whole: { encryptionKey: "MIIBIjANBgkqhkiG9w0B", timeStamp: 1_691_573_827_381 },
    least: { encryptionKey: "MIIBIjANBgkqhkiG9w0B", timeStamp: 1_691_573_827_381 }
  }
}

const leastOf = ({ body, informative }: Documented): Body =>
  informative.reduce((left, path) => put(left, path, undefined), body)

for (const [name, call] of Object.entries(documented)) {
  describe(`the answer to ${name}`, () => {
    it.effect("is taken as IG sends it", () =>
      Effect.gen(function* () {
        const { exit } = yield* answered(call, call.body)
        expect(succeeded(exit)).toEqual(call.whole)
      })
    )

    it.effect("is taken at the documented minimum", () =>
      Effect.gen(function* () {
        const { exit } = yield* answered(call, leastOf(call))
        expect(succeeded(exit)).toEqual(call.least)
      })
    )

    it.effect("may hold null in place of whatever only informs", () =>
      Effect.gen(function* () {
        const body = call.informative.reduce((left, path) => put(left, path, null), call.body)
        const { exit } = yield* answered(call, body)
        expect(succeeded(exit)).toEqual(call.least)
      })
    )

    it.effect("may hold fields that nobody knows", () =>
      Effect.gen(function* () {
        const paths = ["somethingNew", "__proto__", "constructor", "oauthToken2", "accessToken"]
        const body = paths.reduce((left, path) => put(left, path, { expires_in: "1", clientId: "2" }), call.body)
        const nested = "oauthToken" in body ? put(body, "oauthToken.somethingNew", [1]) : body
        const { exit } = yield* answered(call, nested)
        expect(succeeded(exit)).toEqual(call.whole)
      })
    )

    for (const path of call.required) {
      it.effect(`fails without ${path}, names it, and leaves the session as it was`, () =>
        Effect.gen(function* () {
          for (const value of [undefined, null, "", [], {}, true]) {
            // An object is no fault of `oauthToken` but of the first thing that it should hold.
            const at = path === "oauthToken" && Predicate.isRecord(value) ? "oauthToken.access_token" : path
            const { after, before, exit } = yield* answered(call, put(call.body, path, value))
            const error = failed(exit)
            expect(error).toBeInstanceOf(DecodeError)
            expect(error).toMatchObject({ paths: expect.arrayContaining([at]) })
            expect(after).toBe(before)
            for (const secret of secrets) expect(everyPrint(error)).not.toContain(secret)
          }
        })
      )
    }
  })
}

describe("an answer's numbers and texts", () => {
  const login = documented["a Version 3 login"]
  const loginV2 = documented["a Version 2 login"]
  const read = documented["reading the session"]
  if (login === undefined || loginV2 === undefined || read === undefined) throw new Error("no such answer")

  it.effect("may be numbers where ids are texts", () =>
    Effect.gen(function* () {
      const v3 = yield* answered(login, { ...login.body, clientId: 100_000_001, accountId: 12_345 })
      expect(succeeded(v3.exit)).toMatchObject({ clientId: "100000001", accountId: "12345" })
      const v2 = yield* answered(loginV2, { ...loginV2.body, clientId: 100_000_001, currentAccountId: 12_345 })
      expect(succeeded(v2.exit)).toMatchObject({ clientId: "100000001", accountId: "12345" })
      const details = yield* answered(read, { ...read.body, clientId: 100_000_001, accountId: 12_345, locale: 7 })
      expect(succeeded(details.exit)).toMatchObject({ clientId: "100000001", accountId: "12345", locale: "7" })
    })
  )

  it.effect("may be texts where hours are numbers, and fractions of an hour", () =>
    Effect.gen(function* () {
      for (const [sent, hours] of [
        ["1", 1],
        ["-3.5", -3.5],
        [5.75, 5.75],
        [0, 0]
      ] as const) {
        const { exit } = yield* answered(read, { ...read.body, timezoneOffset: sent })
        expect(succeeded(exit)).toMatchObject({ timezoneOffset: hours })
      }
    })
  )

  it.effect("may be empty where they only inform", () =>
    Effect.gen(function* () {
      for (const call of [login, loginV2]) {
        const { exit } = yield* answered(call, { ...call.body, lightstreamerEndpoint: "", reroutingEnvironment: "" })
        expect(succeeded(exit)).toMatchObject({ lightstreamerEndpoint: null })
      }
      const { exit } = yield* answered(read, { ...read.body, lightstreamerEndpoint: "", locale: "", currency: "" })
      expect(succeeded(exit)).toEqual({ ...details, timezoneOffset: 1 })
    })
  )

  it.effect("may be members that no list of IG's has", () =>
    Effect.gen(function* () {
      const v2 = yield* answered(loginV2, {
        ...loginV2.body,
        accountType: "CRYPTO",
        reroutingEnvironment: "MARS",
        authenticationStatus: "DREAMING",
        accounts: [{ accountId: 7, accountType: "CRYPTO" }]
      })
      expect(succeeded(v2.exit)).toEqual(loginV2.whole)
      const v3 = yield* answered(login, put(login.body, "oauthToken.token_type", "DPoP"))
      expect(succeeded(v3.exit)).toEqual(login.whole)
      const details = yield* answered(read, { ...read.body, locale: "tlh", currency: "XTS" })
      expect(succeeded(details.exit)).toMatchObject({ locale: "tlh", currency: "XTS" })
    })
  )

  it.effect("are no ids when no header could hold them", () =>
    Effect.gen(function* () {
      for (const accountId of ["ABC 12", "ABC12\r\nCST: mine", "ÄBC12"]) {
        const { after, before, exit } = yield* answered(login, { ...login.body, accountId })
        expect(failed(exit)).toMatchObject({ _tag: "DecodeError", paths: ["accountId"] })
        expect(after).toBe(before)
      }
    })
  )

  for (const [sent, timeStamp] of [
    ["1691573827381", 1_691_573_827_381],
    ['"1691573827381"', 1_691_573_827_381],
    ['" 1691573827381 "', 1_691_573_827_381]
  ] as const) {
    it.effect(`take a timeStamp of ${sent}`, () =>
      Effect.gen(function* () {
        const body = `{"encryptionKey":"MIIB","timeStamp":${sent}}`
        const { exit } = yield* attempt(Session.encryptionKey, signedOut, () => ({ body }))
        expect(succeeded(exit)).toEqual({ encryptionKey: "MIIB", timeStamp })
      })
    )
  }

  for (const sent of ["null", '""', '"today"', "true", "1e999", '"NaN"', "[1691573827381]"]) {
    it.effect(`refuse a timeStamp of ${sent}`, () =>
      Effect.gen(function* () {
        const body = `{"encryptionKey":"MIIB","timeStamp":${sent}}`
        const { exit } = yield* attempt(Session.encryptionKey, signedOut, () => ({ body }))
        expect(failed(exit)).toMatchObject({ _tag: "DecodeError", paths: ["timeStamp"] })
      })
    )
  }
})

describe("expires_in", () => {
  const day = 86_400

  const loggedIn = (sent: string) =>
    attempt(Session.login, tokenSession, () => ({
      body: `{"clientId":"1","accountId":"A","oauthToken":{"access_token":"a","refresh_token":"r","expires_in":${sent}}}`
    }))

  const refreshed = (sent: string) =>
    attempt(Session.refresh, oauthSession, () => ({
      body: `{"access_token":"a","refresh_token":"r","expires_in":${sent}}`
    }))

  const believed = [
    ['"60"', 60],
    ["60", 60],
    ['"60.5"', 60.5],
    ["0.001", 0.001],
    [String(day), day],
    [String(day + 1), day],
    ["1e9", day],
    ['"1000000000"', day]
  ] as const

  for (const [sent, seconds] of believed) {
    it.effect(`of ${sent} is ${seconds} seconds`, () =>
      Effect.gen(function* () {
        expect(succeeded((yield* loggedIn(sent)).exit)).toMatchObject({ expiresAt: seconds * 1000 })
        expect(succeeded((yield* refreshed(sent)).exit)).toMatchObject({ expiresAt: seconds * 1000 })
      })
    )
  }

  const refusedLifetimes = ["0", '"0"', "-0", "-60", '"-60"', '"abc"', '"60s"', '""', '" "', "null", "true", '"NaN"']

  for (const sent of [...refusedLifetimes, '"Infinity"', "1e999", "[60]", '{"seconds":60}']) {
    it.effect(`of ${sent} is refused, and leaves the session as it was`, () =>
      Effect.gen(function* () {
        const login = yield* loggedIn(sent)
        expect(failed(login.exit)).toMatchObject({ _tag: "DecodeError", paths: ["oauthToken.expires_in"] })
        expect(login.after).toBe(login.before)
        const refresh = yield* refreshed(sent)
        expect(failed(refresh.exit)).toMatchObject({ _tag: "DecodeError", paths: ["expires_in"] })
        expect(refresh.after).toBe(refresh.before)
      })
    )
  }

  /** Answers after five seconds, of which a bearer's life is that much shorter here. */
  const slow = (reply: Reply) => () => Effect.delay(Effect.succeed(reply), "5 seconds")

  const bearer = { access_token: "a", refresh_token: "r", expires_in: "60" }

  it.effect("counts from before the request was sent, not from when the answer came", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1000 seconds")
      const calls = [
        [Session.login, { clientId: "1", accountId: "A", oauthToken: bearer }],
        [Session.refresh, bearer]
      ] as const
      for (const [operation, body] of calls) {
        const sentAt = yield* Clock.currentTimeMillis
        const fiber = yield* Effect.fork(attempt<SessionState.OAuthSession>(operation, oauthSession, slow(ok(body))))
        yield* TestClock.adjust("5 seconds")
        const { after, exit } = yield* Fiber.join(fiber)
        expect(succeeded(exit)).toMatchObject({ expiresAt: sentAt + 60_000 })
        expect(after).toMatchObject({ expiresAt: sentAt + 60_000 })
      }
    })
  )
})

describe("tokens in a body", () => {
  const paths = { access_token: "oauthToken.access_token", refresh_token: "oauthToken.refresh_token" } as const

  for (const [field, path] of Object.entries(paths)) {
    it.effect(`are refused at ${path} when no header could hold them, and are not printed`, () =>
      Effect.gen(function* () {
        for (const token of [
          "planted\ntoken",
          "planted\r\ntoken",
          "planted token",
          "planted-tökén",
          "planted\u0000token"
        ]) {
          const bearer = { access_token: "a", refresh_token: "r", expires_in: "60", [field]: token }
          const login = yield* attempt(Session.login, tokenSession, () =>
            ok({ clientId: "1", accountId: "A", oauthToken: bearer })
          )
          expect(failed(login.exit)).toMatchObject({ _tag: "DecodeError", paths: [path] })
          expect(everyPrint(failed(login.exit))).not.toContain("planted")
          expect(login.after).toBe(login.before)
          const refresh = yield* attempt(Session.refresh, oauthSession, () => ok(bearer))
          expect(failed(refresh.exit)).toMatchObject({ _tag: "DecodeError", paths: [field] })
          expect(everyPrint(failed(refresh.exit))).not.toContain("planted")
          expect(refresh.after).toBe(refresh.before)
        }
      })
    )
  }
})

describe("tokens in headers", () => {
  const calls = {
    "a Version 2 login": {
      operation: Session.loginV2,
      session: oauthSession,
      body: { clientId: "1", currentAccountId: "A" }
    },
    "reading with tokens under OAuth": {
      operation: Session.read({ fetchTokens: true }),
      session: oauthSession,
      body: details
    },
    "reading with tokens under CST": {
      operation: Session.read({ fetchTokens: true }),
      session: tokenSession,
      body: details
    }
  }

  const streaming = SessionState.streamingTokens

  /** CST and X-SECURITY-TOKEN of the session after the operation. */
  const after = <A>(operation: Operation<A>, session: SessionState.Session, answer: Answer) =>
    Effect.map(
      attempt(Effect.zipRight(operation, streaming), session, () => answer),
      ({ exit }) => succeeded(exit)
    )

  const missing = [
    [{}, ["headers.cst", "headers.x-security-token"]],
    [{ CST: cst }, ["headers.x-security-token"]],
    [{ "X-SECURITY-TOKEN": securityToken }, ["headers.cst"]],
    [{ CST: "", "X-SECURITY-TOKEN": securityToken }, ["headers.cst"]],
    [{ CST: cst, "X-SECURITY-TOKEN": " \t" }, ["headers.x-security-token"]]
  ] as const

  const bad = {
    "two different ones": "planted-a, planted-b",
    "three, two of them the same": "planted-a, planted-a, planted-b",
    "one with a line break": "planted-a\nplanted-b",
    "one with a header of its own": "planted-a\r\nX-OTHER: planted-b",
    "one that ends in a line break": "planted-a\n",
    "one behind a no-break space": "\u00a0planted-a",
    "one with a blank": "planted-a planted-b",
    "one that is not ASCII": "planted-ä"
  }

  for (const [name, { body, operation, session }] of Object.entries(calls)) {
    describe(`of ${name}`, () => {
      it.effect("are taken once when IG sent them twice", () =>
        Effect.gen(function* () {
          for (const twice of [`${cst}, ${cst}`, `${cst},${cst}`, ` ${cst} , ${cst},${cst}`]) {
            const headers = { cst: twice, "x-security-token": `${securityToken}, ${securityToken}` }
            expect(yield* after<unknown>(operation, session, ok(body, headers))).toEqual({ cst, securityToken })
          }
        })
      )

      it.effect("are named when they are missing or empty, and the session is as it was", () =>
        Effect.gen(function* () {
          for (const [headers, paths] of missing) {
            const tried = yield* attempt<unknown>(operation, session, () => ok(body, headers))
            const error = failed(tried.exit)
            expect(error).toBeInstanceOf(AuthError)
            expect(error).toMatchObject({ reason: "tokens-missing", paths })
            for (const secret of secrets) expect(everyPrint(error)).not.toContain(secret)
            expect(tried.after).toBe(tried.before)
          }
        })
      )

      for (const [what, value] of Object.entries(bad)) {
        it.effect(`are refused, not printed and not stored: ${what}`, () =>
          Effect.gen(function* () {
            for (const header of ["cst", "x-security-token"]) {
              const headers = { cst, "x-security-token": securityToken, [header]: value }
              const answer = { ...ok(body, headers), odd: true }
              const tried = yield* attempt<unknown>(operation, session, () => answer)
              const error = failed(tried.exit)
              expect(error).toBeInstanceOf(DecodeError)
              expect(error).toMatchObject({ paths: [`headers.${header}`] })
              expect(everyPrint(error)).not.toContain("planted")
              expect(tried.after).toBe(tried.before)
            }
          })
        )
      }
    })
  }

  describe("of a switch", () => {
    const to = Session.switchAccount("XYZ34")
    const old = {
      cst: Redacted.value(tokenSession.cst),
      securityToken: Redacted.value(tokenSession.securityToken)
    }

    const switched = (answer: Answer) => attempt(to, tokenSession, () => answer)

    it.effect("replace those that IG gave anew, and no others", () =>
      Effect.gen(function* () {
        expect(yield* after(to, tokenSession, ok(flags, tokenHeaders))).toEqual({ cst, securityToken })
        expect(yield* after(to, tokenSession, ok(flags, { "x-security-token": securityToken }))).toEqual({
          ...old,
          securityToken
        })
        expect(yield* after(to, tokenSession, ok(flags, { cst }))).toEqual({ ...old, cst })
        expect(yield* after(to, tokenSession, ok(flags))).toEqual(old)
      })
    )

    it.effect("are taken once when IG sent them twice", () =>
      Effect.gen(function* () {
        const headers = { "x-security-token": `${securityToken}, ${securityToken}` }
        expect(yield* after(to, tokenSession, ok(flags, headers))).toEqual({ ...old, securityToken })
      })
    )

    it.effect("are kept though the body is no JSON, since IG has killed the old ones", () =>
      Effect.gen(function* () {
        for (const body of ["", "<html>", "[]", "null", JSON.stringify({ dealingEnabled: "yes" })]) {
          const { after, exit } = yield* switched({ body, headers: { "x-security-token": securityToken } })
          expect(succeeded(exit)).toEqual({ _tag: "Switched", accountId: "XYZ34" })
          expect(plain(after)).toMatchObject({ accountId: "XYZ34", securityToken, cst: old.cst })
        }
      })
    )

    it.effect("and a body are not both missing from an answer of IG's", () =>
      Effect.gen(function* () {
        for (const body of ["", "<html>", "[]"]) {
          const { after, before, exit } = yield* switched({ body })
          expect(failed(exit)).toMatchObject({
            _tag: "DecodeError",
            paths: ["headers.x-security-token", "body"]
          })
          expect(after).toBe(before)
        }
      })
    )

    for (const [what, value] of Object.entries(bad)) {
      it.effect(`are refused, not printed and not stored: ${what}`, () =>
        Effect.gen(function* () {
          for (const header of ["cst", "x-security-token"]) {
            const { after, before, exit } = yield* switched({ ...ok(flags, { [header]: value }), odd: true })
            expect(failed(exit)).toMatchObject({ _tag: "DecodeError", paths: [`headers.${header}`] })
            expect(everyPrint(failed(exit))).not.toContain("planted")
            expect(after).toBe(before)
          }
        })
      )
    }
  })
})

describe("an answer that is no use leaves the session as it was", () => {
  const calls: Readonly<
    Record<string, readonly [Effect.Effect<unknown, IgError, Session.Ig | Credentials>, SessionState.Session]>
  > = {
    "a Version 3 login while signed out": [Session.login, signedOut],
    "a Version 3 login on top of a CST session": [Session.login, tokenSession],
    "a Version 3 login on top of an OAuth session": [Session.login, oauthSession],
    "a Version 2 login while signed out": [Session.loginV2, signedOut],
    "a Version 2 login on top of a CST session": [Session.loginV2, tokenSession],
    "a Version 2 login on top of an OAuth session": [Session.loginV2, oauthSession],
    "a refresh": [Session.refresh, oauthSession],
    "reading with tokens under CST": [Session.read({ fetchTokens: true }), tokenSession],
    "reading with tokens under OAuth": [Session.read({ fetchTokens: true }), oauthSession],
    "a switch under CST": [Session.switchAccount("XYZ34"), tokenSession],
    "a switch under OAuth": [Session.switchAccount("XYZ34"), oauthSession],
    "a switch of the default account": [Session.switchAccount("XYZ34", { defaultAccount: true }), oauthSession]
  }

  const useless: Readonly<Record<string, Answer>> = {
    "a token refusal": refused(401, "error.security.oauth-token-invalid"),
    "a refusal of who we are": refused(401, "error.security.invalid-details"),
    "a spent allowance": refused(403, "error.public-api.exceeded-api-key-allowance"),
    "a plain-text refusal": { status: 403, body: "puredeal:err:(none):403 Access forbidden!" },
    "a failure at IG's": refused(500, "system.error"),
    "a redirect": { status: 302, headers: { location: "https://elsewhere.example/" } },
    "a broken connection": "lost",
    "no body": { body: "" },
    "no content": { status: 204 },
    "a page of some proxy": { body: "<html></html>" },
    "half a body": { body: '{"clientId":"1","acc' },
    "a list": { body: "[]" },
    "a text": { body: '"ok"' },
    null: { body: "null" }
  }

  for (const [name, [operation, session]] of Object.entries(calls)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        for (const [what, answer] of Object.entries(useless)) {
          const { after, before, exit } = yield* attempt(operation, session, () => answer)
          expect([what, Exit.isFailure(exit), after === before]).toEqual([what, true, true])
        }
      })
    )
  }

  it.effect("and is told apart: a 2xx without JSON is a DecodeError at the body", () =>
    Effect.gen(function* () {
      for (const body of ["", "<html></html>", '{"clientId":"1","acc', "[]", '"ok"', "null", "7"]) {
        for (const operation of [Session.login, Session.refresh, Session.read(), Session.encryptionKey]) {
          const { exit } = yield* attempt<unknown>(operation, oauthSession, () => ({ body }))
          expect(failed(exit)).toMatchObject({ _tag: "DecodeError", paths: ["body"] })
        }
      }
    })
  )
})

describe("logging out", () => {
  it.effect("takes any 2xx, whatever its body", () =>
    Effect.gen(function* () {
      for (const reply of [
        { status: 204 },
        { body: "" },
        { body: "{}" },
        { body: "<html></html>" },
        { status: 202, body: "[" }
      ]) {
        const { after, exit } = yield* attempt(Session.logout, tokenSession, () => reply)
        expect(succeeded(exit)).toBeUndefined()
        expect(after._tag).toBe("SignedOut")
      }
    })
  )
})
