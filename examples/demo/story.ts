import { Credentials } from "@effect-ig/core/Credentials"
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as IgClient from "@effect-ig/core/IgClient"
import type { IgError } from "@effect-ig/core/IgError"
import * as Renewal from "@effect-ig/core/Renewal"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as SessionStore from "@effect-ig/core/SessionStore"
import { type RecordedRequest, Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { existsSync, statSync } from "node:fs"
import { join } from "node:path"
import { ClientLayer } from "../sandboxClient.ts"
import { allowance } from "./allowance.ts"
import * as Screen from "./screen.ts"

let seen = 0

/** What went over the wire since the last look, as the sandbox recorded it. */
const looked: Effect.Effect<ReadonlyArray<RecordedRequest>, never, Sandbox> = Effect.gen(function* () {
  const record = yield* (yield* Sandbox).record
  const recent = record.slice(seen)
  seen = record.length
  return recent
})

const wire = Effect.flatMap(looked, (record) => Effect.forEach(record, Screen.wire, { discard: true }))

const state = Effect.zipRight(Effect.flatMap(SessionState.get, Screen.session), Screen.pause)

/** Runs one call, then shows its requests and the session that it leaves. */
const shown = <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.zipLeft(Effect.ensuring(call, wire), state)

/** The library has no positions yet; it sends whatever can be described. */
const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Struct({ positions: Schema.Array(Schema.Unknown) })
})

/** The same call many times at once. */
const together = (times: number) =>
  Effect.gen(function* () {
    const answers = yield* Effect.all(
      Array.from({ length: times }, () => Endpoint.call(positions)),
      { concurrency: "unbounded" }
    )
    const record = yield* looked
    yield* Screen.crowd(record)
    const renewals = record.filter(({ path }) => path.startsWith("/session")).length
    const refusals = record.filter(({ path, status }) => path === positions.path && status === 401).length
    yield* Screen.say(`${refusals} refused, ${renewals} renewal, ${answers.length} answered.`)
    yield* state
  })

/** A call that IG is expected to refuse. */
const refused = <A, R>(call: Effect.Effect<A, IgError, R>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(call).pipe(
      Effect.mapError(() => new Error("IG took what it should have refused")),
      Effect.ensuring(wire)
    )
    if (error._tag !== "ApiError") return yield* error
    yield* Screen.say(`${error._tag}, action "${error.action}"`)
    if (error.hint !== undefined) yield* Screen.hint(error.hint)
    yield* Screen.pause
  })

const oauth = Effect.gen(function* () {
  const sandbox = yield* Sandbox

  yield* Screen.step("Log in by OAuth")
  yield* shown(Session.scoped(Session.login))

  yield* Screen.step("Read the session, and fetch tokens for streaming")
  yield* shown(Session.read({ fetchTokens: true }))

  yield* Screen.step("The bearer dies, as it does after a minute: the next call renews it and is sent again")
  yield* sandbox.expire("access")
  yield* shown(Session.read())

  yield* Screen.step("It dies again, and fifty calls find out at once: one renewal serves them all")
  yield* sandbox.expire("access")
  yield* together(50)

  yield* Screen.step("The refresh token dies, too: the session logs in again by itself")
  yield* sandbox.expire("access", "refresh")
  yield* shown(Session.read())

  yield* Screen.step("With renewal turned off, a dead bearer is the caller's to deal with")
  yield* sandbox.expire("access")
  yield* Effect.provide(refused(Session.read()), Renewal.off)

  yield* Screen.step("Refresh it by hand")
  yield* shown(Session.refresh)

  yield* Screen.step("Switch to the other account: IG does not switch under a bearer, so a header does it")
  yield* shown(Session.switchAccount("SBX02"))

  yield* Screen.step("Log out, since the scope of this session ends")
}).pipe(Effect.scoped, Effect.zipRight(shown(Effect.void)))

const tokens = Effect.gen(function* () {
  const sandbox = yield* Sandbox

  yield* Screen.step("Log in by CST and X-SECURITY-TOKEN")
  yield* shown(Session.scoped(Session.loginV2))

  yield* Screen.step("Switch to the other account: IG kills the old X-SECURITY-TOKEN and gives a new one")
  yield* shown(Session.switchAccount("SBX02"))
  yield* shown(Session.read())

  yield* Screen.step("Both tokens die: the session logs in again, and goes back to the account that it was on")
  yield* sandbox.expire("cst", "xst")
  yield* shown(Session.read())

  yield* Screen.step("Ask for the key that passwords are encrypted with")
  const key = yield* shown(Session.encryptionKey)
  yield* Screen.say(
    `${key.encryptionKey.slice(0, 16)}… of ${key.encryptionKey.length} characters, stamped ${key.timeStamp}`
  )

  yield* Screen.step("Log in with a wrong password: the session that is there stays")
  const { identifier } = yield* yield* Credentials
  yield* refused(
    Effect.provideService(Session.login, Credentials, Effect.succeed({ identifier, password: Redacted.make("wrong") }))
  )

  yield* Screen.step("Log out")
  yield* shown(Session.logout)
}).pipe(Effect.scoped)

const encrypted = Effect.gen(function* () {
  const sandbox = yield* Sandbox

  yield* Screen.step("Log in with an encrypted password by Version 3: IG was seen to refuse that")
  yield* refused(Session.loginWithEncryption)

  yield* Screen.step("The same where it is taken: the sandbox is told to")
  yield* sandbox.setSwitches({ encryptedV3: true })
  yield* shown(Effect.scoped(Session.scoped(Session.loginWithEncryption)))

  yield* Screen.step("And by Version 2, as IG documents it")
  yield* shown(Session.scoped(Session.loginV2WithEncryption))

  yield* Screen.step("Log out, since the scope of this session ends")
}).pipe(Effect.scoped, Effect.zipRight(shown(Effect.void)))

/** A run of a program that keeps its session in this file: all that a process would have is made anew. */
const run = <A, E, R>(path: string, program: Effect.Effect<A, E, R>) => {
  const store = SessionStore.layerFile({ path }).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))
  return Effect.provide(
    program,
    IgClient.layerResumed(Session.loginV2).pipe(Layer.provide(store), Layer.provideMerge(ClientLayer))
  )
}

/** Runs that take up each other's session. */
export const runs = Effect.gen(function* () {
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped({ prefix: "ig-demo-" })
  const path = join(folder, "session")

  yield* Screen.step("A run of a program logs in, and leaves its session in a file when it ends")
  yield* run(path, shown(Effect.void))
  yield* Screen.say(`${statSync(path).size} bytes that only you can read, and no logout.`)
  yield* Screen.pause

  yield* Screen.step("The next run takes it up: IG is asked once whether it still takes it, and no login is sent")
  yield* run(path, shown(Session.switchAccount("SBX02")))

  yield* Screen.step("The third is on the account where the second was, and logs out: the file is gone")
  yield* run(path, Effect.zipRight(shown(Effect.void), shown(Session.logout)))
  yield* Screen.say(existsSync(path) ? "The file is still there." : "Nothing is left of it.")
}).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))

export const story = Effect.all([oauth, tokens, encrypted, allowance], { discard: true })
