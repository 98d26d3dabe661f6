/** One run of the client, from the start of its layer to its end: by closing, or by a crash that cleans nothing up. */
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import * as SessionState from "@effect-ig/core/SessionState"
import type { Sandbox } from "@effect-ig/sandbox/Sandbox"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Mode, Program } from "./program.ts"
import { contextOf, type Ours, type Surroundings } from "./stack.ts"
import type { Shelf } from "./store.ts"
import { makeWatch, startedUnder, type Watch } from "./watch.ts"

/** A session as it became the client's, and those of its tokens with which IG had not served a request in this run. */
export interface Seen {
  readonly at: number
  readonly session: SessionState.Session
  readonly unproved: ReadonlyArray<string>
}

export interface Life {
  readonly program: Program
  /** By which its requests are told from those of another run. */
  readonly name: string
  readonly watch: Watch
  readonly context: Context.Context<Ours>
  readonly scope: Scope.CloseableScope
  /** Of IG's record, what came before it. */
  readonly since: number
  /** Tokens that were given out before it. */
  readonly older: ReadonlySet<string>
  /** What it found in the store. */
  readonly found: string | undefined
  readonly states: Array<Seen>
  readonly events: Array<SessionEvent>
  explicitLogins: number
  closedInFlight: boolean
  closingTook: number
  /** Fibers of the layer's that outlived it. */
  leftFibers: number
  /** What was in the store when it had closed, and how many states there were before; nothing after a crash. */
  left: { readonly text: string | undefined; readonly before: number } | undefined
  /** It crashed when its last refresh was on its way, or what came of it not in the store yet. */
  isRefreshUnsaved: boolean
}

const logins: Readonly<Record<Mode, Effect.Effect<SessionState.SignedIn, IgError, Ours>>> = {
  login: Session.login,
  loginV2: Session.loginV2,
  loginWithEncryption: Session.loginWithEncryption,
  loginV2WithEncryption: Session.loginV2WithEncryption
}

/** A login of a caller's own; where there is a store, it is kept there, and not logged out at the end. */
export const logIn = (life: Life): Effect.Effect<SessionState.SignedIn, IgError, Ours> =>
  Effect.suspend(() => {
    const { program, scope } = life
    const login = logins[program.mode]
    life.explicitLogins += 1
    return program.restart === undefined ? Scope.extend(Session.scoped(login), scope) : login
  })

/** The first of a run: where there is a store, what it holds is taken up instead. */
const start = (life: Life): Effect.Effect<SessionState.SignedIn, IgError, Ours> =>
  life.program.restart === undefined ? logIn(life) : Scope.extend(Session.resumed(logIn(life)), life.scope)

/** What has to be alive for a session to be of use to anybody. */
export const tokensOf = (session: SessionState.Session): ReadonlyArray<string> => {
  switch (session._tag) {
    case "SignedOut":
      return []
    case "TokenSession":
      return [Redacted.value(session.cst), Redacted.value(session.securityToken)]
    case "OAuthSession":
      return [Redacted.value(session.accessToken)]
  }
}

/** By pulling, which takes half the steps of a sink. */
const noteEach = <A, R>(stream: Stream.Stream<A, never, R>, note: (one: A) => void): Effect.Effect<void, never, R> =>
  Stream.toPull(stream).pipe(
    Effect.flatMap((pull) => Effect.forever(Effect.map(pull, Chunk.forEach(note)))),
    Effect.ignore,
    Effect.scoped
  )

const observe = ({ context, events, states, watch }: Life): Effect.Effect<void> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const noteState = (session: SessionState.Session) => {
      if (!watch.isCut) {
        const unproved = tokensOf(session).filter((token) => !watch.served.has(token))
        states.push({ at: clock.unsafeCurrentTimeMillis(), session, unproved })
      }
    }
    const noteEvent = (event: SessionEvent) => {
      if (!watch.isCut) events.push(event)
    }
    yield* Effect.fork(noteEach(SessionState.changes, noteState))
    yield* Effect.fork(noteEach(Session.events, noteEvent))
    yield* Effect.yieldNow()
  }).pipe(Effect.provide(context))

/** Starts it and logs in, whatever comes of that. */
export const begin = (
  program: Program,
  sandbox: Sandbox.Service,
  surroundings: Surroundings,
  before: Life | undefined
): Effect.Effect<Life, never, Sandbox | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const watch = makeWatch(yield* Clock.currentTimeMillis)
    const scope = yield* Scope.make()
    const name = before === undefined ? "first run" : "second run"
    const context = yield* Scope.extend(contextOf(program, name, watch, surroundings), scope)
    const life: Life = {
      program,
      name,
      watch,
      context,
      scope,
      since: before === undefined ? 0 : (yield* sandbox.record).length,
      older: new Set(before === undefined ? [] : (yield* sandbox.issued).map(({ value }) => value)),
      found: surroundings.shelf.text,
      states: [],
      events: [],
      explicitLogins: 0,
      closedInFlight: false,
      closingTook: 0,
      leftFibers: 0,
      left: undefined,
      isRefreshUnsaved: false
    }
    yield* observe(life)
    yield* Effect.exit(Effect.provide(start(life), context))
    return life
    // A layer that cannot be built is a bug of this simulation.
  }).pipe(Effect.orDie)

const survivors = (watch: Watch): Effect.Effect<number> =>
  Effect.map(Fiber.roots, (roots) => [...roots].filter((fiber) => fiber.getFiberRef(startedUnder) === watch).length)

export const close = (life: Life, shelf: Shelf): Effect.Effect<void> =>
  Effect.gen(function* () {
    const status = yield* Session.status
    life.closedInFlight = status._tag === "SignedIn" && status.isRenewing
    const begun = yield* Clock.currentTimeMillis
    const before = life.states.length
    life.watch.isLeaving = life.program.restart !== undefined
    yield* Scope.close(life.scope, Exit.void)
    life.closingTook = (yield* Clock.currentTimeMillis) - begun
    life.left = { text: shelf.text, before }
    life.leftFibers = yield* survivors(life.watch)
  }).pipe(Effect.provide(life.context))

/** Nothing of it gets anywhere any more. What is left of it is put away behind the scenes, in the fiber that it gives. */
export const crash = (life: Life, shelf: Shelf): Effect.Effect<Fiber.Fiber<void>> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const { scope, watch } = life
    const { refresh } = watch
    life.isRefreshUnsaved =
      refresh !== undefined && (refresh.endedAt === undefined || refresh.endedAt === now || shelf.isWriting)
    watch.isCut = true
    shelf.isWriting = false
    return Effect.forkDaemon(Scope.close(scope, Exit.void))
  })
