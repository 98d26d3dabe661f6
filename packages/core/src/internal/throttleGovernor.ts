/** The governor of IG's allowances: each request that leaves has its places, or waits for them. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { Allowance } from "../Endpoint.ts"
import { NotSentError } from "../IgError.ts"
import { type Allowances, mayQueueAgain } from "./allowances.ts"
import { makeEvents, publish } from "./events.ts"
import { countAllowanceRefusal, unsafeBeginWait, unsafeEndWait, unsafeHoldBack } from "./telemetry.ts"
import { Event, type Tell } from "./throttleEvent.ts"
import type { Lane } from "./throttleLane.ts"
import {
  type Account,
  makeLanes,
  type Outcome,
  outcomeOf,
  type Places,
  served,
  unknown,
  unsent
} from "./throttleLanes.ts"
import { makeLine, placesOf } from "./throttleLine.ts"
import type { Budget } from "./throttlePoints.ts"
import type { Class, Readiness, Signal, Waiter } from "./throttleQueue.ts"
import type { AccountStatus, LaneStatus, Status } from "./throttleStatus.ts"
import { makeTime } from "./time.ts"
import type { Exchange } from "./waiting.ts"

/** What a call keeps when it has to wait once more. */
export interface Ticket {
  /** Its place in the order of all calls. */
  order: number | undefined
  /** How long it has waited so far, in ms. */
  waited: number
}

export const makeTicket = (): Ticket => ({ order: undefined, waited: 0 })

/** A request that wants to be sent. */
export interface Want<E, R> extends Readiness {
  readonly operation: string
  readonly allowance: Allowance
  /** Whose allowance it spends beside the key's; a request with the API key alone spends no account's. */
  readonly accountId: string | undefined
  readonly ticket: Ticket
  /** How long it may wait, all in all. */
  readonly limit: Duration.Duration | undefined
  /** It goes before the reads, and is given up when nobody has a use for it. */
  readonly exchange: Exchange | undefined
  /** What it does first when it is its turn and it is not ready. */
  readonly prepare: Effect.Effect<void, E, R>
}

/** How a request goes once it has its place. */
export interface Departure {
  /** Each time that a request leaves: a user's own `HttpClient` may send it again, and waits for a place for that, too. */
  readonly leave: Effect.Effect<void, NotSentError>
  /** How long it has waited, in ms. */
  readonly waited: number
}

export interface Governor {
  readonly run: <A, E, E2, R, R2>(
    want: Want<E2, R2>,
    attempt: (departure: Departure) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | E2 | NotSentError, R | R2>
  readonly budget: (accountId: string) => Budget
  /** How long a renewal would wait that is asked for now, in ms. */
  readonly renewalWait: () => number
  /** Does one wait, or something else that holds up renewals? */
  readonly isExchangeWaiting: () => boolean
  readonly allowances: () => Allowances
  readonly learn: (allowances: Allowances) => void
  readonly status: Effect.Effect<Status>
  readonly events: PubSub.PubSub<Event>
}

/** Where an answer to another request decides nobody knows, but whoever asks again must not do so at once. */
const unknownWait = 1_000

export const wouldWait = (operation: string, millis: number) =>
  unsafeHoldBack({
    operation,
    reason: "would-wait",
    detail: "It would have waited for IG's allowances longer than its caller wants.",
    retryAfter: millis > 0 ? millis : unknownWait
  })

const isClosing = (operation: string) =>
  new NotSentError({ operation, reason: "not-permitted", detail: "The session's layer is closing." })

const classOf = <E, R>({ accountId, allowance, exchange }: Want<E, R>): Class => ({
  accountId,
  rank: allowance === "trading" && accountId !== undefined ? 0 : exchange === undefined ? 2 : 1
})

const signalOf = (waiter: Waiter): Effect.Effect<Signal> =>
  Effect.async((resume) => {
    if (waiter.signal === undefined) waiter.wake = (signal) => resume(Effect.succeed(signal))
    else resume(Effect.succeed(waiter.signal))
  })

const renewal: Class = { rank: 1, accountId: undefined }

export const makeGovernor = (given: Allowances): Effect.Effect<Governor, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events = yield* Effect.acquireRelease(makeEvents<Event>(), PubSub.shutdown)
    const { close, governor } = makeIn(yield* Effect.runtime<never>(), yield* Effect.clock, events, given)
    yield* Effect.addFinalizer(() => close)
    return governor
  })

const makeIn = (
  runtime: Runtime.Runtime<never>,
  clock: Clock.Clock,
  events: PubSub.PubSub<Event>,
  given: Allowances
): { readonly governor: Governor; readonly close: Effect.Effect<void> } => {
  const time = makeTime(clock)
  const tell: Tell = (event) => {
    Runtime.runSync(runtime)(publish(events, event(time.wall())))
  }
  const lanes = makeLanes(given, time, tell)
  const line = makeLine(lanes, time, runtime)
  let nextOrder = 0

  const settle = (places: Places, outcome: Outcome): void => {
    lanes.settle(places, outcome)
    line.pump()
  }

  /** Waits until it may go, and prepares itself for that as often as it has to. */
  const signalled = <E, R>(want: Want<E, R>, waiter: Waiter): Effect.Effect<Places, E | NotSentError, R> =>
    Effect.flatMap(signalOf(waiter), (signal): Effect.Effect<Places, E | NotSentError, R> => {
      if (signal === "closed") return isClosing(want.operation)
      if (signal !== "prepare") return Effect.succeed(signal)
      const prepared = Effect.suspend(() => {
        line.prepared(waiter)
        return signalled(want, waiter)
      })
      return Effect.zipRight(want.prepare, prepared)
    })

  const bounded = <E, R>(
    want: Want<E, R>,
    waiter: Waiter,
    limit: number | undefined
  ): Effect.Effect<Places, E | NotSentError, R> => {
    const { exchange, operation } = want
    const waiting = signalled(want, waiter)
    const onTimeout = () => wouldWait(operation, line.waitOf(classOf(want), "front"))
    const limited = limit === undefined ? waiting : Effect.timeoutFail(waiting, { duration: limit, onTimeout })
    return exchange === undefined
      ? limited
      : Effect.raceFirst(limited, Effect.zipRight(exchange.closing, isClosing(operation)))
  }

  const leave = (waiter: Waiter): void => {
    const places = line.leave(waiter)
    if (places !== undefined) settle(places, unsent)
  }

  /** Waits for a place; whoever leaves meanwhile leaves nothing behind. */
  const enter = <E, R>(
    want: Want<E, R>,
    restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ): Effect.Effect<{ readonly places: Places; readonly waited: number }, E | NotSentError, R> =>
    Effect.suspend(() => {
      const { limit, operation, ticket } = want
      const of = classOf(want)
      const left = limit && Duration.toMillis(limit) - ticket.waited
      if (left !== undefined) {
        const wait = line.waitOf(of, ticket.order === undefined ? undefined : "front")
        if (wait > left) return Effect.fail(wouldWait(operation, wait))
      }
      const order = (ticket.order ??= nextOrder++)
      const passing = line.pass(of, want)
      if (passing !== undefined) return Effect.succeed({ places: passing, waited: 0 })
      if (line.isClosed() && want.exchange === undefined) return isClosing(operation)
      const waiter = line.join(of, order, want)
      const at = placesOf(waiter)
      if (at !== undefined) return Effect.succeed({ places: at, waited: 0 })
      unsafeBeginWait()
      const ended = (): number => {
        const waited = time.now() - waiter.since
        unsafeEndWait(waited)
        return waited
      }
      return Effect.matchCauseEffect(restore(bounded(want, waiter, left)), {
        onFailure: (cause) => {
          ended()
          leave(waiter)
          return Effect.failCause(cause)
        },
        onSuccess: (places) => {
          const waited = ended()
          ticket.waited += waited
          return Effect.succeed({ places, waited })
        }
      })
    })

  const run = <A, E, E2, R, R2>(
    want: Want<E2, R2>,
    attempt: (departure: Departure) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | E2 | NotSentError, R | R2> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(enter(want, restore), ({ places, waited }) => {
        // More than one when a user's own client sends again before it has been answered.
        let held = [places]
        let isSent = false
        let isEnded = false
        const settleAll = (outcome: Outcome): void => {
          const all = held
          held = []
          for (const places of all) settle(places, outcome)
        }
        const end = (outcome: Outcome): void => {
          isEnded = true
          settleAll(outcome)
        }
        const again = Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            settleAll(unknown)
            return Effect.map(enter({ ...want, isReady: constTrue, prepare: Effect.void }, restore), ({ places }) => {
              // One that a client of the user's has left to itself must not keep them for good.
              if (isEnded) settle(places, unknown)
              else held = [...held, places]
            })
          })
        )
        const leave = Effect.suspend((): Effect.Effect<void, NotSentError> => {
          if (isSent) return again
          isSent = true
          return Effect.void
        })
        return Effect.matchCauseEffect(restore(attempt({ leave, waited })), {
          onFailure: (cause) => {
            const outcome = isSent ? outcomeOf(cause) : unsent
            end(outcome)
            const refused = Effect.failCause(cause)
            return outcome.refused === undefined
              ? refused
              : Effect.zipRight(countAllowanceRefusal(outcome.refused), refused)
          },
          onSuccess: (answer) => {
            end(isSent ? served : unsent)
            return Effect.succeed(answer)
          }
        })
      })
    ).pipe(Effect.catchIf(mayQueueAgain, () => run(want, attempt)))

  const budget = (accountId: string): Budget => {
    const { ledger } = lanes.account(accountId)
    const closed = (left: number, lasts: number): void => {
      if (left > 0) return
      const of = { allowance: "account-historical-data", accountId: Option.some(accountId) } as const
      tell((at) => Event.Closed({ ...of, at, until: at + lasts }))
    }
    return {
      wait: () => ledger.wait(time.now()),
      reserve: ledger.reserve,
      release: ledger.release,
      read: (body) => ledger.read(body, time.now()),
      refused: () => {
        const now = time.now()
        const { left, resetsAt } = ledger.refused(now)
        closed(left, resetsAt - now)
        return resetsAt - now
      }
    }
  }

  /* ---- what can be seen of it -------------------------------------------------------- */

  const laneStatus = (lane: Lane): LaneStatus => ({
    limit: lane.limit(),
    left: lane.left(time.now()),
    waiting: lane.waiting.first + lane.waiting.reads,
    isClosed: lane.closedUntil() !== undefined
  })

  const accountStatus = ({ accountId, ledger, reads, trades }: Account): AccountStatus => {
    const now = time.now()
    const points = Option.fromNullable(ledger.points(now))
    return {
      accountId,
      reads: laneStatus(reads),
      trades: laneStatus(trades),
      points: Option.map(points, ({ left, resetsAt }) => ({ left, resetsAfter: resetsAt - now }))
    }
  }

  const governor: Governor = {
    run,
    renewalWait: () => line.waitOf(renewal),
    isExchangeWaiting: () => lanes.key.waiting.first > 0,
    budget,
    allowances: lanes.allowances,
    learn: (next) => {
      lanes.learn(next)
      line.pump()
    },
    status: Effect.sync(() => ({
      waiting: line.size(),
      longestWait: line.longestWait(),
      key: laneStatus(lanes.key),
      accounts: lanes.accounts().map(accountStatus)
    })),
    events
  }
  return { governor, close: line.close }
}
