import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { inMemory, keptInMemory } from "./utils/ig.ts"
import { count, held, requests } from "./utils/state.ts"

/** What the account-bearing headers of each request were, since the `seen`th. */
const accounts = (seen = 0) =>
  Effect.map(
    Effect.flatMap(Sandbox, ({ record }) => record),
    (record) =>
      record.slice(seen).map(({ headers }) => headers["ig-account-id"] ?? headers["x-security-token"] ?? "none")
  )

describe("a switch of account", () => {
  it.effect("under CST takes the X-SECURITY-TOKEN that IG gives, and the next call carries it", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      const how = yield* Session.switchAccount("SBX02")
      expect(how).toMatchObject({ _tag: "Switched", accountId: "SBX02", dealingEnabled: true })
      expect((yield* Session.read()).accountId).toBe("SBX02")
      expect(yield* accounts(1)).toEqual(["xst-1", "xst-2"])
    }).pipe(Effect.provide(inMemory()))
  )

  for (const sameAccountStatus of [412, 400] as const) {
    it.effect(`to the one in use is no failure (${sameAccountStatus}), and keeps every token`, () =>
      Effect.gen(function* () {
        yield* Session.loginV2
        const before = yield* held
        const how = yield* Session.switchAccount("SBX01")
        expect(how).toEqual({ _tag: "AlreadyActive", accountId: "SBX01" })
        expect(yield* held).toBe(before)
        expect((yield* Session.read()).accountId).toBe("SBX01")
      }).pipe(Effect.provide(inMemory({}, { switches: { sameAccountStatus } })))
    )
  }

  it.effect("to the one in use keeps streaming tokens, too", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* Session.read({ fetchTokens: true })
      expect((yield* Session.switchAccount("SBX01"))._tag).toBe("AlreadyActive")
      expect(yield* held).toBe("SBX01 access-1 refresh-1 + cst-1 xst-1")
    }).pipe(Effect.provide(inMemory({}, { switches: { putUnderBearer: "works" } })))
  )

  for (const putUnderBearer of ["works", "refused"] as const) {
    it.effect(`drops the streaming tokens of the old account, where PUT under a bearer ${putUnderBearer}`, () =>
      Effect.gen(function* () {
        yield* Session.login
        yield* Session.read({ fetchTokens: true })
        yield* Session.switchAccount("SBX02")
        expect(yield* Effect.flip(SessionState.streamingTokens)).toMatchObject({ reason: "no-streaming-tokens" })
        yield* Session.read({ fetchTokens: true })
        expect(yield* held).toBe("SBX02 access-1 refresh-1 + cst-2 xst-2")
      }).pipe(Effect.provide(inMemory({}, { switches: { putUnderBearer } })))
    )
  }

  it.effect("survives a refresh: the account stays, and so does what is known of PUT", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* Session.switchAccount("SBX02")
      yield* Session.refresh
      const seen = yield* count
      expect((yield* Session.switchAccount("SBX01"))._tag).toBe("SwitchedByHeader")
      expect(yield* requests(seen)).toEqual(["GET /session 1 200"])
      expect(yield* held).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("survives a new login that starts on that account: what is known of PUT is not asked again", () =>
    Effect.gen(function* () {
      yield* Session.login
      yield* Session.switchAccount("SBX02")
      yield* Session.switchAccount("SBX01")
      yield* TestClock.adjust("1 minute")
      yield* (yield* Sandbox).expire("access", "refresh")
      yield* Session.read()
      expect(yield* held).toBe("SBX01 access-2 refresh-2")
      const seen = yield* count
      expect((yield* Session.switchAccount("SBX02"))._tag).toBe("SwitchedByHeader")
      expect(yield* requests(seen)).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(keptInMemory()))
  )

  it.effect("under a bearer that is refused sends one PUT for the whole session, then the header alone", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* Session.switchAccount("SBX02")).toEqual({ _tag: "SwitchedByHeader", accountId: "SBX02" })
      expect((yield* Session.switchAccount("SBX01"))._tag).toBe("SwitchedByHeader")
      expect(yield* Session.switchAccount("SBX01")).toEqual({ _tag: "AlreadyActive", accountId: "SBX01" })
      expect((yield* requests()).filter((request) => request.startsWith("PUT"))).toHaveLength(1)
      yield* Session.read()
      expect((yield* accounts()).at(-1)).toBe("SBX01")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("to an account of nobody's fails, under both families, and leaves the session as it was", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      expect(yield* Effect.flip(Session.switchAccount("NOBODYS"))).toMatchObject({
        errorCode: "error.switch.invalid-accountId",
        action: "fix"
      })
      expect(yield* held).toBe("SBX01 cst-1 xst-1")
      yield* Session.login
      expect(yield* Effect.flip(Session.switchAccount("NOBODYS"))).toMatchObject({
        errorCode: "error.security.account-token-invalid",
        action: "fix"
      })
      expect(yield* held).toBe("SBX01 access-1 refresh-1")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("by header is refused when IG answers for another account", () =>
    Effect.gen(function* () {
      yield* Session.login
      const { inject } = yield* Sandbox
      const text = JSON.stringify({ clientId: "1", accountId: "SBX01" })
      yield* inject({ method: "GET", kind: "answer", status: 200, text })
      expect(yield* Effect.flip(Session.switchAccount("SBX02"))).toMatchObject({
        _tag: "AuthError",
        reason: "wrong-account"
      })
      expect(yield* held).toBe("SBX01 access-1 refresh-1")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("that is to become the default is never replaced by a header", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect(yield* Effect.flip(Session.switchAccount("SBX02", { defaultAccount: true }))).toMatchObject({
        errorCode: "error.security.client-token-missing"
      })
      expect(yield* held).toBe("SBX01 access-1 refresh-1")
      yield* Session.loginV2
      yield* Session.switchAccount("SBX02", { defaultAccount: true })
      expect((yield* Session.login).accountId).toBe("SBX02")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("with a malformed account id sends nothing, and says what to change", () =>
    Effect.gen(function* () {
      yield* Session.login
      for (const accountId of ["", "has_underscore", "has space", "é", "x".repeat(31), "A\r\nB"]) {
        expect(yield* Effect.flip(Session.switchAccount(accountId))).toMatchObject({
          _tag: "NotSentError",
          reason: "invalid-request",
          path: "accountId",
          detail: expect.stringContaining("1 to 30 letters, digits and hyphens")
        })
      }
      expect(yield* count).toBe(1)
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a session", () => {
  it.effect("takes a token header that came twice once, at login and at a switch", () =>
    Effect.gen(function* () {
      yield* Session.loginV2
      yield* Session.switchAccount("SBX02")
      expect((yield* Session.read()).accountId).toBe("SBX02")
      expect(yield* held).toBe("SBX02 cst-1 xst-2")
    }).pipe(Effect.provide(inMemory({}, { switches: { doubledTokenHeaders: true } })))
  )

  it.effect("of a configured account acts on that account from its first call on", () =>
    Effect.gen(function* () {
      yield* Session.login
      expect((yield* Session.read()).accountId).toBe("SBX02")
      expect((yield* accounts()).at(-1)).toBe("SBX02")
      yield* Session.loginV2
      expect((yield* Session.read()).accountId).toBe("SBX02")
    }).pipe(Effect.provide(inMemory({ accountId: "SBX02" })))
  )

  it.effect("of either family answers the same questions", () =>
    Effect.gen(function* () {
      const endpoint = Option.some("https://demo-apd.marketdatasystems.com")
      for (const login of [Effect.asVoid(Session.login), Effect.asVoid(Session.loginV2)]) {
        yield* login
        yield* Session.read({ fetchTokens: true })
        expect(yield* SessionState.get).toMatchObject({ accountId: "SBX01", clientId: "100000001" })
        const session = yield* SessionState.get
        expect(session._tag !== "SignedOut" && session.lightstreamerEndpoint).toEqual(endpoint)
        expect(yield* SessionState.streamingTokens).toBeInstanceOf(SessionState.StreamingTokens)
      }
      expect(yield* Session.read()).toEqual({
        clientId: "100000001",
        accountId: "SBX01",
        timezoneOffset: 1,
        locale: "en_GB",
        currency: "GBP",
        lightstreamerEndpoint: "https://demo-apd.marketdatasystems.com"
      })
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("streaming tokens", () => {
  it.effect("are none where nobody is signed in, and none under OAuth before they are fetched", () =>
    Effect.gen(function* () {
      const why = Effect.flip(SessionState.streamingTokens)
      const operation = "sessionState.streamingTokens"
      expect(yield* why).toMatchObject({ _tag: "AuthError", operation, reason: "not-signed-in" })
      yield* Session.login
      expect(yield* why).toMatchObject({ _tag: "AuthError", operation, reason: "no-streaming-tokens" })
    }).pipe(Effect.provide(inMemory()))
  )
})
