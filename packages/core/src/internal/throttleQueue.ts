/** Requests that wait for a place, in the order in which they came. */
import * as Option from "effect/Option"
import type * as Order from "effect/Order"
import * as Tree from "effect/RedBlackTree"
import type { Lane } from "./throttleLane.ts"
import type { Places } from "./throttleLanes.ts"
import type { Sender } from "./waiting.ts"

/** Trades, what an exchange of the session needs, reads: the lower goes first. */
export type Rank = 0 | 1 | 2

/** What a request spends, and before whom it goes. */
export interface Class {
  readonly rank: Rank
  /** Whose allowance it spends beside the key's. */
  readonly accountId: string | undefined
}

/** Of a request, as far as it concerns when it may go. */
export interface Readiness {
  /** May it go as the session is? Else it prepares itself first, when it is its turn. */
  readonly isReady: () => boolean
  /** Whose it is; nobody's, with the API key alone. */
  readonly sender: Sender | undefined
}

/** Its turn has come, and it goes with these places, or is to prepare itself first; or it will never come. */
export type Signal = Places | "prepare" | "closed"

export interface Waiter {
  /** Of its call; a client of the user's that sends several requests for one lets them wait in the same place. */
  readonly order: number
  /** Of the waiters themselves. */
  readonly number: number
  readonly queue: Queue
  readonly since: number
  readonly readiness: Readiness
  /** It has just prepared itself, and goes as it is. */
  isPrepared: boolean
  signal: Signal | undefined
  /** It looks for a signal, and has found none yet. */
  wake: ((signal: Signal) => void) | undefined
}

/** Requests of one session that spend the same lanes. */
export interface Queue {
  readonly of: Class
  readonly lanes: ReadonlyArray<Lane>
  readonly head: () => Waiter | undefined
  readonly all: () => ReadonlyArray<Waiter>
  readonly add: (waiter: Waiter) => void
  readonly remove: (waiter: Waiter) => void
  /** The one that has to prepare itself first; all wait for that. */
  paused: Waiter | undefined
}

const sign = (difference: number): -1 | 0 | 1 => (difference < 0 ? -1 : difference > 0 ? 1 : 0)

const inOrder: Order.Order<Waiter> = (one, other) => sign(one.order - other.order || one.number - other.number)

/** Whose elements are its keys. */
export type Waiters = Tree.RedBlackTree<Waiter, undefined>

export const nobody: Waiters = Tree.empty<Waiter, undefined>(inOrder)

export const makeQueue = (of: Class, lanes: ReadonlyArray<Lane>): Queue => {
  const claim = of.rank === 2 ? "reads" : "first"
  let waiting = nobody
  const count = (by: number): void => {
    for (const lane of lanes) lane.waiting[claim] += by
  }
  return {
    of,
    lanes,
    head: () => Option.getOrUndefined(Option.map(Tree.first(waiting), ([waiter]) => waiter)),
    all: () => [...Tree.keys(waiting)],
    add: (waiter) => {
      waiting = Tree.insert(waiting, waiter, undefined)
      count(1)
    },
    remove: (waiter) => {
      waiting = Tree.removeFirst(waiting, waiter)
      count(-1)
    },
    paused: undefined
  }
}
