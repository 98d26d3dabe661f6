import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { describe } from "vitest"
import { anyBody, changed, clients, ig, oauthSession, type Operation, spell, tokenSession } from "./utils/clients.ts"
import { faultyServer, type Reply, sized } from "./utils/faultyServer.ts"

const faults: Readonly<Record<"503" | "lost", (reply: Reply) => void>> = {
  503: ({ whole }) => whole(sized(503, {}, `{"errorCode":"system.error"}`)),
  lost: ({ reset }) => reset()
}

const repeated = "`repeated`, may have executed"

/** Clients that repeat what fails, and what comes of it. */
const repeaters: ReadonlyArray<{
  readonly name: string
  readonly change: (client: HttpClient.HttpClient) => HttpClient.HttpClient
  readonly outcomes: Readonly<Record<keyof typeof faults, string>>
}> = [
  {
    name: "retryTransient",
    change: HttpClient.retryTransient({ times: 3 }),
    outcomes: { 503: repeated, lost: repeated }
  },
  {
    name: "retry",
    change: HttpClient.retry({ times: 3 }),
    outcomes: { 503: "`ApiError` 503 system.error", lost: repeated }
  },
  {
    name: "filterStatusOk with retry",
    change: (client) => HttpClient.retry(HttpClient.filterStatusOk(client), { times: 3 }),
    outcomes: { 503: repeated, lost: repeated }
  },
  {
    name: "a repeated transformResponse",
    change: HttpClient.transformResponse(Effect.repeatN(3)),
    outcomes: { 503: repeated, lost: "`connection-lost`, may have executed" }
  }
]

const operations: ReadonlyArray<{
  readonly name: string
  readonly operation: Operation
  readonly session: SessionState.SignedIn
}> = [
  { name: "switch", operation: Session.switchAccount("ACC2"), session: tokenSession },
  { name: "login", operation: Session.login, session: oauthSession },
  { name: "loginV2", operation: Session.loginV2, session: tokenSession },
  { name: "refresh", operation: Session.refresh, session: oauthSession }
]

for (const client of clients) {
  describe(`over ${client.name}`, () => {
    for (const { change, name, outcomes } of repeaters) {
      for (const fault of ["503", "lost"] as const) {
        it.scoped(`with ${name}, ${fault}: a switch, a login and a refresh leave once`, () =>
          Effect.gen(function* () {
            for (const { name, operation, session } of operations) {
              const server = yield* faultyServer({ answer: faults[fault] })
              yield* Effect.gen(function* () {
                expect(`${name}: ${spell(yield* Effect.either(operation))}`).toBe(`${name}: ${outcomes[fault]}`)
                expect(yield* SessionState.get).toBe(session)
              }).pipe(Effect.provide(ig(changed(client.http, change), server.baseUrl, session)))
              expect(server.received).toHaveLength(1)
              yield* client.keepsIdle ? server.idle : server.closed
            }
          })
        )
      }
    }

    it.scoped("a logout leaves once, and the session is over here", () =>
      Effect.gen(function* () {
        const server = yield* faultyServer({ answer: faults.lost })
        const http = changed(client.http, HttpClient.retryTransient({ times: 3 }))
        yield* Effect.gen(function* () {
          expect(spell(yield* Effect.either(Session.logout))).toBe(repeated)
          expect((yield* SessionState.get)._tag).toBe("SignedOut")
        }).pipe(Effect.provide(ig(http, server.baseUrl)))
        expect(server.received).toHaveLength(1)
      })
    )

    for (const fault of ["503", "lost"] as const) {
      it.scoped(`a read may be repeated: ${fault}`, () =>
        Effect.gen(function* () {
          const server = yield* faultyServer({
            answer: (reply) =>
              server.received.length < 3 ? faults[fault](reply) : reply.whole(sized(200, {}, anyBody))
          })
          const http = changed(client.http, HttpClient.retryTransient({ times: 3 }))
          const outcome = yield* Effect.either(Session.read()).pipe(Effect.provide(ig(http, server.baseUrl)))
          expect(Either.isRight(outcome)).toBe(true)
          expect(server.received.map(({ method }) => method)).toEqual(["GET", "GET", "GET"])
        })
      )
    }
  })
}
