/** What an answer of IG's means to the caller: by exact code, by prefix, by status, and by what the call does. */
import { Action, ApiError, type IgError, isAuth, isRateLimited, isTransient } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import {
  type Answer,
  attempt,
  oauthSession,
  ok,
  type Operation,
  refused,
  signedOut,
  tokenSession
} from "./utils/answers.ts"
import { runs } from "./utils/effort.ts"

const Row = Schema.Tuple(
  Schema.String,
  Schema.Array(Schema.Int),
  Action,
  Schema.Union(Action, Schema.Literal("already-active")),
  Schema.NullOr(Schema.String),
  Schema.Boolean
)

const Unclaimed = Schema.Tuple(Schema.String, Schema.Array(Schema.Int), Action, Action, Schema.String)

const sections = ["session", "account", "allowances", "generic", "validation"] as const

const table = Schema.decodeUnknownSync(
  Schema.parseJson(
    Schema.Struct({
      session: Schema.Array(Row),
      account: Schema.Array(Row),
      allowances: Schema.Array(Row),
      generic: Schema.Array(Row),
      validation: Schema.Array(Row),
      underOAuth: Schema.Array(Row),
      unclaimed: Schema.Array(Unclaimed)
    })
  )
)(readFileSync(new URL("./codes.json", import.meta.url), "utf8"))

const rows = sections.flatMap((section) => table[section])

/** A switch that also sets the default account: under a bearer, IG's refusal of any other has a second try by header. */
const families = [
  { family: "CST", session: tokenSession, mutation: Session.switchAccount("XYZ34") },
  { family: "OAuth", session: oauthSession, mutation: Session.switchAccount("XYZ34", { defaultAccount: true }) }
] as const

const failureOf = (exit: Exit.Exit<unknown, unknown>): Option.Option<unknown> =>
  Exit.isFailure(exit) && exit.cause._tag === "Fail" ? Option.some(exit.cause.error) : Option.none()

/** The `ApiError` that the operation ends with, or its success. */
const outcome = (operation: Operation<unknown>, session: Parameters<typeof attempt>[1], answer: Answer) =>
  Effect.map(
    attempt(operation, session, () => answer),
    ({ exit }): ApiError | { readonly succeeded: unknown } => {
      if (Exit.isSuccess(exit)) return { succeeded: exit.value }
      const error = Option.getOrUndefined(failureOf(exit))
      if (error instanceof ApiError) return error
      throw new Error(`expected an ApiError: ${Cause.pretty(exit.cause)}`)
    }
  )

/** Both families read and switch against the same answer. */
const everywhere = (answer: Answer) =>
  Effect.forEach(families, ({ family, mutation, session }) =>
    Effect.gen(function* () {
      const read = yield* outcome(Session.read(), session, answer)
      const mutated = yield* outcome(mutation, session, answer)
      return { family, read, mutation: mutated }
    })
  )

const actionOf = (end: ApiError | { readonly succeeded: unknown }): unknown =>
  end instanceof ApiError ? end.action : end.succeeded

const actions = (answer: Answer) =>
  Effect.map(everywhere(answer), (ends) =>
    ends.map(({ family, mutation, read }) => ({ family, read: actionOf(read), mutation: actionOf(mutation) }))
  )

const inBoth = (read: unknown, mutation: unknown = read) => families.map(({ family }) => ({ family, read, mutation }))

const errors = (answer: Answer) =>
  Effect.map(everywhere(answer), (ends) =>
    ends.flatMap(({ mutation, read }) => [read, mutation]).filter((end) => end instanceof ApiError)
  )

const summary = (error: ApiError, hint: string | null) => ({
  status: error.status,
  errorCode: error.errorCode,
  action: error.action,
  hint: hint === null || (error.hint ?? "").toLowerCase().includes(hint.toLowerCase()),
  isAuth: isAuth(error),
  isRateLimited: isRateLimited(error),
  isTransient: isTransient(error)
})

const describeEnd = (end: ApiError | { readonly succeeded: unknown }, hint: string | null) =>
  end instanceof ApiError ? summary(end, hint) : end.succeeded

const expected = ([code, , , , , auth]: typeof Row.Type, status: number, action: Action) => ({
  status,
  errorCode: code,
  action,
  hint: true,
  isAuth: auth || status === 401,
  isRateLimited: action === "wait",
  isTransient: action === "wait" || action === "retry" || action === "query"
})

/** What nobody gives a status for means the same at any. */
const statusesOf = (status: ReadonlyArray<number>): ReadonlyArray<number> =>
  status.length > 0 ? status : [400, 401, 403]

describe("the table of codes", () => {
  it("has 78 codes, each once", () => {
    expect(sections.map((section) => table[section].length)).toEqual([24, 17, 4, 9, 24])
    expect(new Set(rows.map(([code]) => code)).size).toBe(78)
    expect(table.underOAuth.length).toBe(2)
    expect(table.unclaimed.length).toBe(10)
  })

  for (const row of rows) {
    const [code, status] = row
    it.effect(code, () =>
      Effect.gen(function* () {
        for (const at of statusesOf(status)) {
          for (const { family, mutation, read } of yield* everywhere(refused(at, code))) {
            const ours = (family === "OAuth" && table.underOAuth.find(([other]) => other === code)) || row
            const [, , onRead, onMutation, hint] = ours
            const switched =
              onMutation === "already-active"
                ? { _tag: "AlreadyActive", accountId: "XYZ34" }
                : expected(ours, at, onMutation)
            expect({ family, read: describeEnd(read, hint), switched: describeEnd(mutation, hint) }).toEqual({
              family,
              read: expected(ours, at, onRead),
              switched
            })
          }
        }
      })
    )
  }

  for (const [code, status, read, mutation] of table.unclaimed) {
    for (const at of status) {
      it.effect(`nobody vouches for ${code}: at ${at} it falls back`, () =>
        Effect.gen(function* () {
          expect(yield* actions(refused(at, code))).toEqual(inBoth(read, mutation))
        })
      )
    }
  }
})

describe("a code that nobody knows", () => {
  const unknown = "error.some.code.of.tomorrow"

  it.effect("passes through untouched, with the request id that IG's support asks for", () =>
    Effect.gen(function* () {
      const answer = { ...refused(400, unknown), headers: { "X-REQUEST-ID": "request-7" } }
      const found = yield* errors(answer)
      expect(found.map(({ errorCode, requestId }) => ({ errorCode, requestId }))).toEqual(
        Array.from({ length: 4 }, () => ({ errorCode: unknown, requestId: "request-7" }))
      )
    })
  )

  it.effect("of 401 is for a human, and is never renewed", () =>
    Effect.gen(function* () {
      for (const code of [unknown, "error.security.something", "error.security.account-token-expired"]) {
        expect(yield* actions(refused(401, code))).toEqual(inBoth("human"))
      }
    })
  )

  it.effect("of 401 that speaks of authentication is not repeated: failed logins lock the account", () =>
    Effect.gen(function* () {
      const answer = refused(401, "service.security.authentication.failure-of-some-other-kind")
      expect(yield* actions(answer)).toEqual(inBoth("human"))
      expect(actionOf(yield* outcome(Session.login, signedOut, answer))).toBe("human")
    })
  )

  it.effect("of 403 is for a human, and is no allowance", () =>
    Effect.gen(function* () {
      expect(yield* actions(refused(403, unknown))).toEqual(inBoth("human"))
      expect((yield* errors(refused(403, unknown))).map(isRateLimited)).toEqual([false, false, false, false])
    })
  )

  it.effect("of 5xx leaves the outcome of a mutation open", () =>
    Effect.gen(function* () {
      for (const status of [500, 502, 503, 504, 599]) {
        expect(yield* actions(refused(status, unknown))).toEqual(inBoth("retry", "query"))
      }
    })
  )

  it.effect("of 429 waits", () =>
    Effect.gen(function* () {
      expect(yield* actions(refused(429, unknown))).toEqual(inBoth("wait"))
    })
  )

  it.effect("of 400, 404, 409 or 412 is the caller's to fix", () =>
    Effect.gen(function* () {
      for (const status of [400, 404, 409, 412]) {
        expect(yield* actions(refused(status, unknown))).toEqual(inBoth("fix"))
      }
    })
  )

  it.effect("is taken by its prefix where IG ends a code in a field or an account's state", () =>
    Effect.gen(function* () {
      const families = {
        "validation.some-new-rule.request.level": [400, "fix"],
        "invalid.request.someField": [400, "fix"],
        "Invalid parameter=HOUR_7": [400, "fix"],
        "error.switch.some-new-reason": [400, "fix"],
        "error.public-api.exceeded-some-new-allowance": [403, "wait"],
        "error.public-api.failure.some-new-state": [403, "human"],
        "error.security.api-key-on-holiday": [403, "human"],
        "error.security.account-on-holiday": [403, "human"],
        "authentication.failure.some-new-reason": [401, "human"],
        "unauthorised.some-new-reason": [403, "human"]
      } as const
      for (const [code, [status, action]] of Object.entries(families)) {
        expect([code, ...(yield* actions(refused(status, code)))]).toEqual([code, ...inBoth(action)])
      }
    })
  )

  it.effect("that is a name of JavaScript's own is a code like any other", () =>
    Effect.gen(function* () {
      for (const code of ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"]) {
        expect([code, ...(yield* actions(refused(400, code)))]).toEqual([code, ...inBoth("fix")])
        expect((yield* errors(refused(400, code))).map(({ errorCode }) => errorCode)).toEqual([code, code, code, code])
      }
    })
  )

  it.effect("of a megabyte is kept whole, and makes no message of a megabyte", () =>
    Effect.gen(function* () {
      const long = "x".repeat(1 << 20)
      for (const error of yield* errors(refused(400, long))) {
        expect(error.errorCode?.length).toBe(long.length)
        expect(error.message.length).toBeLessThan(1000)
      }
    })
  )
})

describe("an answer without a code", () => {
  const forbidden = { status: 403, body: "puredeal:err:(none):403 Access forbidden!" }

  it.effect("of 401 is for a human, and is never renewed", () =>
    Effect.gen(function* () {
      expect(yield* actions({ status: 401 })).toEqual(inBoth("human"))
      expect((yield* errors({ status: 401 })).map(isAuth)).toEqual([true, true, true, true])
    })
  )

  it.effect("of 403 is for a human, and is no allowance", () =>
    Effect.gen(function* () {
      expect(yield* actions({ status: 403, body: "{}" })).toEqual(inBoth("human"))
      expect((yield* errors({ status: 403, body: "{}" })).map(({ hint }) => hint)).toEqual(
        Array.from({ length: 4 }, () => expect.stringContaining("not an allowance"))
      )
    })
  )

  it.effect("of 403 in plain text, as IG's gateway gives it, is for a human", () =>
    Effect.gen(function* () {
      expect(yield* actions(forbidden)).toEqual(inBoth("human"))
      for (const error of yield* errors(forbidden)) {
        expect(error).toMatchObject({ status: 403, errorCode: undefined })
        expect(error.message).toContain("403 without an error code")
      }
    })
  )

  it.effect("of 405, which IG sends empty, is the wrong verb", () =>
    Effect.gen(function* () {
      expect(yield* actions({ status: 405 })).toEqual(inBoth("fix"))
      expect((yield* errors({ status: 405 })).map(({ hint }) => hint)).toEqual(
        Array.from({ length: 4 }, () => expect.stringContaining("verb"))
      )
    })
  )

  it.effect("of 408 or 5xx leaves the outcome of a mutation open", () =>
    Effect.gen(function* () {
      for (const status of [408, 500, 502, 503, 504]) {
        expect(yield* actions({ status, body: "<html>Bad gateway</html>" })).toEqual(inBoth("retry", "query"))
      }
    })
  )

  it.effect("of 429 waits", () =>
    Effect.gen(function* () {
      expect(yield* actions({ status: 429 })).toEqual(inBoth("wait"))
      expect((yield* errors({ status: 429 })).map(isRateLimited)).toEqual([true, true, true, true])
    })
  )

  it.effect("of 3xx is a wrong address, since redirects are not followed", () =>
    Effect.gen(function* () {
      for (const status of [300, 301, 302, 303, 307, 308]) {
        const answer = { status, headers: { location: "https://elsewhere.example/" } }
        expect(yield* actions(answer)).toEqual(inBoth("fix"))
        expect((yield* errors(answer)).map(({ hint }) => hint)).toEqual(
          Array.from({ length: 4 }, () => expect.stringContaining("Redirects"))
        )
      }
      expect(yield* actions({ status: 304 })).toEqual(inBoth("fix"))
    })
  )

  it.effect("of status 0, which a browser makes of a redirect, is a wrong address", () =>
    Effect.gen(function* () {
      expect(yield* actions({ status: 0, odd: true })).toEqual(inBoth("fix"))
      expect((yield* errors({ status: 0, odd: true })).map(({ hint }) => hint)).toEqual(
        Array.from({ length: 4 }, () => expect.stringContaining("Redirects"))
      )
    })
  )

  it.effect("of 1xx says nothing of the outcome", () =>
    Effect.gen(function* () {
      for (const status of [100, 101, 103]) {
        expect(yield* actions({ status, odd: true })).toEqual(inBoth("retry", "query"))
      }
    })
  )

  it.effect("of 400 or 404 is the caller's to fix", () =>
    Effect.gen(function* () {
      for (const status of [400, 404]) expect(yield* actions({ status })).toEqual(inBoth("fix"))
    })
  )

  it.effect("is one whose errorCode is empty or no text", () =>
    Effect.gen(function* () {
      for (const code of ["", null, 7, true, ["a"], { code: "a" }]) {
        expect((yield* errors(refused(403, code))).map(({ errorCode }) => errorCode)).toEqual(
          Array.from({ length: 4 }, () => undefined)
        )
      }
    })
  )
})

describe("any answer whatever", () => {
  const seed = Number(process.env["CLASSIFY_SEED"] ?? Math.floor(Math.random() * 0x7fffffff))

  const reads = [Session.read(), Session.encryptionKey] as const

  const mutations: ReadonlyArray<Operation<unknown>> = [
    Session.login,
    Session.loginV2,
    Session.refresh,
    Session.read({ fetchTokens: true }),
    Session.switchAccount("XYZ34"),
    Session.switchAccount("XYZ34", { defaultAccount: true }),
    Session.logout
  ]

  const text = FastCheck.oneof(
    FastCheck.string(),
    FastCheck.string({ unit: "binary" }),
    FastCheck.constantFrom(
      "__proto__",
      "constructor",
      "\ud800",
      "a\udc00b",
      "\u0000",
      "1e9",
      "60",
      "-1",
      "NaN",
      "a, a"
    ),
    FastCheck.constantFrom(...rows.map(([code]) => code))
  )

  const nested = FastCheck.tuple(FastCheck.integer({ min: 1, max: 20_000 }), FastCheck.boolean()).map(
    ([depth, isArray]) =>
      isArray ? "[".repeat(depth) + "]".repeat(depth) : '{"a":'.repeat(depth) + "1" + "}".repeat(depth)
  )

  const json = FastCheck.oneof(
    { weight: 20, arbitrary: FastCheck.json() },
    { weight: 10, arbitrary: text.map((value) => JSON.stringify(value)) },
    { weight: 3, arbitrary: nested }
  )

  /** Objects with the fields that we read, so that answers get as far as they can before they fail. */
  const fields = FastCheck.dictionary(
    FastCheck.oneof(
      FastCheck.constantFrom("errorCode", "clientId", "accountId", "currentAccountId", "encryptionKey", "timeStamp"),
      FastCheck.constantFrom(
        "access_token",
        "refresh_token",
        "expires_in",
        "oauthToken",
        "timezoneOffset",
        "__proto__"
      ),
      FastCheck.constantFrom("lightstreamerEndpoint", "dealingEnabled", "locale")
    ),
    json,
    { noNullPrototype: false }
  ).map(
    (found) =>
      `{${Object.entries(found)
        .map(([key, value]) => `${JSON.stringify(key)}:${value}`)
        .join(",")}}`
  )

  const body = FastCheck.oneof(
    { weight: 30, arbitrary: text.map((errorCode) => JSON.stringify({ errorCode })) },
    { weight: 20, arbitrary: json },
    { weight: 30, arbitrary: fields },
    { weight: 10, arbitrary: fields.map((found) => `{"clientId":"1","accountId":"A","oauthToken":${found}}`) },
    { weight: 15, arbitrary: FastCheck.uint8Array({ maxLength: 200 }) },
    { weight: 5, arbitrary: FastCheck.uint8Array().map((bytes) => new Uint8Array([0x1f, 0x8b, ...bytes])) },
    { weight: 3, arbitrary: FastCheck.constant("") },
    {
      weight: 1,
      arbitrary: FastCheck.string({ maxLength: 4 }).map((part) =>
        JSON.stringify({ errorCode: part.padEnd(1 << 20, "x\ud800") })
      )
    }
  )

  const answers = FastCheck.record({
    status: FastCheck.oneof(FastCheck.integer({ min: 100, max: 599 }), FastCheck.constantFrom(200, 401, 403, 500)),
    headers: FastCheck.dictionary(
      FastCheck.constantFrom("cst", "x-security-token", "x-request-id", "content-type", "content-encoding"),
      text,
      { noNullPrototype: false }
    ),
    body: FastCheck.option(body, { nil: undefined, freq: 20 }),
    read: FastCheck.constantFrom(...reads),
    mutation: FastCheck.constantFrom(...mutations),
    session: FastCheck.constantFrom(tokenSession, oauthSession)
  })

  const tags: ReadonlySet<string> = new Set<IgError["_tag"]>([
    "ApiError",
    "AuthError",
    "DecodeError",
    "NotSentError",
    "TransportError"
  ])

  const tokenCodes = new Set(rows.filter(([, , read]) => read === "renew").map(([code]) => code))

  /** What went wrong with the way an operation ended, if anything did. */
  const complaint = (exit: Exit.Exit<unknown, unknown>, status: number): string | undefined => {
    if (Exit.isSuccess(exit)) return undefined
    if (exit.cause._tag !== "Fail") return `no failure but ${Cause.pretty(exit.cause).slice(0, 500)}`
    const error = exit.cause.error
    if (!(error instanceof Error) || !("_tag" in error) || typeof error._tag !== "string" || !tags.has(error._tag)) {
      return "none of the five errors"
    }
    if (error.message.length > 1000) return "a message without end"
    if (!(error instanceof ApiError)) return undefined
    if (status >= 200 && status < 300) return "an ApiError at 2xx"
    if (error.status !== status) return "another status"
    if (error.action === "renew" && !tokenCodes.has(error.errorCode ?? "")) return "renewal for no token code"
    return undefined
  }

  it("ends in success or in one of the five errors, never in a defect", async () => {
    process.stdout.write(`any answer whatever: CLASSIFY_SEED=${seed}\n`)
    let cases = 0
    const property = FastCheck.asyncProperty(answers, async ({ body, headers, mutation, read, session, status }) => {
      cases += 1
      const answer: Answer = { status, headers, ...(body === undefined ? undefined : { body }), odd: true }
      for (const operation of [read, mutation]) {
        const { exit } = await Effect.runPromise(attempt(operation, session, () => answer))
        expect(complaint(exit, status)).toBeUndefined()
      }
    })
    // A counterexample of a megabyte tells no more than its beginning.
    await FastCheck.check(property, { seed, numRuns: runs(1000) }).then((details) => {
      if (details.failed) throw new Error(FastCheck.defaultReportMessage(details)?.slice(0, 4000))
    })
    expect(cases).toBe(runs(1000))
  }, 120_000)

  it.effect("may be nested however deep", () =>
    Effect.gen(function* () {
      const deep = `${"[".repeat(1 << 15)}${"]".repeat(1 << 15)}`
      for (const body of [deep, `{"errorCode":${deep}}`, `{"clientId":${deep},"accountId":"A"}`]) {
        for (const status of [200, 401]) {
          for (const operation of [...reads, ...mutations]) {
            const { exit } = yield* attempt(operation, oauthSession, () => ({ status, body }))
            expect(complaint(exit, status)).toBeUndefined()
          }
        }
      }
    })
  )

  it.effect("to a refresh is the answer to one request", () =>
    Effect.gen(function* () {
      for (const status of [200, 302, 401, 403, 429, 500, 503]) {
        const { asked } = yield* attempt(Session.refresh, oauthSession, () => ({ ...ok({}), status }))
        expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
          "POST /gateway/deal/session/refresh-token"
        ])
      }
    })
  )
})
