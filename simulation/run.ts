/** Runs one program in virtual time, and reports what happened. */
import type { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import type { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { requestTimeout } from "./longest.ts"
import type { Call, Caller, Happening, Mode, Program, Step } from "./program.ts"
import { callerIndex, startedUnder, layerClient, layerSandbox, makeWatch, type Watch } from "./stack.ts"

type Ours = Session.Ig | Credentials | PasswordCipher

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Struct({ positions: Schema.Array(Schema.Unknown) })
})

const order = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({ dealReference: Schema.String, size: Schema.Number }).pipe(
    Schema.extend(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
  ),
  answer: Schema.Struct({ dealReference: Schema.String })
})

/** One call or operation of a caller's. */
export interface Outcome {
  readonly step: Step["do"]
  readonly took: number
  readonly exit: Exit.Exit<unknown, IgError>
}

/** What the sandbox would say at the end of the program, and what we saw on the way. */
export interface Report {
  readonly watch: Watch
  readonly record: ReadonlyArray<Sandbox.RecordedRequest>
  readonly issued: ReadonlyArray<Sandbox.IssuedToken>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly states: ReadonlyArray<SessionState.Session>
  readonly events: ReadonlyArray<SessionEvent>
  readonly explicitLogins: number
  readonly interrupts: { readonly whileWaiting: number; readonly whileSending: number }
  readonly closedInFlight: boolean
  readonly closingTook: number
  /** After all faults have ended, how the next call went, and the one after the time that it named. */
  readonly healed: Exit.Exit<unknown, IgError> | undefined
  readonly isSignedOut: boolean
  /** Fibers of the layer's that outlived it. */
  readonly leftFibers: number
  /** Sessions in use when the layer closed, in peace, that IG still takes. */
  readonly leftSessions: number
}

export type Result =
  | { readonly _tag: "Ended"; readonly report: Report }
  | { readonly _tag: "Stuck" }
  | { readonly _tag: "Died"; readonly why: string }

const logins: Readonly<Record<Mode, Effect.Effect<SessionState.SignedIn, IgError, Ours>>> = {
  login: Session.login,
  loginV2: Session.loginV2,
  loginWithEncryption: Session.loginWithEncryption,
  loginV2WithEncryption: Session.loginV2WithEncryption
}

const call = (kind: Call, dealReference: string): Effect.Effect<unknown, IgError, Session.Ig> =>
  kind === "read"
    ? Endpoint.call(positions)
    : Endpoint.call(order, {
        body: {
          dealReference,
          size: 1,
          epic: "CS.D.EURUSD.CFD.IP",
          expiry: "-",
          direction: "BUY",
          orderType: "MARKET",
          currencyCode: "USD",
          forceOpen: true,
          guaranteedStop: false
        }
      })

interface Run {
  readonly program: Program
  readonly watch: Watch
  readonly scope: Scope.CloseableScope
  readonly outcomes: Array<Outcome>
  /** Operations that each caller is in the middle of. */
  readonly waiting: Map<number, number>
  explicitLogins: number
}

const logIn = (run: Run) => {
  run.explicitLogins += 1
  return Scope.extend(Session.scoped(logins[run.program.mode]), run.scope)
}

const operation = (run: Run, step: Step, reference: string): Effect.Effect<unknown, IgError, Ours> => {
  switch (step.do) {
    case "read":
    case "mutate":
      return call(step.do, reference)
    case "refresh":
      return Session.refresh
    case "fetchTokens":
      return Session.read({ fetchTokens: true })
    case "logout":
      return Session.logout
    case "login":
      return Effect.suspend(() => logIn(run))
    case "switch":
      return Session.switchAccount(step.to)
    case "within":
      return withAccount(step.account)(
        Effect.forEach(step.calls, (kind, index) => call(kind, `${reference}-${index}`), { concurrency: "unbounded" })
      )
    case "wait":
      return Effect.sleep(step.millis)
  }
}

const perform = (run: Run, step: Step, reference: string): Effect.Effect<void, never, Ours> =>
  step.do === "wait"
    ? Effect.sleep(step.millis)
    : Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        const index = yield* FiberRef.get(callerIndex)
        run.watch.active += 1
        run.waiting.set(index, 1)
        yield* Effect.onExit(operation(run, step, reference), (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            run.watch.active -= 1
            run.waiting.set(index, 0)
            run.outcomes.push({ step: step.do, took: now - begun, exit })
          })
        ).pipe(Effect.exit)
      })

const behave = (run: Run, { startsAt, steps }: Caller, index: number) =>
  Effect.forEach(steps, (step, number) => perform(run, step, `R${index}x${number}`), { discard: true }).pipe(
    Effect.delay(startsAt),
    Effect.locally(callerIndex, index)
  )

const happen = (sandbox: Sandbox.Sandbox.Service, watch: Watch, happening: Happening): Effect.Effect<void> => {
  switch (happening.what) {
    case "expire":
      return sandbox.expire(...happening.kinds)
    case "purge":
      return sandbox.purge
    case "clock":
      return sandbox.advance(happening.millis)
    case "fault":
      return sandbox.inject(happening.fault)
    case "password":
      return Effect.sync(() => {
        watch.password = happening.isWrong ? `wrong-at-${happening.at}` : sandbox.password
      })
  }
}

/** What has to be alive for a session to be of use to anybody. */
const tokensOf = (session: SessionState.Session): ReadonlyArray<string> => {
  switch (session._tag) {
    case "SignedOut":
      return []
    case "TokenSession":
      return [Redacted.value(session.cst), Redacted.value(session.securityToken)]
    case "OAuthSession":
      return [Redacted.value(session.accessToken)]
  }
}

/** What `withAccount` used last under CST, by account, where that was no session of the client's own. */
const siblingsOf = (
  watch: Watch,
  states: ReadonlyArray<SessionState.Session>
): ReadonlyArray<ReadonlyArray<string>> => {
  const own = new Set(states.flatMap(tokensOf))
  const last = new Map<string, ReadonlyArray<string>>()
  for (const { cst, securityToken, wanted } of watch.sent) {
    if (wanted !== undefined && cst !== undefined && securityToken !== undefined && !own.has(securityToken)) {
      last.set(wanted, [cst, securityToken])
    }
  }
  return [...last.values()]
}

const hour = 3_600_000

const failureOf = (exit: Exit.Exit<unknown, IgError>): IgError | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

/** One call; and if it says when it is worth to try again, one more then. */
const heal: Effect.Effect<Exit.Exit<unknown, IgError>, never, Session.Ig> = Effect.gen(function* () {
  const first = yield* Effect.exit(Endpoint.call(positions))
  const error = failureOf(first)
  if (error?._tag !== "AuthError" || error.retryAt === undefined) return first
  const now = yield* Clock.currentTimeMillis
  yield* Effect.sleep(Math.max(0, error.retryAt - now))
  return yield* Effect.exit(Endpoint.call(positions))
})

const survivors = (watch: Watch): Effect.Effect<number> =>
  Effect.map(Fiber.roots, (roots) => [...roots].filter((fiber) => fiber.getFiberRef(startedUnder) === watch).length)

/** Interrupts a caller, and notes what it was doing. */
const interruptAt = (
  run: Run,
  fiber: Fiber.Fiber<unknown>,
  index: number,
  at: number,
  interrupts: { whileWaiting: number; whileSending: number }
) =>
  Effect.gen(function* () {
    yield* Effect.sleep(at)
    const status = yield* Session.status
    const isRunning = Option.isNone(yield* Fiber.poll(fiber))
    if (isRunning && (run.watch.sending.get(index) ?? 0) > 0) interrupts.whileSending += 1
    else if (isRunning && (run.waiting.get(index) ?? 0) > 0 && status._tag === "SignedIn" && status.isRenewing) {
      interrupts.whileWaiting += 1
    }
    yield* Fiber.interrupt(fiber)
  })

const live = (program: Program): Effect.Effect<Report> =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const watch = makeWatch()
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(layerClient(program, watch), scope)
    const run: Run = { program, watch, scope, outcomes: [], waiting: new Map(), explicitLogins: 0 }
    const interrupts = { whileWaiting: 0, whileSending: 0 }
    const states: Array<SessionState.Session> = []
    const events: Array<SessionEvent> = []
    let closedInFlight = false
    let closingTook = 0
    let leftFibers = 0
    let leftSessions = 0
    let healed: Exit.Exit<unknown, IgError> | undefined

    const close = Effect.gen(function* () {
      const status = yield* Session.status
      closedInFlight = status._tag === "SignedIn" && status.isRenewing
      const begun = yield* Clock.currentTimeMillis
      yield* Scope.close(scope, Exit.void)
      closingTook = (yield* Clock.currentTimeMillis) - begun
      leftFibers = yield* survivors(watch)
    })

    yield* Effect.gen(function* () {
      yield* Effect.fork(Stream.runForEach(SessionState.changes, (state) => Effect.sync(() => states.push(state))))
      yield* Effect.fork(Stream.runForEach(Session.events, (event) => Effect.sync(() => events.push(event))))
      yield* Effect.yieldNow()
      yield* Effect.exit(logIn(run))
      const happenings = Effect.forEach(
        program.happenings,
        (one) => Effect.delay(happen(sandbox, watch, one), one.at),
        { concurrency: "unbounded", discard: true }
      )
      const callers = Effect.forEach(
        program.callers,
        (caller, index) =>
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(behave(run, caller, index))
            if (caller.interruptedAt !== undefined) {
              yield* Effect.fork(interruptAt(run, fiber, index, caller.interruptedAt, interrupts))
            }
            yield* Fiber.await(fiber)
          }),
        { concurrency: "unbounded", discard: true }
      )
      const closing = program.closesAt === undefined ? Effect.void : Effect.delay(close, program.closesAt)
      yield* Effect.all([happenings, callers, closing], { concurrency: "unbounded", discard: true })

      if (program.closesAt === undefined) {
        yield* sandbox.clearFaults
        watch.password = sandbox.password
        // Until what is under way has its answer, whatever that may be.
        yield* Effect.sleep(requestTimeout + 1)
        healed = yield* heal
        const current = yield* SessionState.get
        const inUse = [tokensOf(current), ...siblingsOf(watch, states)].filter((tokens) => tokens.length > 0)
        yield* close
        const alive = new Set((yield* sandbox.issued).filter(({ isAlive }) => isAlive).map(({ value }) => value))
        leftSessions = inUse.filter((tokens) => tokens.every((token) => alive.has(token))).length
      }
    }).pipe(Effect.provide(context))

    return {
      watch,
      record: yield* sandbox.record,
      issued: yield* sandbox.issued,
      outcomes: run.outcomes,
      states,
      events,
      explicitLogins: run.explicitLogins,
      interrupts,
      closedInFlight,
      closingTook,
      healed,
      isSignedOut: states.at(-2)?._tag === "SignedOut",
      leftFibers,
      leftSessions
    }
  }).pipe(
    Effect.provide(layerSandbox(program)),
    // A layer that cannot be built is a bug of this simulation.
    Effect.orDie,
    Effect.withTracerEnabled(false),
    Logger.withMinimumLogLevel(LogLevel.None)
  )

export const run = (program: Program): Effect.Effect<Result> =>
  Effect.map(
    Simulation.run(live(program), { seed: program.seed, start: 1_000_000_000_000, limit: 24 * hour }),
    (outcome) => {
      if (outcome._tag === "Stuck") return { _tag: "Stuck" }
      return Exit.match(outcome.exit, {
        onFailure: (cause): Result => ({ _tag: "Died", why: Cause.pretty(cause) }),
        onSuccess: (report): Result => ({ _tag: "Ended", report })
      })
    }
  )
