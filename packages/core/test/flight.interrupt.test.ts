/** A renewal that is disturbed at each of its steps: nothing is lost, and nobody waits for ever. */
import type { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import type { IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox, type TokenKind } from "@effect-ig/sandbox/Sandbox"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import { describe } from "vitest"
import { keptInMemory } from "./utils/ig.ts"
import { cipher } from "./utils/seal.ts"
import { count, held, liveSessions, requests } from "./utils/state.ts"

/* ---- a world whose steps are counted ----------------------------------------- */

/** A time that is moved by hand. Nothing here needs a timer to fire. */
const makeClock = () => {
  let now = 0
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: () => Effect.async<void>(() => {})
  }
  const pass = (millis: number) => {
    now += millis
  }
  return { clock, pass }
}

interface Disturbance {
  /** Before which task; none of them when it is 0. */
  readonly at: number
  readonly run: () => void
}

/** After so many operations a fiber lets others go first; and how many steps a renewal has then, at least. */
const paces: ReadonlyArray<readonly [how: string, operations: number, least: number]> = [
  ["as everywhere", 2048, 18],
  ["more often", 60, 28]
]

const makeSteps = (operations: number) => {
  const queue = new Scheduler.PriorityBuckets<() => void>()
  const scheduler: Scheduler.Scheduler = {
    shouldYield: (fiber) => (fiber.currentOpCount > operations ? 0 : false),
    scheduleTask: (task, priority) => queue.scheduleTask(task, priority)
  }

  /** Runs whatever can run, and says how many tasks that took. */
  const exhaust = (disturbance?: Disturbance): number => {
    let step = 0
    for (;;) {
      const { buckets } = queue
      queue.buckets = []
      if (buckets.length === 0) return step
      for (const [, tasks] of buckets) {
        for (const task of tasks) {
          step += 1
          if (step === disturbance?.at) disturbance.run()
          task()
        }
      }
    }
  }

  const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.runFork(effect, { scheduler, immediate: false })

  /** To its end, which must come without waiting for anything. */
  const run = <A, E>(effect: Effect.Effect<A, E>): A => {
    const fiber = fork(effect)
    exhaust()
    return outcome(fiber)
  }

  return { exhaust, fork, run }
}

const exitOf = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): Exit.Exit<A, E> =>
  fiber.unsafePoll() ?? Exit.die("it waits for ever")

const outcome = <A, E>(fiber: Fiber.RuntimeFiber<A, E>): A =>
  Exit.getOrElse(exitOf(fiber), (cause) => {
    throw new Error(Cause.pretty(cause))
  })

/** All but the one that looks. */
const roots = () => new Set(Effect.runSync(Fiber.roots).filter((fiber) => fiber.unsafePoll() === null))

/* ---- renewals ------------------------------------------------------------------ */

interface Renewal {
  readonly name: string
  readonly login: Effect.Effect<unknown, IgError, Session.Ig | Credentials>
  readonly dead: ReadonlyArray<TokenKind>
  /** How much time has passed since the login. */
  readonly after?: number
  /** What an undisturbed renewal sends, and what is held then. */
  readonly sends: ReadonlyArray<string>
  readonly holds: string
}

const refreshes = "POST /session/refresh-token 1 200"

const renewals: ReadonlyArray<Renewal> = [
  {
    name: "a refresh in time",
    login: Session.login,
    dead: [],
    after: 51_000,
    sends: [refreshes],
    holds: "SBX01 access-2 refresh-2"
  },
  {
    name: "a refresh after refusals",
    login: Session.login,
    dead: ["access"],
    sends: [refreshes],
    holds: "SBX01 access-2 refresh-2"
  },
  {
    name: "a login after a refresh that was refused",
    login: Session.login,
    dead: ["access", "refresh"],
    sends: ["POST /session/refresh-token 1 401", "POST /session 3 200"],
    holds: "SBX01 access-2 refresh-2"
  },
  {
    name: "a login by CST",
    login: Session.loginV2,
    dead: ["cst", "xst"],
    sends: ["POST /session 2 200"],
    holds: "SBX01 cst-2 xst-2"
  },
  {
    name: "an encrypted login",
    login: Effect.provideService(Session.loginV2WithEncryption, PasswordCipher, cipher),
    dead: ["cst", "xst"],
    sends: ["GET /session/encryptionKey 1 200", "POST /session 2 200"],
    holds: "SBX01 cst-2 xst-2"
  },
  {
    name: "a login that gets back to its account",
    login: Effect.zipRight(Session.loginV2, Session.switchAccount("SBX02")),
    dead: ["cst", "xst"],
    sends: ["POST /session 2 200", "PUT /session 1 200"],
    holds: "SBX02 cst-2 xst-4"
  }
]

const callers = 3

const one = "GET /session 1 200"

type World = Layer.Layer.Success<ReturnType<typeof keptInMemory>>

/** The labels of the tokens that were given out last. */
const given = Effect.map(
  Effect.flatMap(Sandbox, ({ issued }) => issued),
  (issued) =>
    (["access", "refresh", "cst", "xst"] as const).flatMap((kind) => {
      const last = issued.filter((token) => token.kind === kind).at(-1)
      return last === undefined ? [] : [last.label]
    })
)

/** Those that are held, dead or alive. */
const kept = Effect.map(held, (tokens) => tokens.replaceAll(" (dead)", "").split(" ").slice(1))

/** Is one of them alive? */
const isAlive = Effect.map(held, (tokens) => /-\d+(?!\d| \(dead\))/.test(tokens))

/** How many sessions live that nobody holds. */
const leftOver = Effect.map(Effect.all([liveSessions, isAlive]), ([live, isHeld]) => live - (isHeld ? 1 : 0))

const random = () => Random.make("the same for each world")

/** A session that has to be renewed, in a layer that can be closed by itself. */
const makeWorld = (operations: number, before: Effect.Effect<unknown, IgError, World>) => {
  const alone = roots()
  const { clock, pass } = makeClock()
  const { exhaust, fork, run } = makeSteps(operations)
  const build = <A, E>(layer: Layer.Layer<A, E>) => {
    const scope = run(Scope.make())
    // The same tokens in each world: they are searched for in all that was printed, and made ready for that once.
    const context = run(Layer.buildWithScope(layer, scope).pipe(Effect.withClock(clock), Effect.withRandom(random())))
    return { context, close: Scope.close(scope, Exit.void) }
  }
  const stack = build(keptInMemory())
  const state = build(Layer.fresh(SessionState.layer))
  const context = Context.merge(stack.context, state.context)
  const here = <A, E>(effect: Effect.Effect<A, E, World>) =>
    effect.pipe(Effect.provide(context), Effect.withClock(clock))
  const use = <A, E>(effect: Effect.Effect<A, E, World>): A => run(here(effect))

  use(before)
  const seen = use(count)
  return {
    exhaust,
    use,
    pass,
    fork: <A, E>(effect: Effect.Effect<A, E, World>) => fork(here(effect)),
    close: () => fork(state.close),
    /** What was sent since then, but for calls. */
    sent: () => use(requests(seen)).filter((request) => !request.startsWith("GET /session ")),
    /** What a call sends that comes now; it must succeed. */
    call: () => {
      const now = use(count)
      use(Session.read())
      return use(requests(now))
    },
    /** How many fibers live that did not live before. */
    alive: () => [...roots()].filter((fiber) => !alone.has(fiber)).length,
    end: () => {
      run(state.close)
      run(stack.close)
    }
  }
}

/** Signed in, and in need of a renewal. */
const needy = ({ after = 0, dead, login }: Renewal, operations: number) => {
  const world = makeWorld(
    operations,
    Effect.zipRight(
      Effect.zipRight(login, Session.read()),
      Effect.flatMap(Sandbox, ({ expire }) => expire(...dead))
    )
  )
  world.pass(after)
  return world
}

type Needy = ReturnType<typeof makeWorld>

/** Callers that need what is disturbed at this step, if at any; and how many steps there were. */
const disturbed = (
  world: Needy,
  calls: ReadonlyArray<Effect.Effect<unknown, IgError, World>>,
  at: number,
  disturb: (fibers: ReadonlyArray<Fiber.RuntimeFiber<unknown, IgError>>) => void
) => {
  const fibers = calls.map(world.fork)
  const steps = world.exhaust({ at, run: () => disturb(fibers) })
  return { exits: fibers.map(exitOf), steps }
}

const reads = Array.from({ length: callers }, () => Session.read())

const leave = (fibers: ReadonlyArray<Fiber.RuntimeFiber<unknown, IgError>>) => {
  for (const fiber of fibers) fiber.unsafeInterruptAsFork(FiberId.none)
}

const isServedOrGone = (exit: Exit.Exit<unknown, IgError>) => Exit.isSuccess(exit) || Exit.isInterrupted(exit)

/** What has become of a call when the layer closed: `served`, or which sort of refusal. */
const fate = (exit: Exit.Exit<unknown, IgError>): string =>
  Exit.match(exit, {
    onSuccess: () => "served",
    onFailure: (cause) =>
      Cause.isFailType(cause) && cause.error._tag === "AuthError" ? cause.error.reason : Cause.pretty(cause)
  })

const unless =
  (...expected: ReadonlyArray<string>) =>
  (found: string) =>
    !expected.includes(found)

const undisturbed = (renewal: Renewal, operations: number): number => {
  const world = needy(renewal, operations)
  const { exits, steps } = disturbed(world, reads, 0, () => {})
  expect(exits.filter(Exit.isSuccess)).toHaveLength(callers)
  expect(world.sent()).toEqual(renewal.sends)
  expect(world.use(held)).toBe(renewal.holds)
  expect(world.call()).toEqual([one])
  world.end()
  expect(world.alive()).toBe(0)
  return steps
}

/** Of so many worlds, on a machine that has other work. */
const patience = { timeout: 180_000 }

const breath = () => new Promise<void>((resolve) => void setImmediate(resolve))

/** Steps that an optimisation removes are no longer looked at; so whoever reads the output sees how many there are. */
const print = (steps: number, what: string, how: string) =>
  process.stdout.write(`${what}, where fibers yield ${how}: N = ${steps}\n`)

/** Says of each step what was found there; which is nothing, if all is well. */
const atEach = async (steps: number, look: (step: number) => unknown, wanted: unknown) => {
  for (let step = 1; step <= steps; step++) {
    expect({ step, found: look(step) }).toEqual({ step, found: wanted })
    await breath()
  }
}

for (const [how, operations, least] of paces) {
  describe(`a renewal, at each of its steps, where fibers yield ${how}`, patience, () => {
    // Between them these two take every step of the ladder.
    for (const renewal of operations === 2048 ? renewals : renewals.slice(1, 3)) {
      const { name } = renewal

      it(`by ${name} goes on when the caller leaves that began it`, async () => {
        const steps = undisturbed(renewal, operations)
        print(steps, `a renewal by ${name}`, how)
        expect(steps).toBeGreaterThan(least)
        const look = (step: number) => {
          const world = needy(renewal, operations)
          const { exits } = disturbed(world, reads, step, (fibers) => leave(fibers.slice(0, 1)))
          const found = {
            first: exits.slice(0, 1).every(isServedOrGone),
            others: exits.slice(1).every(Exit.isSuccess),
            sent: world.sent(),
            holds: world.use(held),
            given: world.use(given),
            next: world.call()
          }
          world.end()
          return { ...found, alive: world.alive() }
        }
        await atEach(steps, look, {
          first: true,
          others: true,
          sent: renewal.sends,
          holds: renewal.holds,
          given: renewal.holds.split(" ").slice(1),
          next: [one],
          alive: 0
        })
      })

      it(`by ${name} goes on, or is begun by the next caller, when all callers leave`, async () => {
        const steps = undisturbed(renewal, operations)
        const look = (step: number) => {
          const world = needy(renewal, operations)
          const { exits } = disturbed(world, reads, step, leave)
          const isGivenKept = String(world.use(kept)) === String(world.use(given))
          const wasBegun = world.sent().length > 0
          const next = world.call()
          const found = {
            callers: exits.every(isServedOrGone),
            isGivenKept,
            isNextServedAtOnce: !wasBegun || String(next) === one,
            sent: world.sent(),
            holds: world.use(held),
            given: world.use(given),
            afterwards: world.call()
          }
          world.end()
          return { ...found, alive: world.alive() }
        }
        await atEach(steps, look, {
          callers: true,
          isGivenKept: true,
          isNextServedAtOnce: true,
          sent: renewal.sends,
          holds: renewal.holds,
          given: renewal.holds.split(" ").slice(1),
          afterwards: [one],
          alive: 0
        })
      })

      it(`by ${name} loses nothing when the layer closes`, async () => {
        const steps = undisturbed(renewal, operations)
        const look = (step: number) => {
          const world = needy(renewal, operations)
          let closing: Fiber.RuntimeFiber<void> | undefined
          const { exits } = disturbed(world, reads, step, () => {
            closing = world.close()
          })
          const alive = world.alive()
          const sent = world.sent()
          const late = world.use(Effect.flip(Session.login))
          const found = {
            isClosed: closing !== undefined && Exit.isSuccess(exitOf(closing)),
            callers: exits.map(fate).filter(unless("served", "closed")),
            alive,
            // A login that comes too late for everybody is logged out.
            isGivenKeptOrEnded: String(world.use(kept)) === String(world.use(given)) || world.use(liveSessions) === 0,
            leftOver: world.use(leftOver),
            late: late._tag === "AuthError" && late.reason,
            sentLate: world.sent().length - sent.length
          }
          world.end()
          return found
        }
        await atEach(steps, look, {
          isClosed: true,
          callers: [],
          alive: 0,
          isGivenKeptOrEnded: true,
          leftOver: 0,
          late: "closed",
          sentLate: 0
        })
      })
    }
  })
}

/* ---- under CST, sessions of other accounts ------------------------------------------ */

const other = withAccount("SBX02")(Session.read())

interface Siblings {
  readonly name: string
  readonly before: Effect.Effect<unknown, IgError, World>
  readonly calls: ReadonlyArray<Effect.Effect<unknown, IgError, World>>
  /** What happens to the session itself, and to that of the other account. */
  readonly sends: ReadonlyArray<string>
}

const opening = ["POST /session 2 200", "PUT /session 1 200"]

const siblings: ReadonlyArray<Siblings> = [
  {
    name: "is opened",
    before: Effect.zipRight(Session.loginV2, Session.read()),
    calls: [other, other, other],
    sends: opening
  },
  {
    name: "is renewed, and so is the session",
    before: Effect.all([
      Session.loginV2,
      Session.read(),
      other,
      Effect.flatMap(Sandbox, ({ expire }) => expire("cst", "xst"))
    ]),
    calls: [other, Session.read(), other, Session.read()],
    sends: [...opening, "POST /session 2 200"]
  }
]

for (const [how, operations, least] of paces) {
  describe(`at each step in which a session of another account, where fibers yield ${how},`, patience, () => {
    // Two renewals at once have so many steps that the larger ones will do.
    for (const { before, calls, name, sends } of operations === 2048 ? siblings : siblings.slice(0, 1)) {
      const steps = () => {
        const world = makeWorld(operations, before)
        const { exits, steps } = disturbed(world, calls, 0, () => {})
        expect(exits.every(Exit.isSuccess)).toBe(true)
        expect([...world.sent()].sort()).toEqual([...sends].sort())
        world.end()
        expect(world.alive()).toBe(0)
        return steps
      }

      it(`${name}, the first caller may leave`, async () => {
        const look = (step: number) => {
          const world = makeWorld(operations, before)
          const { exits } = disturbed(world, calls, step, (fibers) => leave(fibers.slice(0, 1)))
          const found = {
            first: exits.slice(0, 1).every(isServedOrGone),
            others: exits.slice(1).every(Exit.isSuccess),
            sent: [...world.sent()].sort(),
            live: world.use(liveSessions)
          }
          world.end()
          return { ...found, alive: world.alive() }
        }
        const count = steps()
        print(count, `a session of another account that ${name}`, how)
        expect(count).toBeGreaterThan(least)
        await atEach(count, look, { first: true, others: true, sent: [...sends].sort(), live: 2, alive: 0 })
      })

      // A session that is opened while the layer closes is left open at IG.
      it(`${name}, the layer may close: no session of another account is left`, async () => {
        const look = (step: number) => {
          const world = makeWorld(operations, before)
          let closing: Fiber.RuntimeFiber<void> | undefined
          const { exits } = disturbed(world, calls, step, () => {
            closing = world.close()
          })
          const found = {
            isClosed: closing !== undefined && Exit.isSuccess(exitOf(closing)),
            callers: exits.map(fate).filter(unless("served", "closed", "not-signed-in")),
            alive: world.alive(),
            leftOver: world.use(leftOver)
          }
          world.end()
          return found
        }
        await atEach(steps(), look, { isClosed: true, callers: [], alive: 0, leftOver: 0 })
      })
    }
  })
}
