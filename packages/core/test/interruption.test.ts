import type { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { HoldPoint } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { describe } from "vitest"
import { unhurried } from "./utils/effort.ts"
import { inMemory, overHttp } from "./utils/ig.ts"
import { count, eventually, held, requests } from "./utils/state.ts"

interface Case {
  readonly name: string
  readonly before: Effect.Effect<unknown, IgError, Session.Ig | Credentials>
  readonly operation: Effect.Effect<unknown, IgError, Session.Ig | Credentials>
  readonly target: { readonly method: string; readonly path: string }
  /** What the session holds when IG has done the work. */
  readonly after: string
}

const cases: ReadonlyArray<Case> = [
  {
    name: "login",
    before: Effect.void,
    operation: Session.login,
    target: { method: "POST", path: "/session" },
    after: "SBX01 access-1 refresh-1"
  },
  {
    name: "login on top of a session",
    before: Session.loginV2,
    operation: Session.login,
    target: { method: "POST", path: "/session" },
    after: "SBX01 access-1 refresh-1"
  },
  {
    name: "loginV2",
    before: Effect.void,
    operation: Session.loginV2,
    target: { method: "POST", path: "/session" },
    after: "SBX01 cst-1 xst-1"
  },
  {
    name: "refresh",
    before: Session.login,
    operation: Session.refresh,
    target: { method: "POST", path: "/session/refresh-token" },
    after: "SBX01 access-2 refresh-2"
  },
  {
    name: "read with tokens",
    before: Session.login,
    operation: Session.read({ fetchTokens: true }),
    target: { method: "GET", path: "/session" },
    after: "SBX01 access-1 refresh-1 + cst-1 xst-1"
  },
  {
    name: "a switch under CST",
    before: Session.loginV2,
    operation: Session.switchAccount("SBX02"),
    target: { method: "PUT", path: "/session" },
    after: "SBX02 cst-1 xst-2"
  },
  {
    name: "a switch under a bearer, held at the PUT",
    before: Session.login,
    operation: Session.switchAccount("SBX02"),
    target: { method: "PUT", path: "/session" },
    after: "SBX02 access-1 refresh-1"
  },
  {
    name: "a switch under a bearer, held at the proof",
    before: Session.login,
    operation: Session.switchAccount("SBX02"),
    target: { method: "GET", path: "/session" },
    after: "SBX02 access-1 refresh-1"
  },
  {
    name: "logout under a bearer",
    before: Session.login,
    operation: Session.logout,
    target: { method: "DELETE", path: "/session" },
    after: "signed out"
  },
  {
    name: "logout under CST",
    before: Session.loginV2,
    operation: Session.logout,
    target: { method: "DELETE", path: "/session" },
    after: "signed out"
  }
]

type Gate = Effect.Effect<
  { readonly reached: Effect.Effect<void>; readonly release: Effect.Effect<void> },
  never,
  Sandbox
>

/** Interrupts the caller at the gate, then lets the answer come, and sees what has become of the session. */
const abandoned = ({ after, before, operation }: Case, gate: Gate) =>
  Effect.gen(function* () {
    yield* before
    const roots = (yield* Fiber.roots).length
    const { reached, release } = yield* gate
    const startedAt = yield* Clock.currentTimeMillis
    const caller = yield* Effect.fork(operation)
    yield* reached
    yield* Fiber.interrupt(caller)
    expect(yield* Clock.currentTimeMillis).toBe(startedAt)
    yield* release
    yield* eventually(Effect.map(held, (now) => now === after))
    yield* eventually(Effect.map(Fiber.roots, ({ length }) => length <= roots))
    const seen = yield* count
    const next = yield* Effect.either(Session.read())
    expect(next._tag).toBe(after === "signed out" ? "Left" : "Right")
    expect(yield* requests(seen)).toEqual(after === "signed out" ? [] : ["GET /session 1 200"])
  })

const points: ReadonlyArray<readonly [name: string, point: HoldPoint]> = [
  ["was received and not yet worked", "before"],
  ["was worked and not yet answered", "after"],
  ["was answered up to the headers", "headers"],
  ["was answered up to half of the body", "body"]
]

const forms = [
  ["in memory", inMemory()],
  ...unhurried([["over HTTP", overHttp(NodeHttpClient.layerUndici)] as const])
] as const

for (const [form, layer] of forms) {
  describe(`a caller that leaves ${form} loses nothing`, () => {
    for (const one of cases) {
      for (const [name, point] of points) {
        if (point === "body" && one.name.startsWith("logout")) continue
        it.effect(`of ${one.name}, when the request ${name}`, () =>
          abandoned(
            one,
            Effect.flatMap(Sandbox, ({ hold }) => hold(point, one.target))
          ).pipe(Effect.provide(layer))
        )
      }
      it.effect(`of ${one.name}, when the request has not left yet`, () =>
        Effect.gen(function* () {
          const reached = yield* Deferred.make<void>()
          const released = yield* Deferred.make<void>()
          let isArmed = false
          const client = HttpClient.mapRequestEffect(yield* HttpClient.HttpClient, (request) =>
            isArmed && request.method === one.target.method && request.url.endsWith(one.target.path)
              ? Effect.as(Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(released)), request)
              : Effect.succeed(request)
          )
          const gate: Gate = Effect.sync(() => {
            isArmed = true
            const release = Effect.zipRight(
              Effect.sync(() => {
                isArmed = false
              }),
              Deferred.succeed(released, undefined)
            )
            return { reached: Deferred.await(reached), release: Effect.asVoid(release) }
          })
          yield* Effect.provideService(abandoned(one, gate), HttpClient.HttpClient, client)
        }).pipe(Effect.provide(layer))
      )
    }
  })
}
