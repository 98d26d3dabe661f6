/** Requests that wait for a place, in the order in which they came. */
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Tree from "effect/RedBlackTree"
import type { Lane } from "./throttleLane.ts"
import type { Places } from "./throttleLanes.ts"

/** Trades, what an exchange of the session needs, reads: the lower goes first. */
export type Rank = 0 | 1 | 2

/** Of a request, as far as it concerns when it may go. */
export interface Readiness {
  /** May it go as the session is? Else it prepares itself first, when it is its turn. */
  readonly isReady: () => boolean
  /** When the bearer ends, in ms since the epoch. */
  readonly bearerEnds: () => number | undefined
}

/** Its turn has come, and it goes with these places, or is to prepare itself first; or it will never come. */
export type Signal = Places | "prepare" | "closed"

export interface Waiter {
  readonly order: number
  readonly queue: Queue
  readonly since: number
  readonly readiness: Readiness
  /** It has just prepared itself, and goes as it is. */
  isPrepared: boolean
  signal: Signal | undefined
  /** It looks for a signal, and has found none yet. */
  wake: ((signal: Signal) => void) | undefined
}

/** Requests that spend the same lanes. */
export interface Queue {
  readonly name: string
  readonly rank: Rank
  readonly lanes: ReadonlyArray<Lane>
  readonly head: () => Waiter | undefined
  readonly all: () => ReadonlyArray<Waiter>
  readonly isEmpty: () => boolean
  readonly add: (waiter: Waiter) => void
  readonly remove: (waiter: Waiter) => void
  /** The one that has to prepare itself first; all wait for that. */
  paused: Waiter | undefined
}

const empty = Tree.empty<number, Waiter>(Order.number)

export const makeQueue = (name: string, rank: Rank, lanes: ReadonlyArray<Lane>): Queue => {
  const claim = rank === 2 ? "reads" : "first"
  let waiting = empty
  const count = (by: number): void => {
    for (const lane of lanes) lane.waiting[claim] += by
  }
  return {
    name,
    rank,
    lanes,
    head: () => Option.getOrUndefined(Option.map(Tree.first(waiting), ([, waiter]) => waiter)),
    all: () => [...Tree.values(waiting)],
    isEmpty: () => Tree.size(waiting) === 0,
    add: (waiter) => {
      waiting = Tree.insert(waiting, waiter.order, waiter)
      count(1)
    },
    remove: ({ order }) => {
      waiting = Tree.removeFirst(waiting, order)
      count(-1)
    },
    paused: undefined
  }
}
