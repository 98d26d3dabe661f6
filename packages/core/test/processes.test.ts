import { Credentials } from "@effect-ig/core/Credentials"
import * as Session from "@effect-ig/core/Session"
import { type RecordedRequest, Sandbox, layer as sandboxLayer } from "@effect-ig/sandbox/Sandbox"
import { it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, type ExpectStatic, inject } from "vitest"
import { type Ended, type Running, type Settings, start } from "./processes/start.ts"
import { keptInMemory } from "./utils/ig.ts"
import { leaksIn } from "./utils/secrets.ts"
import { requests } from "./utils/state.ts"

/** `logoutTimeout` of the service, in ms. */
const timeBox = 2_000

/** What a process needs beside, to be told to stop and to stop, on a machine that is busy. */
const overhead = 2_500

const usual: Settings = { LOGIN: "login", HTTP: "undici", BY: "layer", WORK: "wait", CREDENTIALS: "always" }

const endings: ReadonlyArray<Pick<Settings, "BY" | "HTTP" | "LOGIN">> = [
  { LOGIN: "login", BY: "layer", HTTP: "undici" },
  { LOGIN: "loginV2", BY: "scoped", HTTP: "undici" },
  { LOGIN: "login", BY: "layer", HTTP: "node" },
  { LOGIN: "login", BY: "layer", HTTP: "fetch" }
]

/** Of what makes no difference to each other, each is met once. */
const signals: ReadonlyArray<{ readonly signal: NodeJS.Signals } & Pick<Settings, "BY" | "LOGIN">> = [
  { signal: "SIGINT", BY: "layer", LOGIN: "login" },
  { signal: "SIGTERM", BY: "scoped", LOGIN: "loginV2" }
]

const logouts = Effect.map(requests(), (all) => all.filter((request) => request.startsWith("DELETE /session")))

const inWorld = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.provide(Effect.scoped(self), sandboxLayer(inject("planted")))

/** For a fault that nobody says it was met. */
const received = (matches: (request: RecordedRequest) => boolean) =>
  Effect.flatMap(Sandbox, ({ record }) => record).pipe(
    Effect.repeat({ until: (record) => record.some(matches), schedule: Schedule.spaced("5 millis") })
  )

const expectEnd = (expect: ExpectStatic, { code, out, signal }: Ended, expected: { readonly code: number }) => {
  expect({ code, signal, out }).toEqual({ ...expected, signal: null, out })
  expect(leaksIn(out)).toEqual([])
}

describe.concurrent("a program that provides everything and ends leaves nothing", () => {
  for (const { BY, HTTP, LOGIN } of endings) {
    it.live(`${LOGIN}, by ${BY}, over ${HTTP}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const service = yield* start({ ...usual, LOGIN, HTTP, BY, WORK: "end" })
          yield* service.said("worked")
          const worked = performance.now()
          const ended = yield* service.ended
          expectEnd(expect, ended, { code: 0 })
          expect(ended.at - worked).toBeLessThan(overhead)
          expect(yield* logouts).toEqual(["DELETE /session 1 204"])
          expect(yield* (yield* Sandbox).liveSessions).toBe(0)
        })
      )
    )
  }

  it.live("the sessions of other accounts neither", ({ expect }) =>
    inWorld(
      Effect.gen(function* () {
        const service = yield* start({ ...usual, LOGIN: "loginV2", WORK: "accounts" })
        expectEnd(expect, yield* service.ended, { code: 0 })
        expect(yield* logouts).toEqual(["DELETE /session 1 204", "DELETE /session 1 204"])
        expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      })
    )
  )

  it.live("when it fails, too", ({ expect }) =>
    inWorld(
      Effect.gen(function* () {
        const service = yield* start({ ...usual, WORK: "fail" })
        expectEnd(expect, yield* service.ended, { code: 1 })
        expect(yield* (yield* Sandbox).liveSessions).toBe(0)
      })
    )
  )
})

/** It was told to stop: it is logged out, and gone in time. */
const stops = (expect: ExpectStatic, service: Running, signal: NodeJS.Signals, limit: number) =>
  Effect.gen(function* () {
    const told = yield* service.kill(signal)
    const ended = yield* Effect.timeoutFail(service.ended, {
      duration: limit + overhead + 1_000,
      onTimeout: () => "it did not end"
    })
    expectEnd(expect, ended, { code: 0 })
    expect(ended.at - told).toBeLessThan(limit + overhead)
  })

describe("a program whose session is stored", () => {
  it.live("leaves it to the next, also when it is told to stop in the middle of a refresh", ({ expect }) =>
    inWorld(
      Effect.gen(function* () {
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "ig-store-"))),
          (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
        )
        const kept: Settings = { ...usual, BY: "store", STORE: join(folder, "session") }
        const sandbox = yield* Sandbox
        const { reached, release } = yield* sandbox.hold("after", atRefresh)
        const first = yield* start({ ...kept, WORK: "refresh" })
        yield* reached
        yield* first.kill("SIGTERM")
        yield* first.said("stopping")
        yield* release
        expectEnd(expect, yield* first.ended, { code: 0 })

        const second = yield* start({ ...kept, WORK: "end" })
        expectEnd(expect, yield* second.ended, { code: 0 })
        expect(yield* requests()).toEqual([
          "POST /session 3 200",
          "POST /session/refresh-token 1 200",
          "GET /session 1 200",
          "GET /session 1 200"
        ])
        expect((yield* sandbox.record).at(-1)?.headers["authorization"]).toBe("Bearer access-2")
        expect(readdirSync(folder)).toEqual(["session"])
      })
    )
  )
})

const atRefresh = { method: "POST", path: "/session/refresh-token" }

const atLogin = { method: "POST", path: "/session" }

/** A session that IG has taken already, and refuses from the next call on. */
const dying = (settings: Settings) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const call = yield* sandbox.hold("before", { method: "GET", path: "/positions" })
    const service = yield* start({ ...settings, WORK: "call" })
    yield* call.reached
    return { service, die: Effect.zipRight(sandbox.expire("all"), call.release) }
  })

for (const { BY, LOGIN, signal } of signals) {
  describe.concurrent(`on ${signal}, by ${BY}`, () => {
    it.live(`a program at rest is logged out: ${LOGIN}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const service = yield* start({ ...usual, LOGIN, BY })
          yield* service.said("ready")
          yield* stops(expect, service, signal, 0)
          expect(yield* logouts).toEqual(["DELETE /session 1 204"])
          expect(yield* (yield* Sandbox).liveSessions).toBe(0)
        })
      )
    )

    for (const point of ["before", "after"] as const) {
      it.live(`while a refresh hangs at ${point} the program is logged out`, ({ expect }) =>
        inWorld(
          Effect.gen(function* () {
            const sandbox = yield* Sandbox
            const refresh = yield* sandbox.hold(point, atRefresh)
            const service = yield* start({ ...usual, BY, WORK: "refresh" })
            yield* refresh.reached
            yield* stops(expect, service, signal, timeBox)
            expect(yield* logouts).toEqual(["DELETE /session 1 204"])
            expect(yield* sandbox.liveSessions).toBe(0)
          })
        )
      )
    }

    it.live(`while a refresh is never answered the program is logged out`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          yield* sandbox.inject({ kind: "never", ...atRefresh })
          const service = yield* start({ ...usual, BY, WORK: "refresh" })
          yield* received(({ path }) => path === atRefresh.path)
          yield* stops(expect, service, signal, timeBox)
          expect(yield* logouts).toEqual(["DELETE /session 1 204"])
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )

    it.live("a refresh that ends in time is waited for, and its tokens are those that log out", ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const refresh = yield* sandbox.hold("after", atRefresh)
          const service = yield* start({ ...usual, BY, WORK: "refresh" })
          yield* refresh.reached
          yield* service.kill(signal)
          yield* service.said("stopping")
          yield* refresh.release
          expectEnd(expect, yield* service.ended, { code: 0 })
          const logout = (yield* sandbox.record).find(({ method }) => method === "DELETE")
          expect([logout?.headers["authorization"], logout?.status]).toEqual(["Bearer access-2", 204])
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )

    it.live(`while the next login hangs the program is gone in time: ${LOGIN}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const { die, service } = yield* dying({ ...usual, BY, LOGIN })
          const login = yield* sandbox.hold("before", atLogin)
          yield* die
          yield* login.reached
          yield* stops(expect, service, signal, timeBox)
          // Of a session that is over already.
          expect(yield* logouts).toEqual(["DELETE /session 1 401"])
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )

    it.live(`a login that ends in time is waited for, and logged out: ${LOGIN}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const { die, service } = yield* dying({ ...usual, BY, LOGIN })
          const login = yield* sandbox.hold("after", atLogin)
          yield* die
          yield* login.reached
          yield* service.kill(signal)
          yield* service.said("stopping")
          yield* login.release
          expectEnd(expect, yield* service.ended, { code: 0 })
          expect(yield* logouts).toEqual(["DELETE /session 1 204"])
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )

    it.live(`while a renewal waits for its next try the program is gone at once: ${LOGIN}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const { die, service } = yield* dying({ ...usual, BY, LOGIN })
          yield* sandbox.inject({ kind: "answer", status: 503, errorCode: "system.error", ...atLogin })
          yield* die
          yield* received(({ path, status }) => path === atLogin.path && status === 503)
          yield* stops(expect, service, signal, 0)
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )

    it.live(`while the session of another account is being opened the program is gone in time`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const read = yield* sandbox.hold("before", { method: "GET", path: "/session" })
          const service = yield* start({ ...usual, BY, LOGIN: "loginV2", WORK: "accounts" })
          yield* read.reached
          const login = yield* sandbox.hold("before", atLogin)
          yield* read.release
          yield* login.reached
          yield* stops(expect, service, signal, timeBox)
          expect(yield* logouts).toEqual(["DELETE /session 1 204"])
          expect(yield* sandbox.liveSessions).toBe(0)
        })
      )
    )
  })
}

describe.concurrent("while nobody supplies the credentials of the next login", () => {
  it.live("a program that is told to stop is gone in time", ({ expect }) =>
    inWorld(
      Effect.gen(function* () {
        const { die, service } = yield* dying({ ...usual, CREDENTIALS: "once" })
        yield* die
        yield* service.said("asked")
        yield* stops(expect, service, "SIGINT", timeBox)
      })
    )
  )

  it.effect("a layer that is closed is closed in time", ({ expect }) =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const program = Effect.gen(function* () {
        const credentials = yield* Credentials
        let times = 0
        const once = Effect.suspend(() =>
          times++ === 0 ? credentials : Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
        )
        yield* Effect.provideService(Session.scoped(Session.login), Credentials, once)
        yield* Session.read()
        yield* (yield* Sandbox).expire("all")
        yield* Session.read()
      })
      const stack = keptInMemory({ logoutTimeout: timeBox })
      const fiber = yield* Effect.fork(Effect.provide(Effect.scoped(program), stack))
      yield* Deferred.await(asked)
      yield* Fiber.interruptFork(fiber)
      yield* TestClock.adjust(timeBox)
      yield* TestClock.adjust(overhead)
      const isClosed = fiber.unsafePoll() !== null
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.await(fiber)
      expect(isClosed).toBe(true)
    })
  )
})

describe("a second SIGINT", () => {
  for (const BY of ["layer", "scoped"] as const) {
    it.live(`ends the program at once: by ${BY}`, ({ expect }) =>
      inWorld(
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const refresh = yield* sandbox.hold("before", atRefresh)
          const service = yield* start({ ...usual, BY, WORK: "refresh" })
          yield* refresh.reached
          yield* service.kill("SIGINT")
          yield* service.said("stopping")
          const told = yield* service.kill("SIGINT")
          const { at, code, signal } = yield* service.ended
          expect({ code, signal }).toEqual({ code: null, signal: "SIGINT" })
          // The first alone would have waited for the refresh during half of its time box.
          expect(at - told).toBeLessThan(timeBox / 2 - 100)
          expect(yield* logouts).toEqual([])
        })
      )
    )
  }
})
