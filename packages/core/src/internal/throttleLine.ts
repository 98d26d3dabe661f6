/** Who waits for which lanes, and who goes next. Each step is synchronous, so no interruption falls in between. */
import * as Effect from "effect/Effect"
import type * as Runtime from "effect/Runtime"
import { makeAlarm } from "./alarm.ts"
import type { Claim, Lane } from "./throttleLane.ts"
import type { Lanes, Places } from "./throttleLanes.ts"
import { makeQueue, type Queue, type Rank, type Readiness, type Signal, type Waiter } from "./throttleQueue.ts"
import type { Time } from "./time.ts"

/** What a request spends, and before whom it goes. */
export interface Class {
  readonly rank: Rank
  /** Whose allowance it spends beside the key's. */
  readonly accountId: string | undefined
}

export interface Line {
  readonly size: () => number
  /** How long the one has waited that waits the longest, in ms. */
  readonly longestWait: () => number
  /** How long one would wait that comes now, in ms, as far as can be known: at the end, or at the `front`. */
  readonly waitOf: (of: Class, front?: "front") => number
  /** Its places, when it may go at once. */
  readonly pass: (of: Class, readiness: Readiness) => Places | undefined
  readonly join: (of: Class, order: number, readiness: Readiness) => Waiter
  /** It has prepared itself, and goes as it is when there is a place. */
  readonly prepared: (waiter: Waiter) => void
  /** It goes away, and lets those behind it go; if its turn had come, with its places, which are for the caller to settle. */
  readonly leave: (waiter: Waiter) => Places | undefined
  /** Lets go whoever may go now, in order. */
  readonly pump: () => void
  /** Nobody keeps time for calls any more; what an exchange needs to end, it still waits for, within its own limit. */
  readonly close: Effect.Effect<void>
  readonly isClosed: () => boolean
}

const signal = (waiter: Waiter, what: Signal): void => {
  waiter.signal = what
  waiter.wake?.(what)
}

/** Those that it has got, once it may go. */
export const placesOf = ({ signal }: Waiter): Places | undefined => (typeof signal === "string" ? undefined : signal)

const isBefore = (one: Waiter, other: Waiter): boolean =>
  one.queue.rank < other.queue.rank || (one.queue.rank === other.queue.rank && one.order < other.order)

export const makeLine = (lanes: Lanes, time: Time, runtime: Runtime.Runtime<never>): Line => {
  /** In which somebody waits. */
  const queues = new Map<string, Queue>()
  let size = 0
  let isClosed = false

  const lanesOf = ({ accountId, rank }: Class): ReadonlyArray<Lane> => {
    if (accountId === undefined) return [lanes.key]
    const { reads, trades } = lanes.account(accountId)
    return rank === 0 ? [trades] : [lanes.key, reads]
  }

  const queueOf = (of: Class): Queue => {
    const name = `${of.rank} ${of.accountId ?? ""}`
    const known = queues.get(name)
    if (known !== undefined) return known
    const queue = makeQueue(name, of.rank, lanesOf(of))
    queues.set(name, queue)
    return queue
  }

  const remove = (waiter: Waiter): void => {
    waiter.queue.remove(waiter)
    if (waiter.queue.isEmpty()) queues.delete(waiter.queue.name)
    size -= 1
  }

  /** The place that is left for renewal is one of the key. */
  const claimOn = (lane: Lane, rank: Rank, { bearerEnds }: Readiness, now: number): Claim => {
    if (rank !== 2) return { of: "first" }
    const ends = lane === lanes.key ? bearerEnds() : undefined
    return { of: "reads", until: ends === undefined ? undefined : now + (ends - time.wall()) }
  }

  const isBlocking = (lane: Lane, rank: Rank, readiness: Readiness, now: number): boolean =>
    !lane.hasRoom(now, claimOn(lane, rank, readiness, now))

  const hasRoom = (on: ReadonlyArray<Lane>, rank: Rank, readiness: Readiness, now: number): boolean =>
    on.every((lane) => !isBlocking(lane, rank, readiness, now))

  /** Nobody goes before the one that prepares itself. */
  const headOf = (queue: Queue): Waiter | undefined => (queue.paused === undefined ? queue.head() : undefined)

  const next = (now: number): Waiter | undefined => {
    let found: Waiter | undefined
    for (const queue of queues.values()) {
      const head = headOf(queue)
      if (head === undefined || (found !== undefined && isBefore(found, head))) continue
      if (hasRoom(queue.lanes, queue.rank, head.readiness, now)) found = head
    }
    return found
  }

  /** When there may be room without an answer being seen. */
  const earliest = (now: number): number | undefined => {
    let found = Number.POSITIVE_INFINITY
    for (const queue of queues.values()) {
      const head = headOf(queue)
      if (head === undefined) continue
      for (const lane of queue.lanes) {
        if (!isBlocking(lane, queue.rank, head.readiness, now)) continue
        found = Math.min(found, lane.nextAt(now) ?? found)
      }
    }
    return found === Number.POSITIVE_INFINITY ? undefined : found
  }

  const pump = (): void => {
    const now = time.now()
    if (size === 0) return alarm.set(undefined, now)
    for (let waiter = next(now); waiter !== undefined; waiter = next(now)) {
      const { isPrepared, queue, readiness } = waiter
      if (isPrepared || readiness.isReady()) {
        remove(waiter)
        signal(waiter, lanes.take(queue.lanes))
      } else {
        queue.paused = waiter
        signal(waiter, "prepare")
      }
    }
    alarm.set(earliest(now), now)
  }

  const alarm = makeAlarm(runtime, pump)

  return {
    size: () => size,
    longestWait: () => {
      const now = time.now()
      return Math.max(0, ...[...queues.values()].map((queue) => now - (queue.head()?.since ?? now)))
    },
    waitOf: (of, front) => {
      const now = time.now()
      const claim: Claim = of.rank === 2 ? { of: "reads", until: undefined } : { of: "first" }
      const ahead = ({ waiting }: Lane) =>
        front === undefined ? waiting.first + (claim.of === "reads" ? waiting.reads : 0) : 0
      return Math.max(0, ...lanesOf(of).map((lane) => lane.roomAt(now, claim, ahead(lane)) - now))
    },
    pass: (of, readiness) => {
      if (size > 0) return undefined
      const on = lanesOf(of)
      return hasRoom(on, of.rank, readiness, time.now()) && readiness.isReady() ? lanes.take(on) : undefined
    },
    join: (of, order, readiness) => {
      const queue = queueOf(of)
      const since = time.now()
      const waiter: Waiter = { order, queue, since, readiness, isPrepared: false, signal: undefined, wake: undefined }
      queue.add(waiter)
      size += 1
      // Nothing has changed for those before it.
      if (queue.head() === waiter) pump()
      return waiter
    },
    prepared: (waiter) => {
      if (waiter.signal === "closed") return
      waiter.signal = undefined
      waiter.wake = undefined
      waiter.queue.paused = undefined
      waiter.isPrepared = true
      pump()
      waiter.isPrepared = false
    },
    leave: (waiter) => {
      const places = placesOf(waiter)
      if (places !== undefined || waiter.signal === "closed") return places
      const { queue } = waiter
      const keepsOthers = queue.paused === waiter || queue.head() === waiter
      if (queue.paused === waiter) queue.paused = undefined
      remove(waiter)
      if (keepsOthers) pump()
      return undefined
    },
    pump,
    close: Effect.suspend(() => {
      isClosed = true
      const calls = [...queues.values()].filter(({ rank }) => rank !== 1).flatMap(({ all }) => all())
      for (const waiter of calls) {
        remove(waiter)
        if (waiter.queue.paused === waiter) waiter.queue.paused = undefined
        signal(waiter, "closed")
      }
      pump()
      return alarm.over
    }),
    isClosed: () => isClosed
  }
}
