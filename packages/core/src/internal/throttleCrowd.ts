/** All who wait, by whose they are and by what they spend, and who is the first of each. */
import * as Tree from "effect/RedBlackTree"
import type { Lane } from "./throttleLane.ts"
import { type Class, makeQueue, nobody, type Queue, type Rank, type Waiter } from "./throttleQueue.ts"
import type { Sender } from "./waiting.ts"

export interface Crowd {
  readonly size: () => number
  /** A session that sends is known as long as it is open, whether or not it has a request that waits. */
  readonly meet: (sender: Sender | undefined) => void
  readonly queueOf: (of: Class, sender: Sender | undefined) => Queue
  readonly add: (waiter: Waiter) => void
  readonly remove: (waiter: Waiter) => void
  /** The first of each queue, in the order in which they came; nobody goes before one that prepares itself. */
  readonly heads: (rank: Rank) => Iterable<Waiter>
  readonly all: (rank: Rank) => ReadonlyArray<Waiter>
  /** When the bearers of all open sessions end or have ended, in ms since the epoch. */
  readonly bearersEnd: () => ReadonlyArray<number>
}

/** From so many sessions on, those that have closed are looked for. */
const few = 16

export const makeCrowd = (lanesOf: (of: Class) => ReadonlyArray<Lane>): Crowd => {
  const senders = new Map<Sender | undefined, Map<string, Queue>>()
  const heads = { 0: nobody, 1: nobody, 2: nobody }
  let many = few
  let size = 0

  /** Each time that they have doubled, so that a new one costs the same however many there are. */
  const forgetClosed = (): void => {
    if (senders.size < many) return
    for (const sender of senders.keys()) if (sender?.isClosed() === true) senders.delete(sender)
    many = Math.max(few, 2 * senders.size)
  }

  const queuesOf = (sender: Sender | undefined): Map<string, Queue> => {
    const known = senders.get(sender)
    if (known !== undefined) return known
    forgetClosed()
    const fresh = new Map<string, Queue>()
    senders.set(sender, fresh)
    return fresh
  }

  const nameOf = ({ accountId, rank }: Class): string => `${rank} ${accountId ?? ""}`

  const change = (queue: Queue, by: () => void): void => {
    const { rank } = queue.of
    const before = queue.head()
    by()
    const after = queue.head()
    if (before === after) return
    if (before !== undefined) heads[rank] = Tree.removeFirst(heads[rank], before)
    if (after !== undefined) heads[rank] = Tree.insert(heads[rank], after, undefined)
  }

  return {
    size: () => size,
    meet: queuesOf,
    queueOf: (of, sender) => {
      const queues = queuesOf(sender)
      const known = queues.get(nameOf(of))
      if (known !== undefined) return known
      const queue = makeQueue(of, lanesOf(of))
      queues.set(nameOf(of), queue)
      return queue
    },
    add: (waiter) => {
      change(waiter.queue, () => waiter.queue.add(waiter))
      size += 1
    },
    remove: (waiter) => {
      const { queue, readiness } = waiter
      change(queue, () => queue.remove(waiter))
      if (queue.head() === undefined) senders.get(readiness.sender)?.delete(nameOf(queue.of))
      size -= 1
    },
    heads: (rank) => Tree.keys(heads[rank]),
    all: (rank) => [...Tree.keys(heads[rank])].flatMap(({ queue }) => queue.all()),
    bearersEnd: () =>
      [...senders.keys()].flatMap((sender) => {
        const end = sender === undefined || sender.isClosed() ? undefined : sender.bearerEnds()
        return end ?? []
      })
  }
}
