/** Callers at once, as many as it is asked for, in a process of its own: `node crowd.mjs KIND`. Ends with its parent. */
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Effect from "effect/Effect"
import { inTime, refused } from "./crowds/renewing.ts"
import { accounts, calls, governor } from "./crowds/waiting.ts"
import type { Cost } from "./samples.ts"

const kinds = { governor, accounts, calls, inTime, refused }

export type Kind = keyof typeof kinds

export interface Crowd {
  readonly count: number
}

export interface Crowded extends Cost {
  /** By each of those that waited, in bytes. */
  readonly kept: number | undefined
}

const isKind = (kind: string): kind is Kind => Object.hasOwn(kinds, kind)

const [kind = ""] = process.argv.slice(2)
if (!isKind(kind)) throw new Error(`no crowd: ${kind}`)

const measured = async ({ count }: Crowd): Promise<Crowded> => {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const outcome = await Effect.runPromise(Simulation.run<number | void, unknown>(kinds[kind](count)))
  if (outcome._tag !== "Done" || outcome.exit._tag !== "Success") throw new Error(`${kind}: it did not come to its end`)
  const wall = performance.now() - begun
  const { system, user } = process.cpuUsage(cpu)
  return { wall, cpu: (user + system) / 1_000, kept: outcome.exit.value ?? undefined }
}

process.on("message", (crowd: Crowd) => {
  measured(crowd).then(
    (crowded) => process.send?.(crowded),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
process.on("disconnect", () => process.exit(0))
process.send?.("ready")
