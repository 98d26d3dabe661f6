/** Mistakes that clients of IG's have made, each put back once by hand to see its test go red. */
import * as IgConfig from "@effect-ig/core/IgConfig"
import { ApiError, AuthError, isAuth, isRateLimited, TransportError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import type * as SessionState from "@effect-ig/core/SessionState"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import {
  type Answer,
  type Asked,
  attempt,
  oauthSession,
  ok,
  refused,
  signedOut,
  tokenSession
} from "./utils/answers.ts"

const errorOf = (exit: Exit.Exit<unknown, unknown>): unknown => {
  if (Exit.isFailure(exit) && exit.cause._tag === "Fail") return exit.cause.error
  throw new Error(`expected a failure: ${inspect(exit)}`)
}

const details = { clientId: "100000001", accountId: "ABC12" }
const bearer = { access_token: "new-access-token", refresh_token: "new-refresh-token", expires_in: "60" }

describe("reading with tokens", () => {
  it.effect("does not succeed when the answer carries none, or one of the two", () =>
    Effect.gen(function* () {
      for (const headers of [{}, { cst: "a-new-cst" }, { "x-security-token": "a-new-xst" }]) {
        for (const session of [tokenSession, oauthSession]) {
          const read = Session.read({ fetchTokens: true })
          const { after, before, exit } = yield* attempt(read, session, () => ok(details, headers))
          expect(errorOf(exit)).toBeInstanceOf(AuthError)
          expect(errorOf(exit)).toMatchObject({ operation: "session.read", reason: "tokens-missing" })
          expect(after).toBe(before)
        }
      }
    })
  )

  it.effect("asks for them in the query, where IG looks", () =>
    Effect.gen(function* () {
      const headers = { cst: "a-new-cst", "x-security-token": "a-new-xst" }
      const read = Session.read({ fetchTokens: true })
      const { asked, exit } = yield* attempt(read, oauthSession, () => ok(details, headers))
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(asked.map(({ body, method, path }) => ({ body, method, path }))).toEqual([
        { body: undefined, method: "GET", path: "/gateway/deal/session?fetchSessionTokens=true" }
      ])
    })
  )
})

describe("the predicates of errors", () => {
  /** As both a read and a mutation give it. */
  const errorsOf = (status: number, code: string) =>
    Effect.forEach([Session.read(), Session.switchAccount("XYZ34")], (operation) =>
      Effect.map(
        attempt<unknown>(operation, tokenSession, () => refused(status, code)),
        ({ exit }) => {
          const error = errorOf(exit)
          if (error instanceof ApiError) return error
          throw new Error(`expected an ApiError: ${inspect(error)}`)
        }
      )
    )

  it.effect("know each of IG's allowances as a limit of rate, which is 403 and not a matter of rights", () =>
    Effect.gen(function* () {
      for (const code of [
        "error.public-api.exceeded-api-key-allowance",
        "error.public-api.exceeded-account-allowance",
        "error.public-api.exceeded-account-trading-allowance",
        "error.public-api.exceeded-account-historical-data-allowance"
      ]) {
        const errors = yield* errorsOf(403, code)
        expect([code, ...errors.map(isRateLimited)]).toEqual([code, true, true])
        expect([code, ...errors.map(isAuth)]).toEqual([code, false, false])
      }
    })
  )

  it.effect("know every dead token, the account's too, as a matter of who we are", () =>
    Effect.gen(function* () {
      for (const code of [
        "error.security.client-token-missing",
        "error.security.client-token-invalid",
        "error.security.account-token-missing",
        "error.security.account-token-invalid",
        "error.security.oauth-token-invalid"
      ]) {
        const errors = yield* errorsOf(401, code)
        expect([code, ...errors.map(isAuth)]).toEqual([code, true, true])
        expect([code, ...errors.map(isRateLimited)]).toEqual([code, false, false])
      }
    })
  )

  it.effect("know a refused key, a locked login and a suspended account as a matter of who we are", () =>
    Effect.gen(function* () {
      for (const [status, code] of [
        [401, "error.security.invalid-details"],
        [401, "error.security.too-many-failed-attempts"],
        [403, "error.security.api-key-invalid"],
        [400, "error.security.api-key-missing"],
        [403, "endpoint.unavailable.for.api-key"],
        [401, "error.security.account-suspended"],
        [403, "error.public-api.failure.kyc.required"],
        [403, "error.public-api.failure.stockbroking-not-supported"],
        [401, "authentication.failure.not-a-client-account"]
      ] as const) {
        expect([code, ...(yield* errorsOf(status, code)).map(isAuth)]).toEqual([code, true, true])
      }
    })
  )

  it.effect("take no failure at IG's for a refusal of who we are, though it happened while authenticating", () =>
    Effect.gen(function* () {
      for (const [status, code] of [
        [504, "error.security.authentication.timeout"],
        [500, "error.security.get.session.timeout"],
        [500, "system.error"],
        [403, "unauthorised.access.to.equity.exception"]
      ] as const) {
        expect([code, ...(yield* errorsOf(status, code)).map(isAuth)]).toEqual([code, false, false])
      }
    })
  )
})

describe("logging out", () => {
  it.effect("succeeds when IG says by 401 that the session is over already", () =>
    Effect.gen(function* () {
      for (const session of [tokenSession, oauthSession]) {
        for (const code of ["error.security.client-token-invalid", "error.security.oauth-token-invalid", undefined]) {
          const { after, asked, exit } = yield* attempt(Session.logout, session, () => refused(401, code))
          expect(Exit.isSuccess(exit)).toBe(true)
          expect(after._tag).toBe("SignedOut")
          expect(asked.length).toBe(1)
        }
      }
    })
  )

  it.effect("reports any other failure, and the session has ended here all the same", () =>
    Effect.gen(function* () {
      for (const [answer, expected] of [
        [refused(500, "system.error"), { _tag: "ApiError", status: 500, action: "query" }],
        [refused(403, "error.public-api.exceeded-api-key-allowance"), { _tag: "ApiError", action: "wait" }],
        [
          { status: 403, body: "puredeal:err:(none):403 Access forbidden!" },
          { _tag: "ApiError", status: 403 }
        ],
        [{ status: 405 }, { _tag: "ApiError", status: 405 }],
        ["lost", { _tag: "TransportError", reason: "connection-lost" }]
      ] as const) {
        for (const session of [tokenSession, oauthSession]) {
          const { after, exit } = yield* attempt(Session.logout, session, () => answer)
          expect(errorOf(exit)).toMatchObject({ operation: "session.logout", ...expected })
          expect(after._tag).toBe("SignedOut")
        }
      }
    })
  )

  it.effect("reports that no answer came, and the session has ended here all the same", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(attempt(Session.logout, tokenSession, () => Effect.never))
      yield* TestClock.adjust("30 seconds")
      const { after, exit } = yield* Fiber.join(fiber)
      expect(errorOf(exit)).toBeInstanceOf(TransportError)
      expect(errorOf(exit)).toMatchObject({ reason: "timeout", mayHaveExecuted: true })
      expect(after._tag).toBe("SignedOut")
    })
  )
})

describe("an address without TLS", () => {
  const baseUrl = (environment: string) =>
    Either.map(IgConfig.make({ environment, apiKey: Redacted.make("key") }), (config) => config.baseUrl)

  it("is taken on loopback", () => {
    expect(
      [
        "http://localhost:8080/gateway/deal/",
        "HTTP://LOCALHOST:8080/gateway/deal",
        "http://127.0.0.1:8080/gateway/deal",
        "http://127.8.9.10:8080",
        "http://127.1:8080",
        "http://[::1]:8080/gateway/deal"
      ].map((environment) => Either.getOrNull(baseUrl(environment)))
    ).toEqual([
      "http://localhost:8080/gateway/deal",
      "http://localhost:8080/gateway/deal",
      "http://127.0.0.1:8080/gateway/deal",
      "http://127.8.9.10:8080",
      "http://127.0.0.1:8080",
      "http://[::1]:8080/gateway/deal"
    ])
  })

  it("is refused anywhere else, however it is spelt", () => {
    const refused = [
      "http://demo-api.ig.com/gateway/deal",
      "http://api.ig.com/gateway/deal",
      "HTTP://API.IG.COM/gateway/deal",
      "http://0.0.0.0:8080",
      "http://10.0.0.1",
      "http://192.168.1.10:8080",
      "http://[::]:8080",
      "http://[::2]:8080",
      "http://128.0.0.1",
      "http://localhost.example.com",
      "http://127.0.0.1.example.com",
      "http://127.0.0.1%2eexample.com",
      "http://my-localhost",
      "http://localhost@example.com",
      "http:\\\\example.com",
      " http://example.com"
    ].filter((environment) => Either.isRight(baseUrl(environment)))
    expect(refused).toEqual([])
  })

  it("is refused with the reason", () => {
    expect(Either.flip(baseUrl("http://api.ig.com")).pipe(Either.map(String), Either.getOrNull)).toContain(
      "in clear; it is for loopback only"
    )
  })

  it("is refused whatever else goes over wires in clear, and user names and queries are, too", () => {
    const taken = ["ws://localhost", "ftp://localhost", "file:///etc", "data:,x", "localhost:8080", "demo.ig.com", ""]
    const dressed = ["https://me:secret@api.ig.com", "https://api.ig.com/?key=1", "https://api.ig.com/#x"]
    expect([...taken, ...dressed].filter((environment) => Either.isRight(baseUrl(environment)))).toEqual([])
  })

  it("is never the default: that is IG's demo, over TLS", () => {
    const config = IgConfig.make({ apiKey: Redacted.make("key") })
    expect(Either.getOrNull(Either.map(config, ({ baseUrl }) => baseUrl))).toBe("https://demo-api.ig.com/gateway/deal")
  })
})

describe("tokens of an older session", () => {
  const family = ["cst", "x-security-token", "authorization", "ig-account-id"]

  const carried = (asked: ReadonlyArray<Asked>) =>
    asked.map(({ headers, method, path }) => ({
      call: `${method} ${path.replace("/gateway/deal", "")}`,
      tokens: Object.keys(headers).filter((name) => family.includes(name.toLowerCase()))
    }))

  /** A gateway that refuses a login which carries anything of an older session, as IG was seen to do. */
  const gateway = ({ headers, path }: Asked): Answer => {
    if (family.some((name) => name in headers)) return refused(401, "error.security.client-token-invalid")
    if (path.endsWith("/encryptionKey")) return ok({ encryptionKey: "MIIB", timeStamp: 1 })
    if (path.endsWith("/refresh-token")) return ok(bearer)
    return ok(
      { clientId: "100000001", accountId: "ABC12", currentAccountId: "ABC12", oauthToken: bearer },
      { CST: "a-new-cst", "X-SECURITY-TOKEN": "a-new-xst" }
    )
  }

  const cipher = { encrypt: () => Effect.succeed(Redacted.make("sealed-password")) }
  const withCipher = Effect.provideService(PasswordCipher, cipher)

  const logins = {
    "a Version 3 login": [Session.login, ["POST /session"]],
    "a Version 2 login": [Session.loginV2, ["POST /session"]],
    "an encrypted Version 3 login": [
      withCipher(Session.loginWithEncryption),
      ["GET /session/encryptionKey", "POST /session"]
    ],
    "an encrypted Version 2 login": [
      withCipher(Session.loginV2WithEncryption),
      ["GET /session/encryptionKey", "POST /session"]
    ]
  } as const

  const onTopOf = { "signed out": signedOut, "a CST session": tokenSession, "an OAuth session": oauthSession }

  for (const [name, [login, calls]] of Object.entries(logins)) {
    it.effect(`do not go along with ${name}, which IG would refuse for them`, () =>
      Effect.gen(function* () {
        for (const session of Object.values(onTopOf)) {
          const { after, asked, exit } = yield* attempt<SessionState.SignedIn>(login, session, gateway)
          expect(Exit.isSuccess(exit)).toBe(true)
          expect(carried(asked)).toEqual(calls.map((call) => ({ call, tokens: [] })))
          expect(after).not.toBe(session)
        }
      })
    )
  }

  it.effect("do not go along with a refresh, nor with the call for the encryption key", () =>
    Effect.gen(function* () {
      const refresh = yield* attempt(Session.refresh, oauthSession, gateway)
      expect(carried(refresh.asked)).toEqual([{ call: "POST /session/refresh-token", tokens: [] }])
      expect(Exit.isSuccess(refresh.exit)).toBe(true)
      const key = yield* attempt(Session.encryptionKey, oauthSession, gateway)
      expect(carried(key.asked)).toEqual([{ call: "GET /session/encryptionKey", tokens: [] }])
      expect(Exit.isSuccess(key.exit)).toBe(true)
    })
  )
})
