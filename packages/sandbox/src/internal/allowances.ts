/** How often one may ask: `limits.md` §1, §2. How IG counts a minute is not known, so there are three ways. */
import type { Switches } from "../Switches.ts"

const window = 60_000

/** What has been spent of one allowance. */
interface Lane {
  /** When each request came that still counts. */
  times: Array<number>
  /** Of a bucket: what is in it, and since when. */
  level: number
  at: number
}

export type Allowances = Map<string, Lane>

type Shape = Switches["windowShape"]

const spendTime = (lane: Lane, limit: number, now: number, from: number): boolean => {
  lane.times = lane.times.filter((time) => time >= from)
  if (lane.times.length >= limit) return false
  lane.times.push(now)
  return true
}

const spendDrop = (lane: Lane, limit: number, now: number): boolean => {
  lane.level = Math.min(limit, lane.level + ((now - lane.at) * limit) / window)
  lane.at = now
  // A whole drop is one, however its parts were rounded.
  if (lane.level < 1 - 1e-9) return false
  lane.level -= 1
  return true
}

const ways: Record<Shape, (lane: Lane, limit: number, now: number) => boolean> = {
  fixed: (lane, limit, now) => spendTime(lane, limit, now, now - (now % window)),
  sliding: (lane, limit, now) => spendTime(lane, limit, now, now - window + 1),
  bucket: spendDrop
}

/** Spends one of the allowance; `false` when there is none left, and then nothing is spent. */
export const spend = (all: Allowances, name: string, shape: Shape, limit: number | null, now: number): boolean => {
  if (limit === null) return true
  const lane = all.get(name) ?? { times: [], level: limit, at: now }
  all.set(name, lane)
  return ways[shape](lane, limit, now)
}
