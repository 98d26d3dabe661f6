/**
 * The governor of IG's allowances: who may send now, who waits, and who is next. Whatever changes that is one synchronous
 * step, so no interruption falls in between; one timer serves all who wait.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as PubSub from "effect/PubSub"
import * as Tree from "effect/RedBlackTree"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Allowance } from "../Endpoint.ts"
import { ApiError, NotSentError } from "../IgError.ts"
import { countAllowanceRefusal, whileWaiting } from "./telemetry.ts"
import { type Claim, type Lane, makeLane, type Place, type Refusable, type Verdict, window } from "./throttleLane.ts"
import { type Ledger, makeLedger } from "./throttleLedger.ts"
import type { Exchange } from "./waiting.ts"

/**
 * How many requests a minute; `Infinity` is as many as you like.
 *
 * @since 0.1.0
 * @category models
 */
export interface Allowances {
  /** Of the API key, trades not counted. */
  readonly key: number
  /** Of each account, trades not counted. */
  readonly account: number
  /** Trades of each account. */
  readonly trading: number
}

/**
 * An allowance now.
 *
 * @since 0.1.0
 * @category models
 */
export interface LaneStatus {
  /** Requests a minute; `Infinity` where there is no limit. */
  readonly limit: number
  /** How many could be sent now. */
  readonly left: number
  /** How many wait for it. */
  readonly waiting: number
  /** Is it closed, since IG has refused a request for it? */
  readonly isClosed: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface AccountStatus {
  readonly accountId: string
  readonly reads: LaneStatus
  readonly trades: LaneStatus
  /** Price points of the week, where IG has told them; in ms until they come back. */
  readonly points: Option.Option<{ readonly left: number; readonly resetsAfter: number }>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Status {
  /** How many requests wait. */
  readonly waiting: number
  /** How long the one has waited that waits the longest, in ms. */
  readonly longestWait: number
  readonly key: LaneStatus
  readonly accounts: ReadonlyArray<AccountStatus>
}

/**
 * - `Closed`: IG has refused a request for this allowance, and nothing that spends it is sent until then
 * - `Opened`: the one request that went first was served
 * - `Learnt`: these numbers count from now on
 *
 * `at` and `until` are in ms since the epoch; an allowance of the key has no account.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = Data.TaggedEnum<{
  Closed: {
    readonly at: number
    readonly allowance: Refusable
    readonly accountId: Option.Option<string>
    readonly until: number
  }
  Opened: { readonly at: number; readonly allowance: Refusable; readonly accountId: Option.Option<string> }
  Learnt: { readonly at: number; readonly allowances: Allowances }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Event: Data.TaggedEnum.Constructor<Event> = Data.taggedEnum<Event>()

/** The place of a call in the order of all calls, kept when it has to wait once more. */
export interface Ticket {
  order: number | undefined
}

export const makeTicket = (): Ticket => ({ order: undefined })

/** A request that wants to be sent. */
export interface Want<E, R> {
  readonly operation: string
  readonly allowance: Allowance
  /** Whose allowance it spends beside the key's; a request with the API key alone spends no account's. */
  readonly accountId: string | undefined
  readonly ticket: Ticket
  readonly limit: Duration.Duration | undefined
  /** It goes before the reads, and is given up when nobody has a use for it. */
  readonly exchange: Exchange | undefined
  /** May it go as the session is? Else it prepares itself first, when it is its turn. */
  readonly isReady: () => boolean
  readonly prepare: Effect.Effect<void, E, R>
  /** When the bearer ends, in ms since the epoch. */
  readonly bearerEnds: () => number | undefined
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
  /** How long the account has no price points left, in ms; `undefined` when it has some, or nothing is known. */
  readonly pointsWait: (accountId: string) => number | undefined
  /** What IG's answer says of the account's points. */
  readonly readPoints: (accountId: string, body: unknown) => void
  /** IG has refused a request for want of points; answers with how long that will be so, in ms. */
  readonly pointsSpent: (accountId: string) => number
  /** How long a renewal would wait that is asked for now, in ms. */
  readonly renewalWait: () => number
  /** Does one wait, or something else that holds up renewals? */
  readonly isExchangeWaiting: () => boolean
  readonly allowances: () => Allowances
  readonly learn: (allowances: Allowances) => void
  readonly status: Effect.Effect<Status>
  readonly events: PubSub.PubSub<Event>
}

/**
 * What is provided where the call is made counts; `None`, the default, is off.
 *
 * @since 0.1.0
 * @category references
 */
export class Throttle extends Context.Reference<Throttle>()("@effect-ig/core/Throttle", {
  defaultValue: (): Option.Option<Service> => Option.none()
}) {}

/** What a layer of `Throttle` has turned on. */
export interface Service {
  readonly status: Effect.Effect<Status>
  readonly events: Stream.Stream<Event>
  /** @internal */
  readonly governor: Governor
}

/* ---- who waits --------------------------------------------------------------- */

interface Account {
  readonly accountId: string
  readonly reads: Lane
  readonly trades: Lane
  readonly ledger: Ledger
}

/** Trades, what an exchange of the session needs, reads: the lower goes first. */
type Rank = 0 | 1 | 2

/** Requests that spend the same lanes, and so go in the order in which they came. */
interface Queue {
  readonly rank: Rank
  readonly lanes: ReadonlyArray<Lane>
  waiting: Tree.RedBlackTree<number, Waiter>
  /** The one that has to prepare itself first; all wait for that. */
  paused: Waiter | undefined
}

/** Places of a request, one in each lane that it spends. */
type Places = ReadonlyArray<readonly [Lane, Place]>

type Signal = { readonly go: Places } | "prepare"

interface Waiter {
  readonly order: number
  readonly queue: Queue
  readonly since: number
  readonly isReady: () => boolean
  readonly bearerEnds: () => number | undefined
  /** It has just prepared itself, and goes as it is. */
  isPrepared: boolean
  signal: Deferred.Deferred<Signal>
  places: Places | undefined
}

const emptyTree = Tree.empty<number, Waiter>(Order.number)

const codes: ReadonlyMap<string, Refusable> = new Map(
  (["api-key", "account", "account-trading", "account-historical-data"] as const).map((allowance) => [
    `error.public-api.exceeded-${allowance}-allowance`,
    allowance
  ])
)

const refusedFor = (error: unknown): Refusable | undefined =>
  error instanceof ApiError && error.errorCode !== undefined ? codes.get(error.errorCode) : undefined

/** It was not executed, and may be sent again in a minute. */
const mayQueueAgain = (error: unknown): boolean => {
  const allowance = refusedFor(error)
  return allowance !== undefined && allowance !== "account-historical-data"
}

interface Outcome {
  readonly verdict: Verdict
  readonly refused: Refusable | undefined
}

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return { verdict: "served", refused: undefined }
  const error = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return { verdict: error instanceof ApiError ? "served" : "unknown", refused: refusedFor(error) }
}

export const wouldWait = (operation: string, millis: number) =>
  new NotSentError({
    operation,
    reason: "would-wait",
    detail: "It would have waited for IG's allowances longer than its caller wants.",
    retryAfter: Math.max(0, millis)
  })

interface Timer {
  readonly at: number
  fiber: Fiber.RuntimeFiber<void> | undefined
}

/* ---- the governor -------------------------------------------------------------- */

/** Whoever does not keep up with so many events misses the oldest. */
const rememberedEvents = 1_000

const million = 1_000_000n

export const makeGovernor = (given: Allowances): Effect.Effect<Governor, never, Scope.Scope> =>
  Effect.gen(function* () {
    const events = yield* Effect.acquireRelease(PubSub.sliding<Event>(rememberedEvents), PubSub.shutdown)
    return makeIn(yield* Effect.runtime<never>(), yield* Effect.clock, events, given)
  })

const makeIn = (
  runtime: Runtime.Runtime<never>,
  clock: Clock.Clock,
  events: PubSub.PubSub<Event>,
  given: Allowances
): Governor => {
  const key = makeLane("api-key", Option.none(), given.key)
  const accounts = new Map<string, Account>()
  const queues = new Map<string, Queue>()
  let allowances = given
  let nextOrder = 0
  let waiting = 0
  let timer: Timer | undefined

  /** By a clock that nobody sets. */
  const time = (): number => Number(clock.unsafeCurrentTimeNanos() / million)
  /** An answer counts as seen at the end of its ms. */
  const seen = (): number => time() + (clock.unsafeCurrentTimeNanos() % million > 0n ? 1 : 0)

  const tell = (event: (at: number) => Event): void => {
    events.unsafeOffer(event(clock.unsafeCurrentTimeMillis()))
  }

  const accountOf = (accountId: string): Account => {
    const known = accounts.get(accountId)
    if (known !== undefined) return known
    const account: Account = {
      accountId,
      reads: makeLane("account", Option.some(accountId), allowances.account),
      trades: makeLane("account-trading", Option.some(accountId), allowances.trading),
      ledger: makeLedger()
    }
    accounts.set(accountId, account)
    return account
  }

  const lanesOf = (rank: Rank, accountId: string | undefined): ReadonlyArray<Lane> => {
    if (rank === 0) return [accountOf(accountId ?? "").trades]
    return accountId === undefined ? [key] : [key, accountOf(accountId).reads]
  }

  const queueOf = <E, R>({ accountId, allowance, exchange }: Want<E, R>): Queue => {
    const rank = allowance === "trading" ? 0 : exchange === undefined ? 2 : 1
    const name = `${rank} ${accountId ?? ""}`
    const known = queues.get(name)
    if (known !== undefined) return known
    const queue: Queue = { rank, lanes: lanesOf(rank, accountId), waiting: emptyTree, paused: undefined }
    queues.set(name, queue)
    return queue
  }

  const headOf = (queue: Queue): Waiter | undefined =>
    Option.getOrUndefined(Option.map(Tree.first(queue.waiting), ([, waiter]) => waiter))

  /** The place that is left for renewal is one of the key. */
  const claimOf = (waiter: Waiter, lane: Lane, now: number): Claim => {
    if (waiter.queue.rank !== 2) return { of: "first" }
    const ends = lane === key ? waiter.bearerEnds() : undefined
    return { of: "reads", until: ends === undefined ? undefined : now + (ends - clock.unsafeCurrentTimeMillis()) }
  }

  const blocking = (waiter: Waiter, now: number): ReadonlyArray<Lane> =>
    waiter.queue.lanes.filter((lane) => !lane.hasRoom(now, claimOf(waiter, lane, now)))

  const isBefore = (one: Waiter, other: Waiter): boolean =>
    one.queue.rank < other.queue.rank || (one.queue.rank === other.queue.rank && one.order < other.order)

  const next = (now: number): Waiter | undefined => {
    let found: Waiter | undefined
    for (const queue of queues.values()) {
      const head = queue.paused !== undefined ? undefined : headOf(queue)
      if (head === undefined || (found !== undefined && !isBefore(head, found))) continue
      if (blocking(head, now).length === 0) found = head
    }
    return found
  }

  const add = (waiter: Waiter): void => {
    waiter.queue.waiting = Tree.insert(waiter.queue.waiting, waiter.order, waiter)
    waiting += 1
  }

  const remove = ({ order, queue }: Waiter): void => {
    queue.waiting = Tree.removeFirst(queue.waiting, order)
    waiting -= 1
  }

  const admit = (waiter: Waiter): Places => {
    const places = waiter.queue.lanes.map((lane) => [lane, lane.take()] as const)
    waiter.places = places
    return places
  }

  const signal = (waiter: Waiter, what: Signal): void => {
    Deferred.unsafeDone(waiter.signal, Exit.succeed(what))
  }

  /** Lets go whoever may go now, in order. */
  const pump = (): void => {
    if (waiting === 0 && timer === undefined) return
    const now = time()
    for (let waiter = next(now); waiter !== undefined; waiter = next(now)) {
      if (waiter.isPrepared || waiter.isReady()) {
        remove(waiter)
        signal(waiter, { go: admit(waiter) })
      } else {
        waiter.queue.paused = waiter
        signal(waiter, "prepare")
      }
    }
    schedule(now)
  }

  const earliest = (now: number): number | undefined => {
    let at: number | undefined
    for (const queue of queues.values()) {
      const head = queue.paused !== undefined ? undefined : headOf(queue)
      if (head === undefined) continue
      for (const lane of blocking(head, now)) {
        const then = lane.nextAt(now)
        if (then !== undefined && (at === undefined || then < at)) at = then
      }
    }
    return at
  }

  const schedule = (now: number): void => {
    const at = earliest(now)
    if (timer !== undefined && at !== undefined && timer.at <= at) return
    timer?.fiber?.unsafeInterruptAsFork(FiberId.none)
    timer = undefined
    if (at === undefined) return
    const mine: Timer = { at, fiber: undefined }
    timer = mine
    const look = Effect.sync(() => {
      if (timer === mine) timer = undefined
      pump()
    })
    mine.fiber = Runtime.runFork(runtime)(Effect.zipRight(Effect.sleep(at - now), look))
  }

  /* ---- waiting for a place --------------------------------------------------------- */

  /** How long one would wait that comes now, as far as can be known. */
  const roomIn = ({ lanes, rank }: Queue, now: number): number => {
    const claim: Claim = rank === 2 ? { of: "reads", until: undefined } : { of: "first" }
    return Math.max(0, ...lanes.map((lane) => lane.roomAt(now, waitingFor(lane, rank), claim) - now))
  }

  const waitingFor = (lane: Lane, upTo: Rank): number => {
    let count = 0
    for (const queue of queues.values()) {
      if (queue.rank <= upTo && queue.lanes.includes(lane)) count += Tree.size(queue.waiting)
    }
    return count
  }

  const isClosing = (operation: string) =>
    new NotSentError({ operation, reason: "not-permitted", detail: "The session's layer is closing." })

  /** Waits until it may go, and prepares itself for that as often as it has to. */
  const signalled = <E, R>(want: Want<E, R>, waiter: Waiter): Effect.Effect<Places, E, R> =>
    Effect.flatMap(Deferred.await(waiter.signal), (what): Effect.Effect<Places, E, R> =>
      what === "prepare"
        ? Effect.zipRight(
            want.prepare,
            Effect.suspend(() => {
              waiter.signal = Deferred.unsafeMake(FiberId.none)
              waiter.queue.paused = undefined
              waiter.isPrepared = true
              pump()
              waiter.isPrepared = false
              return signalled(want, waiter)
            })
          )
        : Effect.succeed(what.go)
    )

  const bounded = <E, R>(want: Want<E, R>, waiter: Waiter): Effect.Effect<Places, E | NotSentError, R> => {
    const { exchange, limit, operation } = want
    const waiting = signalled(want, waiter)
    const limited =
      limit === undefined
        ? waiting
        : Effect.timeoutFail(waiting, {
            duration: limit,
            onTimeout: () => wouldWait(operation, roomIn(waiter.queue, time()))
          })
    return exchange === undefined
      ? limited
      : Effect.raceFirst(limited, Effect.zipRight(exchange.closing, isClosing(operation)))
  }

  const closed = ({ accountId, allowance }: Lane, until: number): void =>
    tell((at) => Event.Closed({ at, allowance, accountId, until: at + until }))

  /** Which lanes a refusal speaks of: one that is none of the request's own must stop the request all the same. */
  const refusedLanes = (places: Places, refused: Refusable): ReadonlyArray<Lane> => {
    const own = places.map(([lane]) => lane)
    const named = own.filter((lane) => lane.allowance === refused)
    return named.length > 0 ? named : own
  }

  const settle = (places: Places, verdict: Verdict, refused: Refusable | undefined): void => {
    const at = seen()
    const isRefused =
      refused === undefined || refused === "account-historical-data" ? [] : refusedLanes(places, refused)
    for (const [lane, place] of places) {
      const wasClosed = lane.closedUntil() !== undefined
      lane.settle(place, isRefused.includes(lane) ? "refused" : verdict, at)
      if (isRefused.includes(lane)) closed(lane, window)
      else if (wasClosed && lane.closedUntil() === undefined) {
        tell((at) => Event.Opened({ at, allowance: lane.allowance, accountId: lane.accountId }))
      }
    }
    if (refused === "api-key" && !isRefused.includes(key)) {
      key.close(at)
      closed(key, window)
    }
    pump()
  }

  const leave = (waiter: Waiter): void => {
    if (waiter.queue.paused === waiter) waiter.queue.paused = undefined
    if (waiter.places !== undefined) return settle(waiter.places, "unsent", undefined)
    remove(waiter)
    pump()
  }

  /** Waits for a place; whoever leaves meanwhile leaves nothing behind. */
  const enter = <E, R>(
    want: Want<E, R>,
    restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  ): Effect.Effect<{ readonly places: Places; readonly waited: number }, E | NotSentError, R> =>
    Effect.suspend(() => {
      const { bearerEnds, isReady, limit, operation, ticket } = want
      const queue = queueOf(want)
      const since = time()
      if (limit !== undefined) {
        const wait = roomIn(queue, since)
        if (wait > Duration.toMillis(limit)) return Effect.fail(wouldWait(operation, wait))
      }
      const order = (ticket.order ??= nextOrder++)
      const waiter: Waiter = {
        order,
        queue,
        since,
        isReady,
        bearerEnds,
        isPrepared: false,
        signal: Deferred.unsafeMake(FiberId.none),
        places: undefined
      }
      if (waiting === 0 && blocking(waiter, since).length === 0 && isReady()) {
        return Effect.succeed({ places: admit(waiter), waited: 0 })
      }
      add(waiter)
      pump()
      return waiter.places !== undefined
        ? Effect.succeed({ places: waiter.places, waited: 0 })
        : restore(whileWaiting(bounded(want, waiter))).pipe(
            Effect.onError(() => Effect.sync(() => leave(waiter))),
            Effect.map((places) => ({ places, waited: time() - since }))
          )
    })

  const run = <A, E, E2, R, R2>(
    want: Want<E2, R2>,
    attempt: (departure: Departure) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | E2 | NotSentError, R | R2> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(enter(want, restore), ({ places, waited }) => {
        let held = places
        let isSent = false
        const again = Effect.uninterruptibleMask((restore) =>
          Effect.suspend(() => {
            settle(held, "unknown", undefined)
            return Effect.map(enter({ ...want, isReady: constTrue, prepare: Effect.void }, restore), ({ places }) => {
              held = places
            })
          })
        )
        const leave = Effect.suspend((): Effect.Effect<void, NotSentError> => {
          if (isSent) return again
          isSent = true
          return Effect.void
        })
        return restore(attempt({ leave, waited })).pipe(
          Effect.onExit((exit) =>
            Effect.suspend(() => {
              const { refused, verdict } = outcomeOf(exit)
              settle(held, isSent ? verdict : "unsent", refused)
              return refused === undefined ? Effect.void : countAllowanceRefusal(refused)
            })
          )
        )
      })
    ).pipe(Effect.catchIf(mayQueueAgain, () => run(want, attempt)))

  /* ---- what can be seen of it -------------------------------------------------------- */

  const laneStatus = (lane: Lane, now: number): LaneStatus => ({
    limit: lane.limit(),
    left: lane.left(now),
    waiting: waitingFor(lane, 2),
    isClosed: lane.closedUntil() !== undefined
  })

  const accountStatus = ({ accountId, ledger, reads, trades }: Account, now: number): AccountStatus => ({
    accountId,
    reads: laneStatus(reads, now),
    trades: laneStatus(trades, now),
    points: Option.map(Option.fromNullable(ledger.points(now)), ({ left, resetsAt }) => ({
      left,
      resetsAfter: resetsAt - now
    }))
  })

  const status = Effect.sync((): Status => {
    const now = time()
    const all = [...queues.values()]
    const since = all.map((queue) => headOf(queue)?.since ?? now)
    return {
      waiting,
      longestWait: Math.max(0, ...since.map((time) => now - time)),
      key: laneStatus(key, now),
      accounts: [...accounts.values()].map((account) => accountStatus(account, now))
    }
  })

  return {
    run,
    renewalWait: () => Math.max(0, key.roomAt(time(), waitingFor(key, 1), { of: "first" }) - time()),
    isExchangeWaiting: () => waitingFor(key, 1) > 0,
    pointsWait: (accountId) => {
      const now = time()
      const points = accountOf(accountId).ledger.points(now)
      return points === undefined || points.left > 0 ? undefined : points.resetsAt - now
    },
    readPoints: (accountId, body) => accountOf(accountId).ledger.read(body, time()),
    pointsSpent: (accountId) => {
      const now = time()
      const { resetsAt } = accountOf(accountId).ledger.spent(now)
      tell((at) =>
        Event.Closed({
          at,
          allowance: "account-historical-data",
          accountId: Option.some(accountId),
          until: at + (resetsAt - now)
        })
      )
      return resetsAt - now
    },
    allowances: () => allowances,
    learn: (next) => {
      allowances = next
      key.setLimit(next.key)
      for (const { reads, trades } of accounts.values()) {
        reads.setLimit(next.account)
        trades.setLimit(next.trading)
      }
      tell((at) => Event.Learnt({ at, allowances: next }))
      pump()
    },
    status,
    events
  }
}
