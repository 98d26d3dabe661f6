/** Runs one program in virtual time, and reports what happened. */
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { begin, close, crash, type Life, logIn, tokensOf } from "./life.ts"
import { requestTimeout, window } from "./longest.ts"
import type { Call, Caller, Happening, Program, Restart, Step } from "./program.ts"
import { isLogin } from "./record.ts"
import { isGateway, layerSandbox, type Ours, type Surroundings } from "./stack.ts"
import { makeSleepers } from "./sleepers.ts"
import { makeShelf, tamper } from "./store.ts"
import { askedFor, callerIndex, moved } from "./watch.ts"

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  // IG does not look at it; it tells one read from another.
  query: Schema.Struct({ number: Schema.String }),
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
  readonly endedAt: number
  readonly took: number
  readonly exit: Exit.Exit<unknown, IgError>
  readonly caller: Caller
  readonly index: number
  /** The numbers of what it has read, if it came to that. */
  readonly reads: ReadonlyArray<string>
}

/** What the sandbox would say at the end of the program, and what we saw on the way. */
export interface Report {
  readonly lives: ReadonlyArray<Life>
  readonly record: ReadonlyArray<Sandbox.RecordedRequest>
  readonly issued: ReadonlyArray<Sandbox.IssuedToken>
  readonly outcomes: ReadonlyArray<Outcome>
  readonly interrupts: { readonly whileWaiting: number; readonly whileSending: number }
  /** After all faults have ended, where nothing was closed before that. */
  readonly peace: Peace | undefined
  readonly met: ReadonlySet<Met>
  readonly left: Left
}

export type Met = "killed" | "purged" | "outlived"

/** How the next call went, and the one after the time that it named. */
export interface Peace {
  readonly healed: Exit.Exit<unknown, IgError>
}

/** What is there of the client when all has closed and come to its end. */
export interface Left {
  /** Root fibers that were not there before. */
  readonly fibers: number
  readonly timers: number
  /** Sessions in use when the layer closed that IG still takes. */
  readonly sessions: number
  /** Those of them that the store does not have either, for the next run. */
  readonly unstored: number
  /** Logins with IG's answer in our hands, whose tokens it still takes. */
  readonly logins: number
}

export type Result =
  | { readonly _tag: "Ended"; readonly report: Report }
  | { readonly _tag: "Stuck" }
  | { readonly _tag: "Died"; readonly why: string }

const call = (kind: Call, dealReference: string): Effect.Effect<unknown, IgError, Session.Ig> =>
  kind === "read"
    ? Endpoint.call(positions, { query: { number: dealReference } })
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

/** A program that is under way. */
interface Run {
  readonly program: Program
  readonly sandbox: Sandbox.Sandbox.Service
  readonly surroundings: Surroundings
  readonly outcomes: Array<Outcome>
  /** Operations that each caller is in the middle of. */
  readonly waiting: Map<number, number>
  readonly interrupts: { whileWaiting: number; whileSending: number }
  /** What was done to tokens that were alive. */
  readonly met: Set<Met>
}

const operation = (life: Life, step: Step, reference: string): Effect.Effect<unknown, IgError, Ours> => {
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
      return logIn(life)
    case "switch":
      return Session.switchAccount(step.to)
    case "within":
      return withAccount(step.account)(
        Effect.forEach(step.calls, (kind, index) => call(kind, `${reference}-${index}`), { concurrency: "unbounded" })
      ).pipe(Effect.locally(askedFor, step.account))
    case "wait":
      return Effect.sleep(step.millis)
  }
}

const readsOf = (step: Step, reference: string): ReadonlyArray<string> => {
  switch (step.do) {
    case "read":
      return [reference]
    case "within":
      return step.calls.flatMap((kind, index) => (kind === "read" ? [`${reference}-${index}`] : []))
    default:
      return []
  }
}

const perform = (
  { outcomes, waiting }: Run,
  life: Life,
  caller: Caller,
  step: Step,
  reference: string
): Effect.Effect<void, never, Ours> =>
  step.do === "wait"
    ? Effect.sleep(step.millis)
    : Effect.withFiberRuntime((fiber) => {
        const { watch } = life
        const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
        const index = fiber.getFiberRef(callerIndex)
        const begun = clock.unsafeCurrentTimeMillis()
        moved(watch, begun)
        watch.active += 1
        watch.begun.set(index, begun)
        waiting.set(index, 1)
        const patient = caller.waitsAtMost === undefined ? identity : Throttle.waitAtMost(caller.waitsAtMost)
        const noted = Effect.onExit(patient(operation(life, step, reference)), (exit) =>
          Effect.sync(() => {
            const now = clock.unsafeCurrentTimeMillis()
            moved(watch, now)
            watch.active -= 1
            waiting.set(index, 0)
            // What a run that has crashed would say to its caller, nobody hears.
            if (watch.isCut) return
            const reads = readsOf(step, reference)
            outcomes.push({ step: step.do, endedAt: now, took: now - begun, exit, caller, index, reads })
          })
        )
        return Effect.asVoid(Effect.exit(noted))
      })

const behave = (run: Run, life: Life, caller: Caller, index: number) =>
  Effect.forEach(caller.steps, (step, number) => perform(run, life, caller, step, `R${index}x${number}`), {
    discard: true
  }).pipe(Effect.locally(callerIndex, index))

const countAlive = ({ sandbox }: Run): Effect.Effect<number> =>
  Effect.map(sandbox.issued, (issued) => issued.filter(({ isAlive }) => isAlive).length)

/** Does it what it is to do, or is there nothing left that it could be done to? */
const killing = (run: Run, met: Met, self: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const before = yield* countAlive(run)
    yield* self
    if ((yield* countAlive(run)) < before) run.met.add(met)
  })

const happen = (run: Run, happening: Happening): Effect.Effect<void> => {
  const { sandbox, surroundings } = run
  switch (happening.what) {
    case "expire":
      return killing(run, "killed", sandbox.expire(...happening.kinds))
    case "purge":
      return killing(run, "purged", sandbox.purge)
    case "clock":
      return killing(run, "outlived", sandbox.advance(happening.millis))
    case "fault":
      return sandbox.inject(happening.fault)
    case "password":
      return Effect.sync(() => {
        surroundings.password = happening.isWrong ? `wrong-at-${happening.at}` : sandbox.password
      })
  }
}

/** To be looked at when whatever ends in the very ms has ended. */
const leftOf = (
  { record, issued }: Pick<Report, "record" | "issued">,
  life: Life,
  roots: ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>,
  timers: number
): Left => {
  const living = issued.filter(({ isAlive }) => isAlive)
  const alive = new Set(living.map(({ value }) => value))
  const labels = new Set(living.map(({ label }) => label))
  const logins = record.filter((one) => isLogin(one) && one.isDelivered && one.status === 200)
  // What was logged out before that is over for the client, whatever IG said to it.
  const whileClosing = life.states.slice(Math.max(0, (life.left?.before ?? 0) - 1))
  const last = whileClosing.findLast(({ session }) => session._tag !== "SignedOut")
  const inUse = [...(last === undefined ? [] : [tokensOf(last.session)]), ...siblingsOf(life)]
  const sessions = inUse.filter((tokens) => tokens.every((token) => alive.has(token)))
  return {
    fibers: roots.filter((fiber) => !fiber.getFiberRef(isGateway)).length,
    timers,
    sessions: sessions.length,
    unstored: sessions.filter((tokens) => !tokens.every((token) => life.left?.text?.includes(token))).length,
    logins: logins.filter(({ issued }) => issued.length > 0 && issued.every((label) => labels.has(label))).length
  }
}

/**
 * What `withAccount` used last under CST, by account, where that was no session of the client's own. One that was logged
 * out before is over for the client, whatever IG said to it: so it is with its own.
 */
const siblingsOf = ({ states, watch }: Life): ReadonlyArray<ReadonlyArray<string>> => {
  const ended = watch.sent.flatMap(({ isLogout, securityToken }) => (isLogout ? [securityToken] : []))
  const own = new Set([...states.flatMap(({ session }) => tokensOf(session)), ...ended])
  const last = new Map<string, ReadonlyArray<string>>()
  for (const { cst, securityToken, wanted } of watch.sent) {
    if (wanted !== undefined && cst !== undefined && securityToken !== undefined && !own.has(securityToken)) {
      last.set(wanted, [cst, securityToken])
    }
  }
  return [...last.values()]
}

const hour = 3_600_000

export const failureOf = (exit: Exit.Exit<unknown, IgError>): IgError | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

/** One call; and if it says when it is worth to try again, one more then. */
const heal: Effect.Effect<Exit.Exit<unknown, IgError>, never, Session.Ig> = Effect.gen(function* () {
  const first = yield* Effect.exit(call("read", "healed"))
  const error = failureOf(first)
  if (error?._tag !== "AuthError" || error.retryAt === undefined) return first
  const now = yield* Clock.currentTimeMillis
  yield* Effect.sleep(Math.max(0, error.retryAt - now))
  return yield* Effect.exit(call("read", "healed-later"))
})

/** Interrupts a caller, and notes what it was doing. */
const interruptAfter = (run: Run, { watch }: Life, fiber: Fiber.Fiber<unknown>, index: number, millis: number) =>
  Effect.gen(function* () {
    yield* Effect.sleep(millis)
    const status = yield* Session.status
    const isRunning = Option.isNone(yield* Fiber.poll(fiber))
    if (isRunning && (watch.sending.get(index) ?? 0) > 0) run.interrupts.whileSending += 1
    else if (isRunning && (run.waiting.get(index) ?? 0) > 0 && status._tag === "SignedIn" && status.isRenewing) {
      run.interrupts.whileWaiting += 1
    }
    yield* Fiber.interrupt(fiber)
  })

/** The callers that come from then on, until another time. */
const callersOf = (run: Run, life: Life, from: number, until: number): Effect.Effect<void, never, Ours> =>
  Effect.forEach(
    run.program.callers,
    (caller, index) =>
      caller.startsAt < from || caller.startsAt >= until
        ? Effect.void
        : Effect.gen(function* () {
            yield* Effect.sleep(caller.startsAt - from)
            const fiber = yield* Effect.fork(behave(run, life, caller, index))
            const interrupting =
              caller.interruptedAt === undefined
                ? undefined
                : yield* Effect.fork(interruptAfter(run, life, fiber, index, caller.interruptedAt - caller.startsAt))
            yield* Fiber.await(fiber)
            // By itself it would end with the last of all callers.
            if (interrupting !== undefined) yield* Fiber.interrupt(interrupting)
          }),
    { concurrency: "unbounded", discard: true }
  )

const happeningsOf = (run: Run, from: number, until: number): Effect.Effect<void> =>
  Effect.forEach(
    run.program.happenings,
    (one) => (one.at < from || one.at >= until ? Effect.void : Effect.delay(happen(run, one), one.at - from)),
    { concurrency: "unbounded", discard: true }
  )

/** The first run, until it ends in the middle of everything; what is left of it and of its callers goes on for a while. */
const untilRestart = (run: Run, life: Life, { at, downFor, isCrash, isPurged, tampering }: Restart) =>
  Effect.gen(function* () {
    const { sandbox, surroundings } = run
    const callers = yield* Effect.fork(Effect.provide(callersOf(run, life, 0, at), life.context))
    yield* Effect.fork(happeningsOf(run, 0, at))
    yield* Effect.sleep(at)
    const remains: Array<Fiber.Fiber<void>> = [callers]
    if (isCrash) {
      remains.push(yield* crash(life, surroundings.shelf))
      yield* Fiber.interruptFork(callers)
    } else yield* close(life, surroundings.shelf)
    yield* Effect.sleep(downFor)
    if (isPurged) yield* sandbox.purge
    if (tampering !== undefined) tamper(surroundings.shelf, tampering)
    return remains
  })

/** Once all faults have ended and what was under way has its answer: does it heal, and what does it leave? */
const inPeace = (run: Run, life: Life): Effect.Effect<Peace> =>
  Effect.gen(function* () {
    const { program, sandbox, surroundings } = run
    // Places in the lanes come back, too: logging out does not wait for long.
    const rest = Effect.sleep(requestTimeout + 1 + (program.throttled === undefined ? 0 : window))
    yield* sandbox.clearFaults
    surroundings.password = sandbox.password
    yield* rest
    const healed = yield* heal
    if (program.throttled !== undefined) yield* rest
    yield* close(life, surroundings.shelf)
    return { healed }
  }).pipe(Effect.provide(life.context))

const live = (
  program: Program,
  timers: () => number
): Effect.Effect<Report, never, Sandbox.Sandbox | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const before = new Set(yield* Fiber.roots)
    const surroundings: Surroundings = { password: sandbox.password, shelf: makeShelf() }
    const run: Run = {
      program,
      sandbox,
      surroundings,
      outcomes: [],
      waiting: new Map(),
      met: new Set(),
      interrupts: { whileWaiting: 0, whileSending: 0 }
    }
    const { closesAt, restart } = program
    const first = yield* begin(program, sandbox, surroundings, undefined)
    const remains = restart === undefined ? [] : yield* untilRestart(run, first, restart)
    const last = restart === undefined ? first : yield* begin(program, sandbox, surroundings, first)
    const from = restart?.at ?? 0
    const callers = Effect.provide(callersOf(run, last, from, Infinity), last.context)
    const closing =
      closesAt === undefined ? Effect.void : Effect.delay(close(last, surroundings.shelf), Math.max(0, closesAt - from))
    yield* Effect.all([happeningsOf(run, from, Infinity), callers, closing], {
      concurrency: "unbounded",
      discard: true
    })
    yield* Fiber.awaitAll(remains)
    const peace = closesAt === undefined ? yield* inPeace(run, last) : undefined
    yield* Effect.sleep(1)
    const roots = [...(yield* Fiber.roots)].filter((fiber) => !before.has(fiber))
    const seen = { record: yield* sandbox.record, issued: yield* sandbox.issued }
    return {
      lives: restart === undefined ? [first] : [first, last],
      ...seen,
      outcomes: run.outcomes,
      interrupts: run.interrupts,
      peace,
      met: run.met,
      left: leftOf(seen, last, roots, timers())
    }
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

/** The gateway has the clock as it is, so that what sleeps by the other one is the client. */
const watchedOver = (program: Program): Effect.Effect<Report> =>
  Effect.clockWith((clock) => {
    const { counting, sleeping } = makeSleepers(clock)
    return Effect.provide(Effect.withClock(live(program, sleeping), counting), layerSandbox(program))
  })

export const run = (program: Program): Effect.Effect<Result> =>
  Effect.map(
    Simulation.run(watchedOver(program), { seed: program.seed, start: 1_000_000_000_000, limit: 48 * hour }),
    (outcome) => {
      if (outcome._tag === "Stuck") return { _tag: "Stuck" }
      return Exit.match(outcome.exit, {
        onFailure: (cause): Result => ({ _tag: "Died", why: Cause.pretty(cause) }),
        onSuccess: (report): Result => ({ _tag: "Ended", report })
      })
    }
  )
