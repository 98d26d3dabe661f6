/** When a renewal may log in again, by what came of the logins before; by itself, with hand-written times in ms. */
import { ApiError, AuthError, DecodeError, type IgError, NotSentError, TransportError } from "@effect-ig/core/IgError"
import * as Redacted from "effect/Redacted"
import { describe, expect, it } from "vitest"
import { makeLogins } from "../src/internal/logins.ts"

const operation = "session.login"
const askingForKey = "session.encryptionKey"
const minute = 60_000

const values = { identifier: "somebody", password: Redacted.make("a password") }

const api = (action: ApiError["action"], errorCode?: string, of = operation) =>
  new ApiError({ operation: of, status: 403, errorCode, action })

const transport = (mayHaveExecuted: boolean, of = operation) =>
  new TransportError({ operation: of, reason: "connection-lost", mayHaveExecuted })

const auth = (reason: AuthError["reason"]) => new AuthError({ operation, reason })

interface After {
  /** Whether the same renewal should try again. */
  readonly again: boolean
  /** For how long no renewal logs in. */
  readonly held?: number
  readonly isInDoubt?: boolean
  readonly isRefused?: boolean
}

const refused: After = { again: false, isRefused: true }
const unsent: After = { again: true, held: 5_000, isInDoubt: true }
const ours: After = { again: false }

const first: ReadonlyArray<readonly [what: string, error: IgError, after: After]> = [
  ["what never left", transport(false), unsent],
  ["an answer that was lost", transport(true), { again: true, held: minute, isInDoubt: true }],
  ["a key that was not answered with", transport(true, askingForKey), unsent],
  ["a key that IG had none of", api("human", "error.security.generic", askingForKey), unsent],
  ["tokens that were dead", api("renew", "error.security.oauth-token-invalid"), { again: false, held: minute }],
  ["credentials that IG does not take", api("fix", "error.security.invalid-details"), refused],
  ["what only a human can mend", api("human", "error.security.client-suspended"), refused],
  ["a refusal of the gateway's, without a code", api("human"), { again: false, held: minute }],
  ["an answer that says nothing of the outcome", api("query"), { again: true, held: minute, isInDoubt: true }],
  ["the code that quick logins meet", api("retry", "service.security.x"), { again: true, held: 5_000 }],
  ["an allowance that is spent", api("wait", "error.public-api.exceeded-api-key-allowance"), ours],
  ["any other refusal", api("fix", "invalid.input"), { again: false, held: minute }],
  ["credentials that nobody supplied", auth("credentials-unavailable"), ours],
  ["a password that was not encrypted", auth("encryption-failed"), ours],
  ["an answer without tokens", auth("tokens-missing"), { again: false, held: minute }],
  ["what we refused ourselves", new NotSentError({ operation, reason: "would-wait", detail: "So it is." }), ours],
  ["an answer that is none", new DecodeError({ operation, paths: ["accountId"] }), { again: false, held: minute }]
]

describe("a renewal that has logged in in vain", () => {
  for (const [what, error, after] of first) {
    it(`knows what to do after ${what}`, () => {
      const logins = makeLogins()
      expect(logins.failed(error, values, 1_000)).toBe(after.again)
      expect(logins.held(1_000)?.until).toBe(after.held === undefined ? undefined : 1_000 + after.held)
      expect(logins.isInDoubt()).toBe(after.isInDoubt ?? false)
      expect(logins.isRefused(values)).toBe(after.isRefused ?? false)
    })
  }

  it("waits longer each time, and half an hour at most", () => {
    for (const error of [api("query"), api("fix", "invalid.input")]) {
      const logins = makeLogins()
      const holds = Array.from({ length: 7 }, () => {
        const again = logins.failed(error, values, 0)
        return [(logins.held(0)?.until ?? 0) / minute, again]
      })
      // Nobody waits for longer than a minute.
      const isTried = error.action === "query"
      expect(holds).toEqual([1, 1, 5, 15, 30, 30, 30].map((minutes) => [minutes, isTried && minutes === 1]))
    }
  })

  it("is told to come back soon twice, then as after any other failure", () => {
    const logins = makeLogins()
    const holds = Array.from({ length: 8 }, () => {
      logins.failed(api("retry", "service.security.x"), values, 0)
      return (logins.held(0)?.until ?? 0) / 1_000
    })
    expect(holds).toEqual([5, 5, 60, 60, 300, 900, 1_800, 1_800])
  })

  it("does not wait longer for having been given dead tokens", () => {
    const logins = makeLogins()
    for (let time = 0; time < 3; time++) logins.failed(api("renew", "error.security.oauth-token-invalid"), values, 0)
    logins.failed(api("query"), values, 0)
    expect(logins.held(0)?.until).toBe(minute)
  })

  it("is told what was tried before it", () => {
    const logins = makeLogins()
    const [before, error] = [transport(false), transport(true)]
    logins.failed(error, values, 0, [before])
    expect(logins.held(0)?.causes).toEqual([before, error])
    logins.failed(error, values, 0)
    expect(logins.held(0)?.causes).toEqual([error])
  })
})

describe("a login that was held back", () => {
  it("is so from then on until its time is over; a clock that was set back frees it", () => {
    const logins = makeLogins()
    logins.failed(transport(true), values, 1_000)
    const held = [999, 1_000, 60_999, 61_000].map((now) => logins.held(now) !== undefined)
    expect(held).toEqual([false, true, true, false])
  })

  it("is free again after one that succeeded, and nothing is held against it", () => {
    const logins = makeLogins()
    logins.failed(api("query"), values, 0)
    logins.failed(api("query"), values, 0)
    logins.failed(api("fix", "error.security.invalid-details"), values, 0)
    logins.succeeded()
    expect([logins.held(0), logins.isInDoubt(), logins.isRefused(values)]).toEqual([undefined, false, false])
    logins.failed(api("query"), values, 0)
    logins.failed(api("query"), values, 0)
    expect(logins.held(0)?.until).toBe(minute)
  })
})

describe("credentials that were refused", () => {
  it("are known again, and others are not taken for them", () => {
    const logins = makeLogins()
    expect(logins.isRefused(values)).toBe(false)
    logins.failed(api("fix", "error.security.invalid-details"), values, 0)
    expect(logins.isRefused({ ...values })).toBe(true)
    expect(logins.isRefused({ ...values, identifier: "another" })).toBe(false)
    expect(logins.isRefused({ ...values, password: Redacted.make("another password") })).toBe(false)
  })

  it("are none where nobody had supplied any", () => {
    const logins = makeLogins()
    logins.failed(api("fix", "error.security.invalid-details"), undefined, 0)
    expect(logins.isRefused(values)).toBe(false)
  })
})
