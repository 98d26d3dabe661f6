import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import type { KeyValueStore } from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "vitest"
import { fileStore, run, store, stored, temporaryFolder, world } from "./utils/runs.ts"
import { leaksIn, remember } from "./utils/secrets.ts"

const nextRun = run(Session.login, Effect.void)

/** What is warned of, while this goes on. */
const warnings = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const seen: Array<string> = []
    const logger = Logger.make(({ annotations, logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) {
        seen.push([message, ...HashMap.values(annotations)].flat().join(" "))
      }
    })
    const result = yield* Effect.provide(self, Logger.replace(Logger.defaultLogger, logger))
    return { result, seen }
  })

const rememberAll = Effect.flatMap(
  Effect.flatMap(Sandbox, ({ issued }) => issued),
  (issued) => Effect.sync(() => remember(...issued.map(({ value }) => value)))
)

const Json = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

/** The text with some of its parts changed. */
const changed = (text: string, parts: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ...Schema.decodeUnknownSync(Json)(text), ...parts })

const damaged = "it cannot be read: it is damaged"

const somethingElse = "it cannot be read: it is damaged, or something else"

interface Case {
  readonly name: string
  readonly change: (text: string) => string
  readonly why: string
}

const cases: ReadonlyArray<Case> = [
  { name: "nothing at all", change: () => "", why: somethingElse },
  { name: "garbage", change: () => "\u0000\u0001{[", why: somethingElse },
  { name: "other JSON", change: () => `["version", 1]`, why: somethingElse },
  { name: "tokens of something else", change: (text) => JSON.stringify({ version: "1", text }), why: somethingElse },
  { name: "half of it", change: (text) => text.slice(0, text.length / 2), why: somethingElse },
  { name: "all but the end of it", change: (text) => text.slice(0, -1), why: somethingElse },
  { name: "another one's end after it", change: (text) => text + text.slice(-40), why: somethingElse },
  { name: "a version without the rest", change: () => `{"version":1}`, why: damaged },
  {
    name: "a later version",
    change: (text) => changed(text, { version: 2 }),
    why: "it is in version 2 of the format, and this release reads version 1"
  },
  { name: "a token that no header can hold", change: (text) => text.replace(/"accessToken":"/, "$&\\n"), why: damaged },
  { name: "an account of no such form", change: (text) => text.replace(`"SBX01"`, `"SBX 01"`), why: damaged },
  { name: "no token", change: (text) => text.replace(/"refreshToken":"[^"]*"/, `"refreshToken":""`), why: damaged },
  {
    name: "another environment",
    change: (text) => changed(text, { baseUrl: "https://api.ig.com/gateway/deal" }),
    why: "it is of another environment"
  },
  {
    name: "another key",
    change: (text) => changed(text, { apiKey: `${"0".repeat(16)}.${"0".repeat(64)}` }),
    why: "it is of another API key"
  },
  { name: "more before a fingerprint", change: (text) => text.replace(`"apiKey":"`, "$&0"), why: damaged },
  { name: "more after a fingerprint", change: (text) => text.replace(/"apiKey":"[^"]*/, "$&0"), why: damaged },
  {
    name: "another identifier",
    change: (text) => changed(text, { identifier: `${"0".repeat(16)}.${"0".repeat(64)}` }),
    why: "it is of another identifier"
  },
  { name: "no identifier", change: (text) => changed(text, { identifier: null }), why: "it is of another identifier" }
]

/** Read by the same decoder, so one of each kind will do. */
const inFiles = cases.filter(({ name }) =>
  ["garbage", "half of it", "a later version", "another environment", "another key", "another identifier"].includes(
    name
  )
)

describe("what is stored is ignored, with one warning and without a secret in it, if it is", () => {
  for (const { change, name, why } of cases) {
    it.effect(name, () =>
      Effect.gen(function* () {
        yield* run(Session.login, Effect.void)
        const text = (yield* stored) ?? ""
        yield* store(change(text))
        const { result, seen } = yield* warnings(run(Session.login, Effect.void))
        yield* rememberAll
        expect(seen).toEqual([`Session store ig-session: the session in it is ignored: ${why}`])
        expect(leaksIn(seen)).toEqual([])
        expect(result).toEqual({ sent: ["POST /session 3 200"], end: "SBX01 access-2 refresh-2" })
        // And what replaces it is good.
        expect((yield* run(Session.login, Effect.void)).sent).toEqual(["GET /session 1 200"])
      }).pipe(Effect.provide(world()))
    )
  }

  it.scoped("one of each kind in a file", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "session")
      yield* Effect.gen(function* () {
        yield* nextRun
        for (const { change, name, why } of inFiles) {
          writeFileSync(path, change(readFileSync(path, "utf8")))
          const { result, seen } = yield* warnings(nextRun)
          yield* rememberAll
          const warning = `Session store ${path}: the session in it is ignored: ${why}`
          expect({ name, seen }).toEqual({ name, seen: [warning] })
          expect(leaksIn(seen)).toEqual([])
          expect(result.sent).toEqual(["POST /session 3 200"])
        }
        expect(inFiles).toHaveLength(6)
        // And what replaced the last is good.
        expect((yield* nextRun).sent).toEqual(["GET /session 1 200"])
      }).pipe(Effect.provide(Layer.merge(world(), fileStore(path))))
    })
  )

  it.effect("cut anywhere", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      const text = (yield* stored) ?? ""
      for (let length = 0; length < text.length; length += 97) {
        yield* store(text.slice(0, length))
        expect((yield* warnings(run(Session.login, Effect.void))).seen).toHaveLength(1)
      }
    }).pipe(Effect.provide(world()))
  )

  it.effect("of another login than the one that is asked for", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      const { result, seen } = yield* warnings(run(Session.loginV2, Effect.void))
      expect(seen.join()).toContain("it was opened by Session.login, which is not the login asked for")
      expect(result).toEqual({ sent: ["POST /session 2 200"], end: "SBX01 cst-1 xst-1" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("dead", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      yield* (yield* Sandbox).purge
      const { result, seen } = yield* warnings(run(Session.loginV2, Effect.void))
      expect(seen).toEqual(["Session store ig-session: the session in it is ignored: IG does not take it any more"])
      expect(result.sent).toEqual(["GET /session 1 401", "POST /session 2 200"])
    }).pipe(Effect.provide(world()))
  )

  for (const [name, answer] of [
    ["another account", { clientId: "100000001", accountId: "SBX02" }],
    ["another client", { clientId: "100000002", accountId: "SBX01" }]
  ] as const) {
    it.effect(`by now on ${name}, though its tokens live`, () =>
      Effect.gen(function* () {
        yield* run(Session.login, Effect.void)
        const text = JSON.stringify(answer)
        yield* (yield* Sandbox).inject({ kind: "answer", status: 200, text, method: "GET", path: "/session" })
        const { result } = yield* warnings(run(Session.login, Effect.void))
        expect(result.sent).toEqual(["GET /session 1 200", "POST /session 3 200"])
      }).pipe(Effect.provide(world()))
    )
  }

  const reallyOther = (read: Effect.Effect<string | undefined, never, KeyValueStore>) =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* nextRun
      const text = yield* read
      const other = (options: Partial<IgClient.Options>) =>
        warnings(
          Effect.exit(
            Effect.provide(
              Effect.void,
              Layer.provideMerge(
                IgClient.layerResumed(Session.login),
                IgClient.layer({
                  environment: sandbox.baseUrl,
                  apiKey: Redacted.make(sandbox.apiKey),
                  identifier: sandbox.identifier,
                  password: Redacted.make(sandbox.password),
                  ...options
                })
              )
            )
          )
        )
      expect((yield* other({ apiKey: Redacted.make("other") })).seen.join()).toContain("another API key")
      expect((yield* other({ identifier: "other" })).seen.join()).toContain("another identifier")
      expect((yield* other({ environment: "http://127.0.0.1:1" })).seen.join()).toContain("another environment")
      // None of them could log in, so the session is there as it was.
      expect(text).toBeDefined()
      expect(yield* read).toBe(text)
    })

  it.effect("real: another key, identifier or environment in the configuration", () =>
    Effect.provide(reallyOther(stored), world())
  )

  it.scoped("real, in a file: another key, identifier or environment in the configuration", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "session")
      const read = Effect.sync(() => readFileSync(path, "utf8"))
      yield* Effect.provide(reallyOther(read), Layer.merge(world(), fileStore(path)))
    })
  )
})

describe("what is stored", () => {
  it.effect("tells neither the key nor who it is, and is never the same twice", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* run(Session.loginV2, withAccount("SBX02")(Session.read()))
      const first = (yield* stored) ?? ""
      expect(leaksIn(first, [sandbox.apiKey, sandbox.password])).toEqual([])
      expect(first).not.toContain(`"${sandbox.identifier}"`)
      yield* run(Session.loginV2, Effect.void)
      const second = (yield* stored) ?? ""
      const prints = (text: string) => [...text.matchAll(/"[0-9a-f]{16}\.[0-9a-f]{64}"/g)].map(String)
      expect(new Set([...prints(first), ...prints(second)]).size).toBe(4)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is nothing unless it was asked for", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const client = IgClient.layer({
        environment: sandbox.baseUrl,
        apiKey: Redacted.make(sandbox.apiKey),
        identifier: sandbox.identifier,
        password: Redacted.make(sandbox.password)
      })
      yield* Effect.provide(Session.login, client)
      yield* Effect.provide(Session.read(), Layer.provideMerge(IgClient.layerSignedIn(Session.loginV2), client))
      expect(yield* stored).toBeUndefined()
    }).pipe(Effect.provide(world()))
  )
})
