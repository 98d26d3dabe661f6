/** Who waits for which lanes, and who goes next. Each step is synchronous, so no interruption falls in between. */
import * as Effect from "effect/Effect"
import type * as Runtime from "effect/Runtime"
import { makeAlarm } from "./alarm.ts"
import { makeCrowd } from "./throttleCrowd.ts"
import type { Claim, Lane } from "./throttleLane.ts"
import type { Lanes, Places } from "./throttleLanes.ts"
import type { Class, Rank, Readiness, Signal, Waiter } from "./throttleQueue.ts"
import type { Time } from "./time.ts"

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

const ranks: ReadonlyArray<Rank> = [0, 1, 2]

const first: Claim = { of: "first" }

/** Whoever it is of. */
const anyRead: Claim = { of: "reads", ends: () => [] }

export const makeLine = (lanes: Lanes, time: Time, runtime: Runtime.Runtime<never>): Line => {
  const lanesOf = ({ accountId, rank }: Class): ReadonlyArray<Lane> => {
    if (accountId === undefined) return [lanes.key]
    const { reads, trades } = lanes.account(accountId)
    return rank === 0 ? [trades] : [lanes.key, reads]
  }

  const crowd = makeCrowd(lanesOf)
  let nextNumber = 0
  let isClosed = false

  const bearersEnd = (): ReadonlyArray<number> => {
    const now = time.now()
    const wall = time.wall()
    return crowd
      .bearersEnd()
      .map((end) => now + (end - wall))
      .sort((a, b) => a - b)
  }

  const readOfKey: Claim = { of: "reads", ends: bearersEnd }

  /** The places that are left for renewal are the key's. */
  const claimOn = (lane: Lane, { rank }: Class): Claim =>
    rank !== 2 ? first : lane === lanes.key ? readOfKey : anyRead

  const hasRoom = (lane: Lane, of: Class, now: number): boolean => lane.hasRoom(now, claimOn(lane, of))

  /** Then it holds up all who spend it, however many. */
  const isKeyFull = (rank: Rank, now: number): boolean =>
    rank !== 0 && !lanes.key.hasRoom(now, rank === 1 ? first : anyRead)

  const next = (now: number): Waiter | undefined => {
    for (const rank of ranks) {
      if (isKeyFull(rank, now)) continue
      for (const waiter of crowd.heads(rank)) {
        const { lanes, of, paused } = waiter.queue
        const isNext = paused === undefined && lanes.every((lane) => hasRoom(lane, of, now))
        if (isNext) return waiter
      }
    }
    return undefined
  }

  /** When there may be room without an answer being seen. */
  const earliest = (now: number): number | undefined => {
    let found = Number.POSITIVE_INFINITY
    const note = (lane: Lane): void => {
      found = Math.min(found, lane.nextAt(now) ?? found)
    }
    for (const rank of ranks) {
      const isFull = isKeyFull(rank, now)
      for (const { queue } of crowd.heads(rank)) {
        if (isFull) {
          note(lanes.key)
          break
        }
        if (queue.paused !== undefined) continue
        for (const lane of queue.lanes) if (!hasRoom(lane, queue.of, now)) note(lane)
      }
    }
    return found === Number.POSITIVE_INFINITY ? undefined : found
  }

  const pump = (): void => {
    if (crowd.size() === 0) return alarm.clear()
    const now = time.now()
    for (let waiter = next(now); waiter !== undefined; waiter = next(now)) {
      const { isPrepared, queue, readiness } = waiter
      if (isPrepared || readiness.isReady()) {
        crowd.remove(waiter)
        signal(waiter, lanes.take(queue.lanes))
      } else {
        queue.paused = waiter
        signal(waiter, "prepare")
      }
    }
    const again = earliest(now)
    if (again === undefined) alarm.clear()
    else alarm.set(again, now)
  }

  const alarm = makeAlarm(runtime, pump)

  return {
    size: crowd.size,
    longestWait: () => {
      const now = time.now()
      // Who was refused waits anew before those that have waited all along.
      const waits = ranks.flatMap((rank) => crowd.all(rank)).map(({ since }) => now - since)
      return waits.reduce((longest, wait) => Math.max(longest, wait), 0)
    },
    waitOf: (of, front) => {
      const now = time.now()
      const ahead = ({ waiting }: Lane) =>
        front === undefined ? waiting.first + (of.rank === 2 ? waiting.reads : 0) : 0
      const wait = (lane: Lane) => lane.roomAt(now, claimOn(lane, of), ahead(lane)) - now
      return Math.max(0, ...lanesOf(of).map(wait))
    },
    pass: (of, { isReady, sender }) => {
      crowd.meet(sender)
      if (crowd.size() > 0) return undefined
      const now = time.now()
      const on = lanesOf(of)
      return on.every((lane) => hasRoom(lane, of, now)) && isReady() ? lanes.take(on) : undefined
    },
    join: (of, order, readiness) => {
      const waiter: Waiter = {
        order,
        number: nextNumber++,
        queue: crowd.queueOf(of, readiness.sender),
        since: time.now(),
        readiness,
        isPrepared: false,
        signal: undefined,
        wake: undefined
      }
      crowd.add(waiter)
      // Nothing has changed for those before it.
      if (waiter.queue.head() === waiter) pump()
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
      crowd.remove(waiter)
      if (keepsOthers) pump()
      return undefined
    },
    pump,
    close: Effect.suspend(() => {
      isClosed = true
      for (const waiter of [...crowd.all(0), ...crowd.all(2)]) {
        crowd.remove(waiter)
        if (waiter.queue.paused === waiter) waiter.queue.paused = undefined
        signal(waiter, "closed")
      }
      pump()
      return alarm.over
    }),
    isClosed: () => isClosed
  }
}
