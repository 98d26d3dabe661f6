/** Tokens of a session, by themselves: what tells them apart, whether one was used up, what an answer gives. */
import { AuthError, TransportError } from "@effect-ig/core/IgError"
import { SignedOut } from "@effect-ig/core/SessionState"
import * as Headers from "@effect/platform/Headers"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { makeInternals } from "../src/internal/slot.ts"
import { bothTokens, givenTokens, isOver, isSpent, keyOf, refreshTokenOf } from "../src/internal/tokens.ts"
import { bearer, tokens } from "./utils/slots.ts"

const answer = (headers: Headers.Input) => ({
  status: 200,
  headers: Headers.fromInput(headers),
  body: new Uint8Array(),
  sentAt: 0
})

const given = (cst: string) =>
  Effect.map(givenTokens("test", answer({ cst })), ({ cst }) => Option.map(cst, Redacted.value))

it("a session is told by its tokens, and one that is signed out by none", () => {
  expect([new SignedOut(), tokens("SBX01", "one"), bearer("one")].map(keyOf)).toEqual([
    "",
    "cst-of-one xst-of-one",
    "bearer-of-one"
  ])
})

it("only a session by bearer has a refresh token", () => {
  expect([tokens("SBX01", "one"), bearer("one")].map(refreshTokenOf)).toEqual([undefined, "refresh-token-of-one"])
})

it.effect("a refresh token is spent once it was sent, and what has none has none to spend", () =>
  Effect.gen(function* () {
    const { main } = yield* makeInternals(bearer("one"))
    expect([isSpent(main, bearer("one")), isSpent(main, tokens("SBX01", "one"))]).toEqual([false, false])
    main.spent = "refresh-token-of-one"
    expect([isSpent(main, bearer("one")), isSpent(main, bearer("two"))]).toEqual([true, false])
  })
)

it("it is over when nobody is signed in or all is closed, and for no other reason", () => {
  const operation = "test"
  expect(
    [
      new AuthError({ operation, reason: "not-signed-in" }),
      new AuthError({ operation, reason: "closed" }),
      new AuthError({ operation, reason: "session-lost" }),
      new TransportError({ operation, reason: "timeout", mayHaveExecuted: false })
    ].map(isOver)
  ).toEqual([true, true, false, false])
})

it.effect("a token is taken without the blanks around it, and once where it was sent twice", () =>
  Effect.gen(function* () {
    for (const text of ["a", "  a\t ", "a,a", "a \t ,  a"]) expect(yield* given(text)).toEqual(Option.some("a"))
    for (const text of ["", " \t "]) expect(yield* given(text)).toEqual(Option.none())
    for (const text of ["a,b", "a b", "\u00e4"]) {
      expect(yield* Effect.flip(given(text))).toMatchObject({ _tag: "DecodeError", paths: ["headers.cst"] })
    }
  })
)

it.effect("a login needs both, and says which is missing", () =>
  Effect.gen(function* () {
    const paths = (headers: Headers.Input) => Effect.flip(bothTokens("test", answer(headers)))
    expect(yield* paths({ cst: "a" })).toMatchObject({ reason: "tokens-missing", paths: ["headers.x-security-token"] })
    expect(yield* paths({})).toMatchObject({ paths: ["headers.cst", "headers.x-security-token"] })
  })
)
