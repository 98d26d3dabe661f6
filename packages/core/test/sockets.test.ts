import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { readFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { describe } from "vitest"
import { anyBody, changed, clients, ig, type Operation, secrets, spell } from "./utils/clients.ts"
import { answer, chunk, deafPort, type FaultyServer, faultyServer, type Options, sized } from "./utils/faultyServer.ts"

interface Place {
  readonly baseUrl: string
  readonly server?: FaultyServer
  /** A second host that nobody may ask anything. */
  readonly stranger?: FaultyServer
}

interface Fault {
  /** As in `docs/transport.md`. */
  readonly name: string
  readonly at: Effect.Effect<Place, never, Scope.Scope>
  /** Of undici, Node http and fetch. */
  readonly outcomes: readonly [string, string, string]
  /** Of megabytes: one operation is enough. */
  readonly isLarge?: boolean
  /** The connection is closed at once, and not just with the client's layer. */
  readonly endsConnection?: boolean
  /** What happens once the request, or the answer's headers, have come: the connections break, or nothing does. */
  readonly then?: { readonly on: "request" | "headers"; readonly what: "reset" | "nothing" }
}

const all = (outcome: string): Fault["outcomes"] => [outcome, outcome, outcome]

const serving = (options: Options): Fault["at"] =>
  Effect.map(faultyServer(options), (server) => ({ baseUrl: server.baseUrl, server }))

const http = (reply: NonNullable<Options["answer"]>) => serving({ answer: reply })

const answering = (bytes: Uint8Array) => http(({ whole }) => whole(bytes))

const limit = 10 * 1024 * 1024
const padded = Buffer.from(anyBody.padEnd(limit))
const tooLarge = Buffer.concat([padded, Buffer.from(" ")])
const zipped = gzipSync(anyBody)
const chunked = { "transfer-encoding": "chunked" }

const faults: ReadonlyArray<Fault> = [
  {
    name: "connection refused",
    at: Effect.map(deafPort, (port) => ({ baseUrl: `http://127.0.0.1:${port}` })),
    outcomes: all("`unreachable`, nothing sent")
  },
  {
    name: "host name that does not resolve",
    at: Effect.succeed({ baseUrl: "https://ig.invalid" }),
    outcomes: all("`dns`, nothing sent")
  },
  {
    name: "certificate that is not trusted",
    at: serving({ protocol: "https", tls: true, answer: ({ whole }) => whole(sized(200, {}, anyBody)) }),
    outcomes: all("`tls`, nothing sent")
  },
  {
    name: "no TLS on the other side",
    at: serving({ protocol: "https", bytes: (socket) => socket.end(sized(400, {})) }),
    outcomes: all("`tls`, may have executed")
  },
  {
    name: "connection reset before the headers",
    at: http(({ reset }) => reset()),
    outcomes: all("`connection-lost`, may have executed")
  },
  {
    name: "connection closed before the headers",
    at: http(({ close }) => close()),
    outcomes: all("`connection-lost`, may have executed")
  },
  {
    name: "an answer that is not HTTP",
    at: http(({ close }) => close(Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"))),
    outcomes: all("`connection-lost`, may have executed")
  },
  {
    name: "headers that never come",
    endsConnection: true,
    at: http(() => undefined),
    then: { on: "request", what: "nothing" },
    outcomes: all("`timeout`, may have executed")
  },
  {
    name: "connection reset in the body",
    at: http(({ part }) => part(answer(200, { "content-length": 100 }, anyBody.slice(0, 20)))),
    then: { on: "headers", what: "reset" },
    outcomes: all("`body-cut`, may have executed")
  },
  {
    name: "connection reset in a chunked body",
    at: http(({ part }) => part(answer(200, chunked, chunk(Buffer.from(anyBody))))),
    then: { on: "headers", what: "reset" },
    outcomes: all("`body-cut`, may have executed")
  },
  {
    name: "connection closed in the body",
    at: http(({ close }) => close(answer(200, { "content-length": 100 }, anyBody.slice(0, 20)))),
    outcomes: all("`body-cut`, may have executed")
  },
  {
    name: "connection closed in a chunked body",
    at: http(({ close }) => close(answer(200, chunked, chunk(Buffer.from(anyBody))))),
    outcomes: all("`body-cut`, may have executed")
  },
  {
    name: "body that never ends",
    endsConnection: true,
    at: http(({ part }) => part(answer(200, { "content-length": 100 }, anyBody.slice(0, 20)))),
    then: { on: "headers", what: "nothing" },
    outcomes: all("`timeout`, may have executed")
  },
  {
    name: "chunked body that never ends",
    endsConnection: true,
    at: http(({ part }) => part(answer(200, chunked, chunk(Buffer.from(anyBody))))),
    then: { on: "headers", what: "nothing" },
    outcomes: all("`timeout`, may have executed")
  },
  {
    name: "body of exactly 10 MB",
    isLarge: true,
    at: answering(sized(200, {}, padded)),
    outcomes: all("the answer")
  },
  {
    name: "body beyond 10 MB",
    endsConnection: true,
    isLarge: true,
    at: http(({ part }) => part(answer(200, { "content-length": 2 * limit }, tooLarge))),
    outcomes: all("`body-too-large`, may have executed")
  },
  {
    name: "chunked body beyond 10 MB",
    endsConnection: true,
    isLarge: true,
    at: http(({ part }) => part(answer(200, chunked, chunk(tooLarge)))),
    outcomes: all("`body-too-large`, may have executed")
  },
  {
    name: "gzip that unpacks to more than 10 MB",
    isLarge: true,
    at: answering(sized(200, { "content-encoding": "gzip" }, gzipSync(tooLarge))),
    outcomes: all("`body-too-large`, may have executed")
  },
  {
    name: "gzip",
    at: answering(sized(200, { "content-encoding": "gzip" }, zipped)),
    outcomes: all("the answer")
  },
  {
    name: "gzip of a refusal",
    at: answering(
      sized(403, { "content-encoding": "gzip" }, gzipSync(`{"errorCode":"error.security.api-key-invalid"}`))
    ),
    outcomes: all("`ApiError` 403 error.security.api-key-invalid")
  },
  {
    name: "gzip that ends in the middle",
    at: answering(sized(200, { "content-encoding": "gzip" }, zipped.subarray(0, -20))),
    outcomes: ["`bad-encoding`, may have executed", "`bad-encoding`, may have executed", "`DecodeError`"]
  },
  {
    name: "connection closed in a gzip body",
    at: http(({ close }) =>
      close(answer(200, { "content-encoding": "gzip", "content-length": zipped.length }, zipped.subarray(0, -20)))
    ),
    outcomes: all("`body-cut`, may have executed")
  },
  {
    name: "gzip without its checksum",
    at: answering(sized(200, { "content-encoding": "gzip" }, zipped.subarray(0, -8))),
    outcomes: ["`bad-encoding`, may have executed", "`bad-encoding`, may have executed", "the answer"]
  },
  {
    name: "gzip with a wrong checksum",
    at: answering(sized(200, { "content-encoding": "gzip" }, Buffer.concat([zipped.subarray(0, -8), Buffer.alloc(8)]))),
    outcomes: all("`bad-encoding`, may have executed")
  },
  {
    name: "gzip by its header, plain in truth",
    at: answering(sized(200, { "content-encoding": "gzip" }, anyBody)),
    outcomes: ["the answer", "the answer", "`bad-encoding`, may have executed"]
  },
  {
    name: "plain by its headers, gzip in truth",
    at: answering(sized(200, {}, zipped)),
    outcomes: all("the answer")
  },
  {
    name: "204 where an answer is due",
    at: answering(answer(204, {})),
    outcomes: all("`DecodeError`")
  },
  {
    name: "empty 200 where an answer is due",
    at: answering(sized(200, {})),
    outcomes: all("`DecodeError`")
  },
  ...[301, 302, 303, 307, 308].map((status): Fault => ({
    name: `${status} to another host`,
    at: Effect.gen(function* () {
      const stranger = yield* faultyServer({ answer: ({ whole }) => whole(sized(200, {}, anyBody)) })
      const location = `http://localhost:${stranger.port}/gateway/deal/session`
      return { ...(yield* answering(sized(status, { location }, "moved"))), stranger }
    }),
    outcomes: all(`\`ApiError\` ${status}`)
  }))
]

const operations: ReadonlyArray<readonly [method: string, operation: Operation]> = [
  ["GET", Session.read()],
  ["PUT", Session.switchAccount("ACC2")],
  ["POST", Session.login]
]

/** Its outcome, after the fault has taken its course; a hanging request ends with its time limit and not before. */
const outcomeOf = ({ then }: Fault, { server }: Place, headers: Queue.Dequeue<void>, operation: Operation) =>
  Effect.gen(function* () {
    const running = yield* Effect.fork(Effect.either(operation))
    if (then !== undefined && server !== undefined) {
      yield* then.on === "request" ? server.requested : Queue.take(headers)
      if (then.what === "reset") yield* server.reset
      else {
        yield* TestClock.adjust("29999 millis")
        expect(Option.isNone(yield* Fiber.poll(running))).toBe(true)
        yield* TestClock.adjust("1 millis")
      }
    }
    return yield* Fiber.join(running)
  })

for (const [column, client] of clients.entries()) {
  describe(`over ${client.name}`, () => {
    for (const fault of faults) {
      const expected = fault.outcomes[column] ?? ""

      it.scoped(`${fault.name}: ${expected}`, () =>
        Effect.gen(function* () {
          const place = yield* fault.at
          const headers = yield* Queue.unbounded<void>()
          const watched = changed(
            client.http,
            HttpClient.tap(() => Queue.offer(headers, undefined))
          )

          yield* Effect.gen(function* () {
            for (const [method, operation] of fault.isLarge === true ? operations.slice(0, 1) : operations) {
              const before = yield* SessionState.get
              const outcome = yield* outcomeOf(fault, place, headers, operation)
              expect(`${method}: ${spell(outcome)}`).toBe(`${method}: ${expected}`)
              if (Either.isLeft(outcome)) expect(yield* SessionState.get).toBe(before)
              if (fault.endsConnection === true && place.server !== undefined) yield* place.server.closed
            }
          }).pipe(Effect.provide(ig(watched, place.baseUrl)))

          if (place.server !== undefined) yield* client.keepsIdle ? place.server.idle : place.server.closed
          if (expected.endsWith("nothing sent")) expect(place.server?.heard() ?? "").toBe("")
          expect(place.stranger?.connections() ?? 0).toBe(0)
          if (place.server?.received.length === 0) {
            for (const secret of secrets) expect(place.server.heard()).not.toContain(secret)
          }
        })
      )
    }
  })
}

it("docs/transport.md says the same", () => {
  const page = readFileSync(new URL("../../../docs/transport.md", import.meta.url), "utf8")
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    )
  const [head, , ...told] = rows
  expect(head?.slice(1)).toEqual(clients.map(({ name }) => name))
  expect(told).toEqual(faults.map(({ name, outcomes }) => [name, ...outcomes]))
})
