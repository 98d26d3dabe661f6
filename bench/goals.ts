/** What the library may cost. A goal that is missed is shown as missed. */
import { contestsOf, figuresOf, type Results } from "./results.ts"
import type { Ratio } from "./samples.ts"
import type { Estimate } from "./statistics.ts"

export interface Goal {
  readonly what: string
  /** At most. */
  readonly bound: string
  readonly measured: string
  readonly verdict: "reached" | "missed" | "not measured"
}

interface Judgement {
  readonly bound: string
  readonly measured: string
  readonly isReached: boolean
}

/** For as long as it is not measured there is none. */
type Judged = Judgement | undefined

const shown = ({ high, median }: Estimate): string => `${median.toFixed(3)}, at most ${high.toFixed(3)}`

const ratioOf = (results: Results, contest: string, of: string, to: string): Ratio | undefined =>
  contestsOf(results)[contest]?.ratios.find((ratio) => ratio.of === of && ratio.to === to)

type What = ReadonlyArray<"wall" | "cpu">

const atMost = (ratio: Ratio | undefined, bound: number, whats: What = ["wall", "cpu"]): Judged =>
  ratio && {
    bound: `${bound} ×`,
    measured: whats.map((what) => `${what === "cpu" ? "CPU" : what} ${shown(ratio[what])}`).join("; "),
    // An interval that reaches over the bound does not show that the goal is reached.
    isReached: whats.every((what) => ratio[what].high <= bound)
  }

const kilobytes = (results: Results, of: string, minus: string | undefined, bound: number): Judged => {
  const figures = figuresOf(results)
  const [whole, less] = [figures[of]?.value, minus === undefined ? 0 : figures[minus]?.value]
  if (whole === undefined || less === undefined) return undefined
  return { bound: `${bound} kB`, measured: `${(whole - less).toFixed(1)} kB`, isReached: whole - less <= bound }
}

const heap = (results: Results): Judged => {
  const { "heap last": last, "heap second": second } = figuresOf(results)
  if (last === undefined || second === undefined) return undefined
  const growth = last.value / second.value
  return { bound: "1.05 ×", measured: `${growth.toFixed(3)} ×`, isReached: growth <= 1.05 }
}

const expiry = (results: Results, how: string): Judged =>
  atMost(ratioOf(results, "expiry", `${how}, one refresh`, how), 1.1)

/** In words of their own, and in the order in which they are shown. */
const goals: Readonly<Record<string, (results: Results) => Judged>> = {
  "A read, 16 in flight, beside the bare platform client with the same time limit": (results) =>
    atMost(ratioOf(results, "read 16", "ours", "platform, timeout"), 1.15),
  "The same beside the bare platform client without a time limit": (results) =>
    atMost(ratioOf(results, "read 16", "ours", "platform"), 1.4),
  "The same beside `ig-trading-api`": (results) =>
    atMost(ratioOf(results, "read 16", "ours", "ig-trading-api"), 1, ["cpu"]),
  "10,000 reads over an expiry, one refresh, 16 in flight, beside the same without": (results) =>
    expiry(results, "16 in flight"),
  "The same all at once": (results) => expiry(results, "all at once"),
  "A read among 10,000 in flight beside one among 16": (results) =>
    atMost(ratioOf(results, "many", "ours", "ours, 16 in flight"), 1.3),
  "Heap after 1,000,000 calls beside that after 200,000": heap,
  "Bundle of login and one call, gzip": (results) => kilobytes(results, "bundle call", undefined, 95),
  "Over the floor of effect": (results) => kilobytes(results, "bundle call", "bundle floor", 14),
  "What encryption adds to it": (results) => kilobytes(results, "bundle encrypted", "bundle call", 35),
  "Import beside that of effect's modules that ours import": (results) =>
    atMost(ratioOf(results, "import", "ours", "effect's modules that ours import"), 1.1)
}

const goal = (what: string, judgement: Judged): Goal => {
  if (judgement === undefined) return { what, bound: "", measured: "", verdict: "not measured" }
  const { isReached, ...rest } = judgement
  return { what, ...rest, verdict: isReached ? "reached" : "missed" }
}

export const judged = (results: Results): ReadonlyArray<Goal> =>
  Object.entries(goals).map(([what, judge]) => goal(what, judge(results)))
