/** What is said to whoever cannot log in, and what is sent before that. */
import { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { type Answer, attempt, type Gateway, ok, type Operation, refused, signedOut } from "./utils/answers.ts"

type Login = Effect.Effect<unknown, IgError, Session.Ig | Credentials | PasswordCipher>

const plain: ReadonlyArray<readonly [operation: string, login: Login]> = [
  ["session.login", Session.login],
  ["session.loginV2", Session.loginV2]
]

const encrypted: ReadonlyArray<readonly [operation: string, login: Login]> = [
  ["session.loginWithEncryption", Session.loginWithEncryption],
  ["session.loginV2WithEncryption", Session.loginV2WithEncryption]
]

const works: PasswordCipher.Service = { encrypt: () => Effect.succeed(Redacted.make("sealed")) }

const by = (login: Login, cipher: PasswordCipher.Service = works): Operation<unknown> =>
  Effect.provideService(login, PasswordCipher, cipher)

const as = (identifier: string, password: string, login: Login): Operation<unknown> =>
  Effect.provideService(by(login), Credentials, Effect.succeed({ identifier, password: Redacted.make(password) }))

/** Why it failed, and which requests there were. */
const failed = (operation: Operation<unknown>, gateway: Gateway) =>
  Effect.gen(function* () {
    const { asked, exit } = yield* attempt(operation, signedOut, gateway)
    return { error: yield* Effect.flip(exit), sent: asked.map(({ method, path }) => `${method} ${path}`) }
  })

const key = ok({ encryptionKey: "AAAA", timeStamp: 1 })

/** Gives a key to encrypt with, and answers the login so. */
const answering =
  (answer: Answer): Gateway =>
  ({ method }) =>
    method === "GET" ? key : answer

const nothing: Gateway = () => "lost"

const invalid = (operation: string, path: string, detail: string) => ({
  error: { _tag: "NotSentError", operation, reason: "invalid-request", path, detail },
  sent: []
})

describe("what cannot be right is not sent, and is told what to look like", () => {
  for (const [operation, login] of [...plain, ...encrypted]) {
    it.effect(`an identifier, by ${operation}`, () =>
      Effect.gen(function* () {
        for (const identifier of ["", "me@example.com", "a".repeat(31)]) {
          expect(yield* failed(as(identifier, "a password", login), nothing)).toMatchObject(
            invalid(operation, "identifier", "Expected the user name, not an e-mail: 1 to 30 letters, digits, - and _.")
          )
        }
      })
    )
  }

  for (const [operation, login] of plain) {
    it.effect(`a password, by ${operation}`, () =>
      Effect.gen(function* () {
        for (const password of ["", "two\nlines", "a".repeat(351)]) {
          expect(yield* failed(as("tester", password, login), nothing)).toMatchObject(
            invalid(operation, "password", "Expected 1 to 350 characters without line breaks.")
          )
        }
      })
    )
  }

  for (const [operation, login] of encrypted) {
    it.effect(`a password that is to be encrypted, by ${operation}, for which no key is asked`, () =>
      Effect.gen(function* () {
        expect(yield* failed(as("tester", "", login), nothing)).toMatchObject(
          invalid(operation, "password", "Expected 1 character or more.")
        )
      })
    )
  }
})

describe("a password that could not be encrypted is not sent, and the reason is said", () => {
  for (const [operation, login] of encrypted) {
    it.effect(`where IG gives no key, by ${operation}`, () =>
      Effect.gen(function* () {
        expect(yield* failed(by(login), () => ok({ timeStamp: 1 }))).toMatchObject({
          error: {
            _tag: "AuthError",
            operation,
            reason: "encryption-failed",
            detail: "IG's answer holds no key that could be used.",
            paths: ["encryptionKey"]
          },
          sent: ["GET /gateway/deal/session/encryptionKey"]
        })
      })
    )

    it.effect(`where the cipher hangs, by ${operation}`, () =>
      Effect.gen(function* () {
        const hangs: PasswordCipher.Service = { encrypt: () => Effect.never }
        const fiber = yield* Effect.fork(failed(by(login, hangs), () => key))
        yield* TestClock.adjust("30 seconds")
        expect(yield* Fiber.join(fiber)).toMatchObject({
          error: {
            _tag: "AuthError",
            operation,
            reason: "encryption-failed",
            detail: "The cipher did not answer in time."
          },
          sent: ["GET /gateway/deal/session/encryptionKey"]
        })
      })
    )
  }
})

const useVersion2 =
  "IG may not take an encrypted password under Version 3: use Session.loginV2WithEncryption. Else the identifier or password is wrong."

/** A failed login, with what its error gives as a hint. */
const hinted = (login: Login, answer: Answer) =>
  Effect.map(failed(by(login), answering(answer)), ({ error }) => ({
    tag: error._tag,
    hint: error._tag === "ApiError" ? error.hint : undefined
  }))

describe("a refused password", () => {
  const wrong = refused(401, "error.security.invalid-details")

  it.effect("that was encrypted under Version 3 is said to be right, perhaps, under Version 2", () =>
    Effect.gen(function* () {
      const { error } = yield* failed(by(Session.loginWithEncryption), answering(wrong))
      expect(error).toMatchObject({
        _tag: "ApiError",
        operation: "session.loginWithEncryption",
        status: 401,
        errorCode: "error.security.invalid-details",
        action: "fix",
        hint: useVersion2
      })
      expect(error.message).toContain(useVersion2)
    })
  )

  it.effect("of any other login is not", () =>
    Effect.gen(function* () {
      for (const login of [Session.login, Session.loginV2, Session.loginV2WithEncryption]) {
        const { hint, tag } = yield* hinted(login, wrong)
        expect(tag).toBe("ApiError")
        expect(hint).toMatch(/^Wrong identifier or password/)
      }
    })
  )

  it.effect("is not what another failure under Version 3 is taken for", () =>
    Effect.gen(function* () {
      const codes = ["error.security.api-key-invalid", "error.public-api.exceeded-api-key-allowance", "unheard.of"]
      for (const code of codes) {
        const ofOther = yield* hinted(Session.login, refused(403, code))
        expect(ofOther.tag).toBe("ApiError")
        expect(yield* hinted(Session.loginWithEncryption, refused(403, code))).toEqual(ofOther)
      }
      for (const answer of ["lost", ok({})] as const) {
        const ofOther = yield* hinted(Session.login, answer)
        expect(ofOther.tag).not.toBe("ApiError")
        expect(yield* hinted(Session.loginWithEncryption, answer)).toEqual(ofOther)
      }
    })
  )
})

describe("a login that IG would rather see elsewhere", () => {
  const loggedIn = (reroutingEnvironment: string | null) =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push(`${logLevel.label} ${String(message)}`))
      const body = { clientId: "100000001", currentAccountId: "ABC12", reroutingEnvironment }
      const tokens = { cst: "a-new-cst", "x-security-token": "a-new-xst" }
      const { exit } = yield* attempt(Session.loginV2, signedOut, () => ok(body, tokens)).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      return { isLoggedIn: Exit.isSuccess(exit), lines }
    })

  it.effect("is a login, and its user is warned", () =>
    Effect.gen(function* () {
      expect(yield* loggedIn("MARS")).toEqual({
        isLoggedIn: true,
        lines: ["WARN IG says that this client belongs to another environment (reroutingEnvironment)"]
      })
    })
  )

  it.effect("is not what each login is", () =>
    Effect.gen(function* () {
      expect(yield* loggedIn(null)).toEqual({ isLoggedIn: true, lines: [] })
    })
  )
})
