import type { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import { unhurried } from "./utils/effort.ts"
import { inMemory, overHttp } from "./utils/ig.ts"
import { addedBy, type Operation, type Row, table } from "./wire.table.ts"

const perform = (
  operation: Operation,
  switched: boolean
): Effect.Effect<unknown, IgError, Session.Ig | Credentials> => {
  const other = switched ? "SBX01" : "SBX02"
  switch (operation) {
    case "login":
      return Session.login
    case "loginV2":
      return Session.loginV2
    case "refresh":
      return Session.refresh
    case "read":
      return Session.read()
    case "readTokens":
      return Session.read({ fetchTokens: true })
    case "switchAccount":
      return Session.switchAccount(other)
    case "switchDefault":
      return Session.switchAccount(other, { defaultAccount: true })
    case "encryptionKey":
      return Session.encryptionKey
    case "logout":
      return Session.logout
  }
}

const clients = [
  ["nothing", inMemory()],
  ...unhurried([
    ["undici", overHttp(NodeHttpClient.layerUndici)] as const,
    ["Node http", overHttp(NodeHttpClient.layer)] as const,
    ["fetch", overHttp(FetchHttpClient.layer)] as const
  ])
] as const

const without = (headers: Readonly<Record<string, string>>, names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

const sent = (row: Row, added: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    yield* row.family === "oauth" ? Session.login : Session.loginV2
    if (row.switched) yield* Session.switchAccount("SBX02")
    const before = (yield* sandbox.record).length
    yield* Effect.exit(perform(row.operation, row.switched))
    return (yield* sandbox.record).slice(before).map(({ body, headers, method, path, query, version }) => ({
      method,
      path,
      query,
      version,
      headers: without(headers, added),
      body
    }))
  })

for (const [client, layer] of clients) {
  describe(`over ${client} exactly this is sent`, () => {
    for (const row of table) {
      const when = row.switched ? "after a switch" : "before a switch"
      it.live(`by ${row.operation} of a session by ${row.family}, ${when}`, () =>
        Effect.gen(function* () {
          expect(yield* sent(row, addedBy[client])).toEqual(row.requests)
        }).pipe(Effect.provide(layer))
      )
    }
  })
}

const signedOut = ["x-security-token", "cst", "authorization", "ig-account-id"]

it("the table itself has logins, refreshes and the encryption key without tokens, and a user agent everywhere", () => {
  for (const { operation, requests } of table) {
    for (const { headers } of requests) {
      expect(headers["user-agent"]).toBeDefined()
      if (["login", "loginV2", "refresh", "encryptionKey"].includes(operation)) {
        expect(Object.keys(headers).filter((name) => signedOut.includes(name))).toEqual([])
      }
    }
  }
  expect(table.length).toBe(36)
})
