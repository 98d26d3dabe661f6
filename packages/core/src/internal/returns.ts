/** Moments that come one after the other, of which those that are over are let go: first in, first out, and by index. */
export interface Returns {
  readonly size: () => number
  /** Of those that are left, the soonest being 0. */
  readonly at: (index: number) => number | undefined
  readonly add: (at: number) => void
  readonly forgetUntil: (now: number) => void
  /** Lets go of the soonest, until there are so many. */
  readonly forgetAllBut: (size: number) => void
}

/** From so many on it costs less to move those that are left than to keep those that are over. */
const few = 64

export const makeReturns = (): Returns => {
  const moments: Array<number> = []
  /** So many of them are over. */
  let over = 0

  const drop = (count: number): void => {
    over += count
    if (over < few || 2 * over < moments.length) return
    moments.splice(0, over)
    over = 0
  }

  return {
    size: () => moments.length - over,
    at: (index) => moments[over + index],
    add: (at) => void moments.push(at),
    forgetUntil: (now) => {
      let count = 0
      while ((moments[over + count] ?? Number.POSITIVE_INFINITY) <= now) count += 1
      drop(count)
    },
    forgetAllBut: (size) => drop(Math.max(0, moments.length - over - size))
  }
}
