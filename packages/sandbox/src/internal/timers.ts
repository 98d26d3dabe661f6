/** Deadlines in order; what was cancelled never comes up. */

interface Timer {
  readonly at: number
  readonly order: number
  readonly wake: () => void
  isCancelled: boolean
}

const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A binary heap: the smallest first, logarithmic both ways. */
export const makeTimers = () => {
  const heap: Array<Timer> = []
  let order = 0

  const at = (index: number): Timer | undefined => heap[index]

  const swap = (i: number, j: number): void => {
    const a = at(i)
    const b = at(j)
    if (a === undefined || b === undefined) return
    heap[i] = b
    heap[j] = a
  }

  const isLess = (i: number, j: number): boolean => {
    const a = at(i)
    const b = at(j)
    return a !== undefined && b !== undefined && isBefore(a, b)
  }

  const rise = (index: number): void => {
    for (let i = index, parent = (i - 1) >> 1; i > 0 && isLess(i, parent); i = parent, parent = (i - 1) >> 1) {
      swap(i, parent)
    }
  }

  const sink = (): void => {
    for (let i = 0; ;) {
      const left = 2 * i + 1
      const child = isLess(left + 1, left) ? left + 1 : left
      if (!isLess(child, i)) return
      swap(i, child)
      i = child
    }
  }

  const pop = (): Timer | undefined => {
    const last = heap.length - 1
    swap(0, last)
    const first = heap.pop()
    sink()
    return first
  }

  return {
    /** Answers with how to forget it. */
    add: (time: number, wake: () => void): (() => void) => {
      const timer: Timer = { at: time, order: order++, wake, isCancelled: false }
      heap.push(timer)
      rise(heap.length - 1)
      return () => {
        timer.isCancelled = true
      }
    },
    next: (): Timer | undefined => {
      let timer = pop()
      while (timer?.isCancelled === true) timer = pop()
      return timer
    }
  }
}
