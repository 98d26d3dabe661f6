/** What each failure says to a person, and what the predicates make of it; where it comes from is tested elsewhere. */
import {
  ApiError,
  AuthError,
  DecodeError,
  type IgError,
  isAuth,
  isRateLimited,
  isTransient,
  NotSentError,
  TransportError
} from "@effect-ig/core/IgError"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"

const operation = "session.login"

const api = (more: Partial<ConstructorParameters<typeof ApiError>[0]>) =>
  new ApiError({ operation, status: 403, action: "fix", ...more })

const auth = (reason: AuthError["reason"], more: Partial<ConstructorParameters<typeof AuthError>[0]> = {}) =>
  new AuthError({ operation, reason, ...more })

const transport = (reason: TransportError["reason"], mayHaveExecuted = true) =>
  new TransportError({ operation, reason, mayHaveExecuted })

const notSent = (reason: NotSentError["reason"], more: Partial<ConstructorParameters<typeof NotSentError>[0]> = {}) =>
  new NotSentError({ operation, reason, detail: "So it is.", ...more })

const decode = (...paths: ReadonlyArray<string>) => new DecodeError({ operation, paths })

const x = (count: number): string => "x".repeat(count)

const messages: ReadonlyArray<readonly [error: IgError, message: string]> = [
  [api({}), "IG answered 403 without an error code (fix)"],
  [api({ status: 500, errorCode: "system.error", action: "query" }), "IG answered 500 system.error (query)"],
  [api({ hint: "Ask IG." }), "IG answered 403 without an error code (fix) – Ask IG."],
  [
    api({ hint: "Ask IG.", action: "wait", retryAfter: 1_001 }),
    "IG answered 403 without an error code (wait) – Ask IG. Try again in 2 s."
  ],
  [api({ errorCode: x(200) }), `IG answered 403 ${x(200)} (fix)`],
  [api({ errorCode: x(201) }), `IG answered 403 ${x(200)}… (fix)`],
  [auth("not-signed-in"), "not-signed-in – There is no session; log in first."],
  [
    auth("tokens-missing", { paths: ["headers.cst", "headers.x-security-token"] }),
    "tokens-missing (headers.cst, headers.x-security-token) – IG's answer did not carry the tokens that it should."
  ],
  [
    auth("credentials-unavailable", { detail: "Nobody was there." }),
    "credentials-unavailable – The identifier and password could not be supplied. Nobody was there."
  ],
  [
    auth("session-lost", { retryAt: 1_000, causes: [transport("timeout"), decode("a")] }),
    "session-lost – The session is dead and could not be brought back. It will be tried again after 1970-01-01T00:00:01.000Z. " +
      "[session.login: timeout – no complete answer came in time; IG may have executed the request] " +
      "[session.login: the answer is not as expected at a]"
  ],
  [
    auth("session-lost", { retryAt: Number.NaN }),
    "session-lost – The session is dead and could not be brought back. It will be tried again later."
  ],
  [notSent("not-permitted"), "not-permitted – So it is."],
  [notSent("invalid-request", { path: "body.size" }), "invalid-request at body.size – So it is."],
  [notSent("would-wait", { retryAfter: 60_000 }), "would-wait – So it is. Try again in 60 s."],
  [transport("dns", false), "dns – the host name could not be resolved; nothing was sent"],
  [transport("body-cut"), "body-cut – the answer ended in the middle; IG may have executed the request"],
  [decode("a.b", "c"), "the answer is not as expected at a.b, c"],
  [decode(x(300)), `the answer is not as expected at ${x(200)}…`]
]

describe("a failure says", () => {
  for (const [error, message] of messages) {
    it(`${message.slice(0, 100)} (${message.length} characters)`, () => {
      expect(error.message).toBe(`session.login: ${message}`)
    })
  }
})

type Judged = "auth" | "rate-limited" | "transient"

const judged = (error: IgError): ReadonlyArray<Judged> => [
  ...(isAuth(error) ? (["auth"] as const) : []),
  ...(isRateLimited(error) ? (["rate-limited"] as const) : []),
  ...(isTransient(error) ? (["transient"] as const) : [])
]

const coded = (errorCode: string, status = 403) => api({ status, errorCode })

const judgements: ReadonlyArray<readonly [what: string, error: IgError, judged: ReadonlyArray<Judged>]> = [
  ["a 401 without a code", api({ status: 401 }), ["auth"]],
  ["a 403 without a code", api({}), []],
  ["a refused password", coded("error.security.invalid-details"), ["auth"]],
  ["a failure of the public API", coded("error.public-api.failure.kyc.required"), ["auth"]],
  ["a client's account", coded("error.client.account.suspended"), ["auth"]],
  ["a service that knows no such user", coded("service.security.authentication.failure"), ["auth"]],
  ["an authentication that failed", coded("authentication.failure.not-a-client-account"), ["auth"]],
  ["an API key", coded("unauthorised.api-key.revoked"), ["auth"]],
  ["a client id", coded("unauthorised.clientId.api-key-mismatch"), ["auth"]],
  ["an endpoint that the key may not use", coded("endpoint.unavailable.for.api-key"), ["auth"]],
  ["IG that cannot tell", coded("error.security.generic", 500), []],
  ["IG that cannot tell, at 499", coded("error.security.generic", 499), ["auth"]],
  ["a code of a market", coded("error.service.marketdata.instrument.epic.unavailable"), []],
  ["a spent allowance", api({ action: "wait" }), ["rate-limited", "transient"]],
  ["a passing fault", api({ status: 503, action: "retry" }), ["transient"]],
  ["an unknown outcome", api({ status: 500, action: "query" }), ["transient"]],
  ["dead tokens", api({ status: 401, action: "renew" }), ["auth"]],
  ["what a human has to mend", api({ action: "human" }), []],
  ["no session", auth("not-signed-in"), ["auth"]],
  ["a lost session that has a time", auth("session-lost", { retryAt: 1 }), ["auth", "transient"]],
  [
    "one whose last try may go better",
    auth("session-lost", { causes: [decode(), transport("dns")] }),
    ["auth", "transient"]
  ],
  ["one whose last try may not", auth("session-lost", { causes: [transport("dns"), decode()] }), ["auth"]],
  ["one that nothing was tried for", auth("session-lost", { causes: [] }), ["auth"]],
  ["a caller who cannot wait", notSent("would-wait"), ["rate-limited", "transient"]],
  ["no points", notSent("budget-exceeded"), ["rate-limited", "transient"]],
  ["a wrong request", notSent("invalid-request"), []],
  ["what is not permitted", notSent("not-permitted"), []],
  ["a lost connection", transport("connection-lost"), ["transient"]],
  ["no secure connection", transport("tls"), []],
  ["a second time", transport("repeated"), []],
  ["an answer that is none", decode("a"), []]
]

describe("a failure is judged:", () => {
  for (const [what, error, expected] of judgements) {
    it(`${what} is ${expected.join(" and ") || "neither"}`, () => {
      expect(judged(error)).toEqual(expected)
    })
  }
})

const questions = { isAuth, isRateLimited, isTransient }

describe("of an error that is none of the kind", () => {
  const errors: ReadonlyArray<IgError> = [
    api({ status: 404, errorCode: "error.none", hint: "Ask for another." }),
    auth("not-signed-in"),
    notSent("invalid-request"),
    transport("tls"),
    decode("accountId")
  ]
  for (const error of errors) {
    for (const [name, question] of Object.entries(questions)) {
      if (name === "isAuth" && error._tag === "AuthError") continue
      it(`${name} is false: ${error._tag}`, () => {
        expect(question(error)).toBe(false)
      })
    }
  }
})

describe("a session that is lost", () => {
  const final = decode("accountId")
  const passing = transport("connection-lost", false)
  const lost = (...causes: ReadonlyArray<IgError>) => auth("session-lost", { causes })

  it("may come back when what was tried last may succeed later", () => {
    expect(isTransient(lost(final, passing))).toBe(true)
    expect(isTransient(lost(passing))).toBe(true)
  })

  it("does not when what was tried last is final, whatever failed before it", () => {
    expect(isTransient(lost(final, passing, final))).toBe(false)
    expect(isTransient(lost())).toBe(false)
  })
})

describe("a failure as JSON", () => {
  const classes = Schema.Union(ApiError, AuthError, NotSentError, TransportError, DecodeError)
  const json = Schema.parseJson(classes)

  const reasons = {
    auth: [
      "not-signed-in",
      "no-refresh-token",
      "tokens-missing",
      "no-streaming-tokens",
      "wrong-account",
      "credentials-unavailable",
      "encryption-failed",
      "session-lost",
      "no-login-kept",
      "account-unavailable",
      "closed"
    ],
    transport: [
      "unreachable",
      "dns",
      "tls",
      "connection-lost",
      "timeout",
      "body-cut",
      "body-too-large",
      "bad-encoding",
      "repeated"
    ],
    notSent: ["invalid-request", "not-permitted", "would-wait", "budget-exceeded"]
  } as const

  const errors: ReadonlyArray<readonly [name: string, error: IgError]> = [
    ...reasons.auth.map((reason) => [`AuthError ${reason}`, auth(reason, { causes: [api({ status: 401 })] })] as const),
    ...reasons.transport.map((reason) => [`TransportError ${reason}`, transport(reason)] as const),
    ...reasons.notSent.map((reason) => [`NotSentError ${reason}`, notSent(reason)] as const),
    ["ApiError", api({ errorCode: "a.b", requestId: "1", hint: "c", retryAfter: 5 })],
    ["DecodeError", decode("a", "b")]
  ]
  for (const [name, error] of errors) {
    it(`comes back as it was: ${name}`, () => {
      expect(Schema.decodeSync(json)(Schema.encodeSync(json)(error))).toEqual(error)
    })
  }
})
