import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, describe, inject } from "vitest"
import { printed, shown } from "./utils/output.ts"
import { clientLayer } from "./utils/ig.ts"
import { bareRun, expire, fileStore, type Login, run, temporaryFolder } from "./utils/runs.ts"
import { leaksIn, remember } from "./utils/secrets.ts"
import { inspected, makeLogs, makeSpans, printings } from "./utils/sinks.ts"

beforeAll(() => {
  shown.isOn = false
})

/** What a file may look like that somebody, or some crash, has made of the one that was there. */
const damages: Readonly<Record<string, (text: string) => string>> = {
  cut: (text) => text.slice(0, -20),
  "tokens in the wrong places": (text) => {
    const token = /"(?:accessToken|cst)":"([^"]+)"/.exec(text)?.[1] ?? ""
    return text.replace(/"baseUrl":"[^"]*"/, `"baseUrl":"${token}"`)
  },
  "a token for a version": (text) => text.replace(/"version":1/, `"version":"${text.slice(-60, -20)}"`),
  "a token for a login": (text) => text.replace(/"loggedInBy":"[^"]*"/, `"loggedInBy":"${text.slice(-60, -20)}"`)
}

const secretsOf = Effect.gen(function* () {
  const issued = yield* (yield* Sandbox.Sandbox).issued
  const tokens = issued.map(({ value }) => value)
  remember(...tokens)
  return tokens
})

const ids = /SBX0|100000001/

const logins: ReadonlyArray<readonly [name: string, login: Login]> = [
  ["OAuth", Session.login],
  ["CST", Session.loginV2]
]

/** Runs that resume, that cannot, and whose store is broken in every way. */
const lives = (login: Login, path: string) =>
  Effect.gen(function* () {
    const things: Array<unknown> = []
    const events: Array<SessionEvent> = []
    const listen = Effect.forkScoped(
      Stream.runForEach(Session.events, (event) => Effect.sync(() => void events.push(event)))
    )
    const once = <A, E, R>(self: Effect.Effect<A, E, R>) =>
      Effect.gen(function* () {
        const outcome = yield* Effect.either(self)
        things.push(Either.isLeft(outcome) ? outcome.left : outcome.right)
        yield* Effect.logError("outcome", outcome)
      })
    const program = Effect.gen(function* () {
      yield* listen
      yield* Session.resumed(login)
      yield* withAccount("SBX02")(Session.read())
      yield* Session.read({ fetchTokens: true })
      yield* Session.switchAccount("SBX02")
      things.push(yield* Session.status, yield* SessionStore.SessionStore)
    }).pipe(Effect.scoped, Effect.provide(clientLayer()))

    yield* once(program)
    yield* once(program)
    yield* expire("access", "refresh", "cst", "xst")
    yield* once(bareRun(Session.read()))
    yield* once(program)
    for (const damage of Object.values(damages)) {
      writeFileSync(path, damage(readFileSync(path, "utf8")))
      yield* once(bareRun(Effect.void))
      yield* once(program)
    }
    const text = readFileSync(path, "utf8")
    rmSync(path)
    mkdirSync(path)
    yield* once(program)
    rmSync(path, { recursive: true })
    symlinkSync("elsewhere", path)
    yield* once(program)
    rmSync(path)
    writeFileSync(path, text)
    yield* once(run(login, Effect.void))
    return { things, events }
  })

describe("tokens are in the store's file, and nowhere else", () => {
  for (const [name, login] of logins) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const path = join(folder, "session")
        const spans = makeSpans()
        const logs = makeLogs()
        const stack = Layer.mergeAll(
          Sandbox.layerHttpClient(inject("planted")),
          fileStore(path),
          spans.layer,
          logs.layer
        )
        const { events, secrets, things } = yield* Effect.gen(function* () {
          const lived = yield* lives(login, path)
          return { ...lived, secrets: yield* secretsOf }
        }).pipe(Effect.provide(stack))

        // The search finds them where they are.
        expect(leaksIn(readFileSync(path, "utf8"), secrets).length).toBeGreaterThanOrEqual(2)
        expect(readdirSync(folder)).toEqual(["session"])
        expect(statSync(path).mode & 0o777).toBe(0o600)
        const { apiKey, password } = inject("planted")
        expect(leaksIn(readFileSync(path, "utf8"), [apiKey, password])).toEqual([])

        expect(leaksIn(things.flatMap(printings))).toEqual([])
        expect(leaksIn(events.flatMap(printings))).toEqual([])
        expect(leaksIn(spans.printed())).toEqual([])
        expect(leaksIn(logs.printed)).toEqual([])
        expect(leaksIn(printed)).toEqual([])
        const counted = inspected((yield* Metric.snapshot).filter(({ metricKey }) => metricKey.name.startsWith("ig_")))
        expect(leaksIn(counted)).toEqual([])
        expect(counted).not.toMatch(ids)
        const ours = spans.seen.filter((span) => span.name.startsWith("Ig."))
        expect(inspected(ours.map((span) => [span.name, span.attributes]))).not.toMatch(ids)

        // It was a life with all that it is about.
        const tags = new Set(events.map(({ _tag }) => _tag))
        expect([...tags]).toEqual(expect.arrayContaining(["Resumed", "LoggedIn", "StoreFailed"]))
        expect(ours.map((span) => span.name)).toContain("Ig.session.resume")
        for (const outcome of ["resumed", "nothing", "ignored", "dead"]) expect(counted).toContain(outcome)
        const text = logs.printed.join("\n")
        for (const warning of ["is ignored: it cannot be read", "another environment", "symbolic link", "no file"]) {
          expect(text).toContain(warning)
        }
      })
    )
  }
})
