/** Which failures of the wire a read is tried again after. */
import * as Session from "@effect-ig/core/Session"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { keptInMemory } from "./utils/ig.ts"
import { changed } from "./utils/life.ts"

/** Its first read fails so, and no other request. */
const failingOnce = (cause: Error) => {
  let isFirst = true
  return Layer.provideMerge(
    changed((client) =>
      HttpClient.transform(client, (answer, request) => {
        if (request.method !== "GET" || !isFirst) return answer
        isFirst = false
        return new HttpClientError.RequestError({ request, reason: "Transport", cause })
      })
    ),
    keptInMemory()
  )
}

const reading = Effect.gen(function* () {
  yield* Session.login
  const fiber = yield* Effect.fork(Effect.either(Session.read()))
  yield* TestClock.adjust("5 seconds")
  return yield* Fiber.join(fiber)
})

const failure = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall })

describe("a read", () => {
  for (const [name, cause] of [
    ["a server that is not reached", failure("ECONNREFUSED", "connect")],
    ["a name that is not found", failure("ENOTFOUND", "getaddrinfo")],
    ["a connection that is lost", failure("ECONNRESET", "read")]
  ] as const) {
    it.effect(`is tried again after ${name}`, () =>
      Effect.gen(function* () {
        expect(Either.map(yield* reading, ({ accountId }) => accountId)).toEqual(Either.right("SBX01"))
      }).pipe(Effect.provide(failingOnce(cause)))
    )
  }

  it.effect("is not tried again where the server is none to be trusted", () =>
    Effect.gen(function* () {
      expect(Either.flip(yield* reading)).toMatchObject({ right: { _tag: "TransportError", reason: "tls" } })
    }).pipe(Effect.provide(failingOnce(failure("CERT_HAS_EXPIRED"))))
  )
})
