import { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { SystemError } from "@effect/platform/Error"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { join } from "node:path"
import { describe } from "vitest"
import { faultyFiles, makeCalls } from "./utils/faultyFiles.ts"
import { clientLayer } from "./utils/ig.ts"
import { changed } from "./utils/life.ts"
import { expire, fileStore, run, store, stored, temporaryFolder, world } from "./utils/runs.ts"
import { leaksIn } from "./utils/secrets.ts"
import { makeLogs } from "./utils/sinks.ts"
import { eventually, held, requests } from "./utils/state.ts"

type Act = (write: Effect.Effect<void>, text: string) => Effect.Effect<void, SystemError>

/** A store whose writes are done by this; each of its writes is counted. */
const makeKeys = (act: Act) => {
  const counts = { begun: 0, underWay: 0, most: 0 }
  const memory = Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory)
  const layer = Layer.effect(
    KeyValueStore.KeyValueStore,
    Effect.map(memory, (inner) =>
      KeyValueStore.make({
        ...inner,
        set: (key, value) =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              counts.begun += 1
              counts.underWay += 1
              counts.most = Math.max(counts.most, counts.underWay)
            }),
            () => act(Effect.orDie(inner.set(key, value)), String(value)),
            () => Effect.sync(() => void (counts.underWay -= 1))
          )
      })
    )
  )
  return { counts, layer }
}

const failed = new SystemError({ module: "KeyValueStore", method: "set", reason: "PermissionDenied" })

const atLogin = { method: "POST", path: "/session" } as const

/** IG takes this identifier, too, for the one that it knows. */
const knownAs = (name: string) =>
  HttpClient.mapRequest((request) => {
    if (request.body._tag !== "Uint8Array") return request
    const text = new TextDecoder().decode(request.body.body).replace(`"${name}"`, `"sandbox"`)
    return HttpClientRequest.bodyUint8Array(request, new TextEncoder().encode(text))
  })

const nextRun = run(Session.login, Effect.void)

describe("a kept session", () => {
  it.effect("is stored at each change, before the program ends", () =>
    Effect.gen(function* () {
      const texts: Array<string | undefined> = []
      const look = Effect.map(stored, (text) => void texts.push(text))
      const settle = Effect.zipRight(Effect.yieldNow(), look)
      yield* run(
        Session.login,
        Effect.gen(function* () {
          yield* settle
          yield* Session.refresh
          yield* settle
          yield* Session.switchAccount("SBX02")
          yield* settle
          yield* Session.read({ fetchTokens: true })
          yield* settle
          yield* expire("access", "refresh")
          yield* Session.read()
          yield* settle
        })
      )
      expect(new Set(texts).size).toBe(5)
      expect(texts).not.toContain(undefined)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is written by one writer, in order, and does not wait for it", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const { counts, layer } = makeKeys((write) => Effect.zipRight(Deferred.await(gate), write))
      yield* Effect.gen(function* () {
        const program = Effect.gen(function* () {
          yield* Effect.repeatN(Session.refresh, 9)
          expect(counts).toEqual({ begun: 1, underWay: 1, most: 1 })
          expect(yield* held).toBe("SBX01 access-11 refresh-11")
        })
        const running = yield* Effect.fork(run(Session.login, program))
        yield* eventually(Effect.map(requests(), ({ length }) => length === 11))
        // Closing waits for the last.
        yield* Effect.repeatN(Effect.yieldNow(), 100)
        expect(running.unsafePoll()).toBeNull()
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(running)
        expect(counts.most).toBe(1)
        expect(counts.begun).toBe(2)
        expect((yield* nextRun).end).toBe("SBX01 access-11 refresh-11")
      }).pipe(Effect.provide(world({}, layer)))
    })
  )

  it.effect("is resumed by its own program as it is, not as a slow store still has it", () =>
    Effect.gen(function* () {
      const { counts, layer } = makeKeys((write) => Effect.delay(write, 300))
      yield* Effect.gen(function* () {
        const program = Effect.gen(function* () {
          yield* Effect.sleep(1_000)
          yield* Session.refresh
          const resuming = yield* Effect.fork(Session.resumed(Session.login))
          yield* Effect.sleep(50)
          yield* Session.refresh
          yield* Fiber.join(resuming)
          expect(yield* held).toBe("SBX01 access-3 refresh-3")
        })
        const running = yield* Effect.fork(run(Session.login, Effect.scoped(program)))
        yield* Effect.repeatN(TestClock.adjust(100), 50)
        expect((yield* Fiber.join(running)).sent).toEqual([
          "POST /session 3 200",
          "POST /session/refresh-token 1 200",
          "GET /session 1 200",
          "POST /session/refresh-token 1 200"
        ])
        expect(counts.most).toBe(1)
      }).pipe(Effect.provide(world({}, layer)))
    })
  )

  it.effect("is stored for whoever its last login was, by renewal too", () =>
    Effect.gen(function* () {
      const { password } = yield* Sandbox
      let identifier = "sandbox"
      const login = Effect.provideService(
        Session.login,
        Credentials,
        Effect.sync(() => ({ identifier, password: Redacted.make(password) }))
      )
      yield* run(
        login,
        Effect.gen(function* () {
          yield* Session.read()
          yield* expire("access", "refresh")
          identifier = "renamed"
          yield* Session.read()
        })
      )
      expect((yield* run(login, Effect.void)).sent).toEqual(["GET /session 1 200"])
      identifier = "sandbox"
      expect((yield* run(login, Effect.void)).sent).toEqual(["POST /session 3 200"])
    }).pipe(Effect.provide(Layer.provideMerge(changed(knownAs("renamed")), world())))
  )

  it.effect(
    "whose store cannot be written goes on, says so without a secret, and is stored when that works again",
    () =>
      Effect.gen(function* () {
        let trouble: Act = () => Effect.fail(failed)
        const logs = makeLogs()
        const { layer } = makeKeys((write, text) => trouble(write, text))
        const events: Array<SessionEvent> = []
        yield* Effect.gen(function* () {
          yield* run(
            Session.login,
            Effect.gen(function* () {
              yield* Effect.fork(Stream.runForEach(Session.events, (event) => Effect.sync(() => events.push(event))))
              yield* Effect.yieldNow()
              yield* Session.refresh
              yield* Effect.yieldNow()
              trouble = (_, text) => Effect.die(new Error(text))
              yield* Session.refresh
              yield* Effect.yieldNow()
              trouble = (_, text) => Effect.fail(new SystemError({ ...failed, description: text, cause: text }))
              yield* Session.refresh
              yield* Effect.yieldNow()
              expect(yield* stored).toBeUndefined()
              trouble = (write) => write
              yield* eventually(Effect.sync(() => events.length === 7))
            })
          )
          expect((yield* nextRun).end).toBe("SBX01 access-4 refresh-4")
        }).pipe(Effect.provide(Layer.merge(world({}, layer), logs.layer)))
        expect(events.filter(({ _tag }) => _tag === "Renewed")).toHaveLength(3)
        expect(events.filter(({ _tag }) => _tag === "StoreFailed")).toMatchObject([
          { operation: "save", detail: "PermissionDenied: KeyValueStore.set (ig-session)" },
          { operation: "save", detail: "PermissionDenied: KeyValueStore.set (ig-session)" },
          { operation: "save", detail: "it died of a bug of its own" },
          { operation: "save", detail: "PermissionDenied: KeyValueStore.set (ig-session)" }
        ])
        const text = logs.printed.join("\n")
        expect(text).toContain("Session store ig-session: save failed: PermissionDenied")
        expect(leaksIn([text, JSON.stringify(events)])).toEqual([])
      })
  )

  it.effect("whose store hangs ends all the same, with a warning", () =>
    Effect.gen(function* () {
      const logs = makeLogs()
      const { layer } = makeKeys(() => Effect.uninterruptible(Effect.never))
      const running = yield* Effect.fork(nextRun.pipe(Effect.provide(Layer.merge(world({}, layer), logs.layer))))
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(running)
      expect(logs.printed.join("\n")).toContain("The session store did not end in time")
    })
  )

  it.effect("waits 5 seconds for a store that does not answer, and goes on", () =>
    Effect.gen(function* () {
      let isHanging = true
      const logs = makeLogs()
      const { counts, layer } = makeKeys((write) => (isHanging ? Effect.never : write))
      const stack = Layer.merge(world({}, layer), logs.layer)
      yield* Effect.gen(function* () {
        const running = yield* Effect.fork(
          run(Session.login, Effect.zipRight(Effect.sleep("6 seconds"), Session.refresh))
        )
        yield* eventually(Effect.sync(() => counts.begun === 1))
        yield* TestClock.adjust("5 seconds")
        yield* eventually(Effect.sync(() => logs.printed.join().includes("save failed: it took too long")))
        isHanging = false
        yield* TestClock.adjust("1 seconds")
        yield* Fiber.join(running)
        expect((yield* nextRun).end).toBe("SBX01 access-2 refresh-2")
      }).pipe(Effect.provide(stack))
    })
  )

  it.scoped(
    "on a disk that hangs is told to have failed after 5 seconds, and so is what waits for it; then it is stored",
    () =>
      Effect.gen(function* () {
        // After the three calls that find nothing to resume, the fifth of the save.
        const calls = makeCalls({ kind: "hangs", at: 8 })
        const release = Deferred.succeed(calls.released, undefined)
        const failures: Array<SessionEvent> = []
        const hasFailed = (times: number) => eventually(Effect.sync(() => failures.length === times))
        const program = Effect.gen(function* () {
          const failed = Stream.filter(Session.events, ({ _tag }) => _tag === "StoreFailed")
          yield* Effect.fork(Stream.runForEach(failed, (event) => Effect.sync(() => failures.push(event))))
          yield* Deferred.await(calls.hung)
          yield* TestClock.adjust("5 seconds")
          yield* hasFailed(1)
          yield* Session.refresh
          yield* TestClock.adjust("5 seconds")
          yield* hasFailed(2)
          expect(calls.made.slice(3)).toEqual(["readLink", "makeDirectory", "open", "chmod", "writeAll"])
          yield* Session.refresh
        })
        yield* Effect.gen(function* () {
          yield* run(Session.login, Effect.ensuring(program, release))
          const tooLong = { operation: "save", detail: "it took too long" }
          expect(failures).toMatchObject([tooLong, tooLong])
          expect(yield* nextRun).toEqual({ sent: ["GET /session 1 200"], end: "SBX01 access-3 refresh-3" })
        }).pipe(
          Effect.provide(Layer.merge(world(), fileStore(join(yield* temporaryFolder, "session"), faultyFiles(calls))))
        )
      })
  )

  it.effect("that could not be read in 5 seconds is logged in", () =>
    Effect.gen(function* () {
      const hanging = Layer.effect(
        KeyValueStore.KeyValueStore,
        Effect.map(KeyValueStore.KeyValueStore, (inner) => KeyValueStore.make({ ...inner, get: () => Effect.never }))
      ).pipe(Layer.provide(KeyValueStore.layerMemory))
      const running = yield* Effect.fork(Effect.provide(nextRun, world({}, hanging)))
      yield* TestClock.adjust("5 seconds")
      expect((yield* Fiber.join(running)).sent).toEqual(["POST /session 3 200"])
    })
  )

  it.effect("is removed without a word from a store that has lost it", () =>
    Effect.gen(function* () {
      const logs = makeLogs()
      const missing = new SystemError({ module: "KeyValueStore", method: "remove", reason: "NotFound" })
      const forgetful = Layer.effect(
        KeyValueStore.KeyValueStore,
        Effect.map(KeyValueStore.KeyValueStore, (inner) =>
          KeyValueStore.make({ ...inner, remove: () => Effect.fail(missing) })
        )
      ).pipe(Layer.provide(KeyValueStore.layerMemory))
      yield* run(Session.login, Session.logout).pipe(Effect.provide(Layer.merge(world({}, forgetful), logs.layer)))
      expect(logs.printed.join()).not.toContain("Session store")
    })
  )

  it.effect("that could not be read is logged in, with a warning", () =>
    Effect.gen(function* () {
      const logs = makeLogs()
      const broken = Layer.effect(
        KeyValueStore.KeyValueStore,
        Effect.map(KeyValueStore.KeyValueStore, (inner) =>
          KeyValueStore.make({ ...inner, get: () => Effect.fail(failed) })
        )
      ).pipe(Layer.provide(KeyValueStore.layerMemory))
      const { sent } = yield* nextRun.pipe(Effect.provide(Layer.merge(world({}, broken), logs.layer)))
      expect(sent).toEqual(["POST /session 3 200"])
      expect(logs.printed.join("\n")).toContain("Session store ig-session: load failed: PermissionDenied")
    })
  )

  it.effect("is stored and not logged out when its program is interrupted", () =>
    Effect.gen(function* () {
      const running = yield* Effect.fork(run(Session.login, Effect.zipRight(Session.refresh, Effect.never)))
      yield* eventually(Effect.map(requests(), ({ length }) => length === 2))
      yield* Fiber.interrupt(running)
      expect(yield* (yield* Sandbox).liveSessions).toBe(1)
      expect(yield* nextRun).toEqual({ sent: ["GET /session 1 200"], end: "SBX01 access-2 refresh-2" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("has stored what a refresh gives that was under way when its program ended", () =>
    Effect.gen(function* () {
      const { reached, release } = yield* (yield* Sandbox).hold("after", { path: "/session/refresh-token" })
      const running = yield* Effect.fork(
        run(Session.login, Effect.zipRight(Effect.forkDaemon(Effect.exit(Session.refresh)), reached))
      )
      yield* reached
      yield* Effect.repeatN(Effect.yieldNow(), 100)
      expect(running.unsafePoll()).toBeNull()
      yield* release
      yield* Fiber.join(running)
      expect((yield* nextRun).end).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(world()))
  )

  it.effect("does not wait forever for it; the refresh token that was spent so is not sent again", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* sandbox.inject({ path: "/session/refresh-token", kind: "never", workDone: true })
      const running = yield* Effect.fork(
        run(Session.login, Effect.zipRight(Effect.forkDaemon(Effect.exit(Session.refresh)), Effect.sleep(10)), {
          logoutTimeout: "4 seconds"
        })
      )
      yield* eventually(Effect.map(requests(), ({ length }) => length >= 1))
      yield* TestClock.adjust("10 millis")
      yield* TestClock.adjust("2 seconds")
      yield* Fiber.join(running)
      // The bearer lives; to renew it there is the login alone.
      const second = yield* run(Session.login, Session.refresh)
      expect(second.sent).toEqual(["GET /session 1 200", "POST /session 3 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("whose refresh was cut, and whose bearer has died since, is logged in at once", () =>
    Effect.gen(function* () {
      const cut = { path: "/session/refresh-token", kind: "cutHeaders", workDone: true } as const
      const noLogin = { ...atLogin, kind: "answer", status: 401, errorCode: "error.security.invalid-details" } as const
      yield* run(
        Session.login,
        Effect.gen(function* () {
          const { inject } = yield* Sandbox
          yield* inject(cut)
          yield* inject(noLogin)
          yield* Effect.flip(Session.refresh)
        })
      )
      yield* TestClock.adjust("5 minutes")
      expect((yield* nextRun).sent).toEqual(["POST /session 3 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("whose process died between IG's answer and the write logs in again", () =>
    Effect.gen(function* () {
      yield* run(Session.login, Effect.void)
      const before = (yield* stored) ?? ""
      yield* run(Session.login, Session.refresh)
      yield* store(before)
      yield* TestClock.adjust("2 minutes")
      expect(yield* nextRun).toEqual({
        sent: ["POST /session/refresh-token 1 401", "POST /session 3 200"],
        end: "SBX01 access-3 refresh-3"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("is signed out here once its scope has closed, so that nobody changes it behind the store's back", () =>
    Effect.gen(function* () {
      const run = Effect.gen(function* () {
        yield* Effect.scoped(Session.resumed(Session.loginV2))
        expect(yield* held).toBe("signed out")
        expect(yield* Effect.flip(Session.read())).toMatchObject({ reason: "not-signed-in" })
        // And it can be had again.
        yield* Effect.scoped(Effect.zipRight(Session.resumed(Session.loginV2), Session.read()))
      })
      yield* Effect.provide(run, clientLayer())
      expect(yield* requests()).toEqual(["POST /session 2 200", "GET /session 1 200", "GET /session 1 200"])
      expect(yield* (yield* Sandbox).liveSessions).toBe(1)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is not replaced by a login that comes after its scope", () =>
    Effect.gen(function* () {
      const kept = Effect.scoped(Session.resumed(Session.loginV2))
      yield* Effect.provide(Effect.zipRight(kept, Effect.zipRight(Session.loginV2, Session.read())), clientLayer())
      const next = yield* run(Session.loginV2, Effect.void)
      expect(next).toEqual({ sent: ["GET /session 1 200"], end: "SBX01 cst-1 xst-1" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("is left to whoever keeps it now, when the scope of who kept it before closes", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const before = yield* Scope.make()
        yield* Scope.extend(Effect.flip(Session.resume), before)
        yield* Session.resumed(Session.login)
        yield* Scope.close(before, Exit.void)
        yield* Session.refresh
      })
      yield* program.pipe(Effect.scoped, Effect.provide(clientLayer()))
      expect((yield* nextRun).end).toBe("SBX01 access-2 refresh-2")
    }).pipe(Effect.provide(world()))
  )

  it.effect("that was first to be had without credentials is kept by the one that logged in", () =>
    Effect.gen(function* () {
      const either = Effect.orElse(Session.resume, () => Session.resumed(Session.login))
      const twice = Effect.zipRight(either, Session.refresh).pipe(Effect.scoped, Effect.provide(clientLayer()))
      yield* twice
      yield* TestClock.adjust("2 minutes")
      yield* twice
      expect(yield* requests()).toEqual([
        "POST /session 3 200",
        "POST /session/refresh-token 1 200",
        "POST /session/refresh-token 1 200",
        "POST /session/refresh-token 1 200"
      ])
      expect((yield* nextRun).end).toBe("SBX01 access-4 refresh-4")
    }).pipe(Effect.provide(world()))
  )

  it.effect("of another account is not logged out with the layer either", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, withAccount("SBX02")(Session.read()))
      expect((yield* requests()).filter((request) => request.startsWith("DELETE"))).toEqual([])
    }).pipe(Effect.provide(world()))
  )
})

describe("what is stored stays", () => {
  it.effect("when IG cannot be asked: the run fails, and the next one resumes", () =>
    Effect.gen(function* () {
      yield* nextRun
      const before = yield* stored
      yield* (yield* Sandbox).inject({
        kind: "answer",
        status: 403,
        errorCode: "error.public-api.exceeded-api-key-allowance"
      })
      expect(yield* Effect.flip(nextRun)).toMatchObject({ action: "wait" })
      expect(yield* stored).toBe(before)
      expect((yield* nextRun).sent).toEqual(["GET /session 1 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("when IG has no allowance for the refresh: it is not spent, and the next run sends it", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* TestClock.adjust("2 minutes")
      const errorCode = "error.public-api.exceeded-api-key-allowance"
      yield* (yield* Sandbox).inject({ kind: "answer", status: 403, errorCode, path: "/session/refresh-token" })
      expect(yield* Effect.flip(nextRun)).toMatchObject({ errorCode })
      expect(yield* nextRun).toEqual({
        sent: ["POST /session/refresh-token 1 200"],
        end: "SBX01 access-2 refresh-2"
      })
    }).pipe(Effect.provide(world()))
  )

  it.effect("when the login fails that its death is followed by", () =>
    Effect.gen(function* () {
      yield* run(Session.loginV2, Effect.void)
      const before = yield* stored
      const sandbox = yield* Sandbox
      yield* sandbox.expire("cst")
      yield* sandbox.inject({ kind: "answer", status: 500, method: "POST", path: "/session" })
      yield* Effect.flip(run(Session.loginV2, Effect.void))
      expect(yield* stored).toBe(before)
    }).pipe(Effect.provide(world()))
  )

  it.effect("when it is refreshed, but cannot be brought to the account that is asked for: what it got is stored", () =>
    Effect.gen(function* () {
      yield* nextRun
      yield* TestClock.adjust("2 minutes")
      const error = yield* Effect.flip(run(Session.login, Effect.void, { accountId: "NOBODYS" }))
      expect(error).toMatchObject({ errorCode: "error.security.account-token-invalid" })
      yield* TestClock.adjust("2 minutes")
      // Not even for a moment is it to be had on another account.
      const after = yield* Effect.flip(Session.resumed(Session.login)).pipe(
        Effect.zipRight(held),
        Effect.scoped,
        Effect.provide(clientLayer({ accountId: "NOBODYS" }))
      )
      expect(after).toBe("signed out")
      expect(yield* nextRun).toEqual({ sent: ["GET /session 1 200"], end: "SBX01 access-3 refresh-3" })
    }).pipe(Effect.provide(world()))
  )

  it.effect("when a login is under way as its program leaves: that login is logged out", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const { reached, release } = yield* sandbox.hold("after", { method: "POST", path: "/session" })
      const running = yield* Effect.fork(nextRun)
      yield* reached
      const leaving = yield* Effect.fork(Fiber.interrupt(running))
      yield* Effect.repeatN(Effect.yieldNow(), 100)
      yield* release
      yield* Fiber.join(leaving)
      expect(yield* sandbox.liveSessions).toBe(0)
      expect(yield* stored).toBeUndefined()
    }).pipe(Effect.provide(world()))
  )
})

describe("events", () => {
  it.effect("say that a session was resumed", () =>
    Effect.gen(function* () {
      yield* nextRun
      const events = yield* Effect.gen(function* () {
        const first = yield* Effect.fork(Stream.runHead(Session.events))
        yield* Effect.yieldNow()
        yield* Effect.scoped(Session.resumed(Session.login))
        return yield* Fiber.join(first)
      }).pipe(Effect.provide(clientLayer()))
      expect(events).toMatchObject({ value: { _tag: "Resumed", accountId: "SBX01", loggedInBy: "login" } })
    }).pipe(Effect.provide(world()))
  )
})

describe("a refresh token that was sent in vain is not sent by the next run", () => {
  const noLogin = {
    kind: "answer",
    status: 401,
    errorCode: "error.security.invalid-details",
    method: "POST",
    path: "/session"
  } as const

  it.effect("though the run is killed that could not log in again either", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const inVain = Effect.gen(function* () {
        yield* sandbox.expire("access", "refresh")
        yield* sandbox.inject(noLogin)
        yield* Effect.flip(Session.refresh)
        yield* eventually(Effect.map(stored, (text) => text?.includes(`"isSpent":true`) === true))
      })
      expect((yield* run(Session.login, inVain)).sent).toContain("POST /session/refresh-token 1 401")
    }).pipe(Effect.provide(world()))
  )

  it.effect("though renewal was off, and the run is killed", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const inVain = Effect.gen(function* () {
        yield* sandbox.expire("access", "refresh")
        yield* Effect.provide(Effect.flip(Session.refresh), Renewal.off)
        yield* eventually(Effect.map(stored, (text) => text?.includes(`"isSpent":true`) === true))
      })
      expect((yield* run(Session.login, inVain)).sent).toContain("POST /session/refresh-token 1 401")
    }).pipe(Effect.provide(world()))
  )

  it.effect("by which a run wanted to resume that was ended in the middle of it", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* nextRun
      yield* sandbox.expire("access")
      yield* sandbox.inject({ kind: "never", workDone: true, method: "POST", path: "/session/refresh-token" })
      const ended = yield* Effect.fork(nextRun)
      const isSent = Effect.map(sandbox.record, (all) => all.some(({ path }) => path === "/session/refresh-token"))
      yield* eventually(isSent)
      const ending = yield* Effect.fork(Fiber.interrupt(ended))
      // Sooner than the request would give up by itself.
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(ending)
      expect((yield* nextRun).sent).toEqual(["POST /session 3 200"])
    }).pipe(Effect.provide(world()))
  )

  it.effect("by which a run wanted to resume that could not log in either", () =>
    Effect.gen(function* () {
      const sandbox = yield* Sandbox
      yield* nextRun
      yield* sandbox.expire("access", "refresh")
      yield* sandbox.inject(noLogin)
      yield* Effect.flip(nextRun)
      yield* sandbox.clearFaults
      expect((yield* nextRun).sent).toEqual(["POST /session 3 200"])
    }).pipe(Effect.provide(world()))
  )
})
