/** What a run must have been like. */
import type { Measure } from "./measure.ts"
import type { Tally } from "./tally.ts"

/** How much larger the heap may be after the last tenth than after the second. */
const heapBound = 1.05

const steady = ["fibers", "timers", "sockets"] as const

/** What must have happened: a run that met no trouble proves nothing. */
export const expected: ReadonlyArray<string> = [
  "read: answered",
  "hasty read: left by its caller",
  "read that cannot wait: NotSentError would-wait",
  "trade: answered",
  "trade: TransportError connection-lost",
  "visit: answered",
  "session: Refused",
  "session: Renewed by refresh",
  "session: Renewed by login",
  "allowance: Closed",
  "ig_resends_total reason=renewed",
  "ig_resends_total reason=retried",
  "ig_resumes_total outcome=resumed",
  "ig_store_operations_total operation=save outcome=success"
]

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(2)} MB`

/** Which bounds do not hold, in words. */
export const broken = (tenths: ReadonlyArray<Measure>, { counts, defects }: Tally): ReadonlyArray<string> => {
  const [first, second] = tenths
  const last = tenths.at(-1)
  if (first === undefined || second === undefined || last === undefined) return ["nothing was measured"]
  const growth = last.heap / second.heap
  return [
    ...(growth > heapBound
      ? [`heap: ${megabytes(second.heap)} after the second tenth, ${megabytes(last.heap)} after the last`]
      : []),
    ...steady.flatMap((what) =>
      last[what] === first[what] ? [] : [`${what}: ${first[what]} after the first tenth, ${last[what]} after the last`]
    ),
    ...(counts.get("ig_throttle_waiting") === 0
      ? []
      : ["requests still wait for an allowance when all callers have left"]),
    ...expected.flatMap((what) => ((counts.get(what) ?? 0) > 0 ? [] : [`never happened: ${what}`])),
    ...defects.map((defect) => `a call died: ${defect}`)
  ]
}

export const praise = (tenths: ReadonlyArray<Measure>): string => {
  const ratio = (tenths.at(-1)?.heap ?? 0) / (tenths[1]?.heap ?? 1)
  return `Nothing is held on to: the heap of the last tenth is ${ratio.toFixed(3)} of the second's; fibers, timers and sockets are those of the first.`
}
