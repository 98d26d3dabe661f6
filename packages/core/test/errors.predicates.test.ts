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
import { describe, expect, it } from "vitest"

const operation = "session.read"

const final = new DecodeError({ operation, paths: ["accountId"] })
const passing = new TransportError({ operation, reason: "connection-lost", mayHaveExecuted: false })

const errors: ReadonlyArray<IgError> = [
  new ApiError({ operation, status: 404, errorCode: "error.none", action: "fix", hint: "Ask for another." }),
  new AuthError({ operation, reason: "not-signed-in" }),
  new NotSentError({ operation, reason: "invalid-request", detail: "So it is." }),
  new TransportError({ operation, reason: "tls", mayHaveExecuted: false }),
  final
]

const questions = { isAuth, isRateLimited, isTransient }

describe("of an error that is none of the kind", () => {
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
  const lost = (causes: ReadonlyArray<IgError>) => new AuthError({ operation, reason: "session-lost", causes })

  it("may come back when what was tried last may succeed later", () => {
    expect(isTransient(lost([final, passing]))).toBe(true)
    expect(isTransient(lost([passing]))).toBe(true)
  })

  it("does not when what was tried last is final, whatever failed before it", () => {
    expect(isTransient(lost([final, passing, final]))).toBe(false)
    expect(isTransient(lost([]))).toBe(false)
  })
})
