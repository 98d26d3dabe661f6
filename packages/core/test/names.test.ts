/** What a program, and another copy of the library in it, knows the parts of the library by; and what they are by default. */
import { Credentials } from "@effect-ig/core/Credentials"
import { CurrentAccount } from "@effect-ig/core/CurrentAccount"
import { IgConfig } from "@effect-ig/core/IgConfig"
import { ApiError, AuthError, DecodeError, NotSentError, TransportError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import { ReadRetry } from "@effect-ig/core/ReadRetry"
import { off, Renewal } from "@effect-ig/core/Renewal"
import { OAuthSession, SessionState, SignedOut, StreamingTokens, TokenSession } from "@effect-ig/core/SessionState"
import { SessionStore } from "@effect-ig/core/SessionStore"
import { Throttle } from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { describe } from "vitest"
import { LoginOwner } from "../src/internal/login.ts"
import { Resuming } from "../src/internal/resuming.ts"
import { CurrentExchange, WaitLimit } from "../src/internal/waiting.ts"

const services = {
  Credentials,
  CurrentAccount,
  CurrentExchange,
  IgConfig,
  LoginOwner,
  PasswordCipher,
  ReadRetry,
  Renewal,
  Resuming,
  SessionState,
  SessionStore,
  Throttle,
  WaitLimit
}

const classes = {
  ApiError,
  AuthError,
  DecodeError,
  NotSentError,
  OAuthSession,
  SignedOut,
  StreamingTokens,
  TokenSession,
  TransportError
}

describe("a part of the library is known by its name", () => {
  for (const [name, { key }] of Object.entries(services)) {
    it(`as the service ${name}`, () => {
      expect(key).toBe(`@effect-ig/core/${name}`)
    })
  }

  for (const [name, { identifier }] of Object.entries(classes)) {
    it(`as the class ${name}`, () => {
      expect(identifier).toBe(`@effect-ig/core/${name}`)
    })
  }
})

describe("without a layer", () => {
  const empty = Context.empty()

  it("sessions are renewed ten seconds before they end", () => {
    expect(Context.get(empty, Renewal)).toEqual({ isOn: true, margin: Duration.seconds(10) })
  })

  it.effect("they can be told not to be, and nothing else changes by that", () =>
    Effect.gen(function* () {
      expect(yield* Effect.provide(Renewal, off)).toEqual({ isOn: false, margin: Duration.seconds(10) })
    })
  )

  it("there are neither read retry nor throttle", () => {
    expect([Context.get(empty, ReadRetry), Context.get(empty, Throttle)]).toEqual([Option.none(), Option.none()])
  })

  it("calls are on the session's own account, and wait as long as it takes", () => {
    expect(Context.get(empty, CurrentAccount)).toBeUndefined()
    expect(Context.get(empty, WaitLimit)).toBeUndefined()
    expect(Context.get(empty, CurrentExchange)).toBeUndefined()
    expect(Context.get(empty, LoginOwner)).toBeUndefined()
    expect(Context.get(empty, Resuming)).toBeUndefined()
  })
})
