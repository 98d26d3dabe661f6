/**
 * A side in a process of its own: opens it at an address, and does a round when it is told to. Ends with its parent.
 * `node child.mjs SIDE ADDRESS`.
 */
import { setTimeout } from "node:timers/promises"
import type { Cost } from "./samples.ts"
import type { Open, Task } from "./side.ts"

export interface Round {
  readonly task: Task
  readonly calls: number
  readonly inFlight: number
  /** Done once, and not measured. */
  readonly before?: Task | undefined
  /** After that, in ms. */
  readonly pause?: number | undefined
}

export interface Report extends Cost {
  /** Of the process so far. */
  readonly sinceStart: Cost
  /** What is left after garbage collection, in bytes, where the process can collect. */
  readonly heap: number | undefined
}

/** Loaded one at a time, so that nothing of the others is in a side's process. */
const opens = {
  ours: async () => (await import("./sides/ours.ts")).open,
  "ours, unlimited": async () => (await import("./sides/ours.ts")).openUnlimited,
  "ours, unthrottled": async () => (await import("./sides/ours.ts")).openUnthrottled,
  "ours, CST": async () => (await import("./sides/ours.ts")).openByTokens,
  undici: async () => (await import("./sides/undici.ts")).open,
  fetch: async () => (await import("./sides/fetch.ts")).open,
  platform: async () => (await import("./sides/platform.ts")).overUndici,
  "platform, timeout": async () => (await import("./sides/platform.ts")).overUndiciTimed,
  "platform, no spans": async () => (await import("./sides/platform.ts")).overUndiciSpanless,
  "platform, Node http": async () => (await import("./sides/platform.ts")).overNode,
  "ig-trading-api": async () => (await import("./sides/igTradingApi.ts")).open
} satisfies Record<string, () => Promise<Open>>

export type SideName = keyof typeof opens

const isSide = (name: string): name is SideName => Object.hasOwn(opens, name)

const [name = "", address = ""] = process.argv.slice(2)
if (!isSide(name)) throw new Error(`no side: ${name}`)

const side = await (await opens[name]())(address)

const runOf = (task: Task) => {
  const run = side[task]
  if (run === undefined) throw new Error(`${name} has no ${task}`)
  return run
}

const cpuSince = (before?: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** What finalizers let go of is garbage of the next round. */
const collected = async (gc: () => void): Promise<number> => {
  for (let round = 0; round < 4; round++) {
    gc()
    await setTimeout(10)
  }
  return process.memoryUsage().heapUsed
}

const measured = async ({ before, calls, inFlight, pause = 0, task }: Round): Promise<Report> => {
  if (before !== undefined) await runOf(before)(1, 1)
  if (pause > 0) await setTimeout(pause)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await runOf(task)(calls, inFlight)
  const cost = { wall: performance.now() - begun, cpu: cpuSince(cpu) }
  const sinceStart = { wall: performance.now(), cpu: cpuSince() }
  return { ...cost, sinceStart, heap: globalThis.gc === undefined ? undefined : await collected(globalThis.gc) }
}

process.on("message", (round: Round) => {
  measured(round).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      console.error(name, error)
      process.exit(1)
    }
  )
})
process.on("disconnect", () => process.exit(0))
process.send?.("ready")
