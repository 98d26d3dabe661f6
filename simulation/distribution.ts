/** What the programs met: a search that never gets to where it hurts proves nothing. */
import type { Fault } from "@effect-ig/sandbox/Fault"
import type { IgError } from "@effect-ig/core/IgError"
import type { Program } from "./program.ts"
import * as Exit from "effect/Exit"
import { isRefusedForAllowance } from "./record.ts"
import { failureOf, type Report } from "./run.ts"

const faults: ReadonlyArray<Fault["kind"]> = [
  "slow",
  "never",
  "cutHeaders",
  "cutBody",
  "answer",
  "allowance",
  "nonJson403",
  "doubledTokenHeader",
  "failedLogin",
  "deadTokensAtLogin"
]

/** Each has to be met by so many programs at least. */
export const leastShare = 0.02

export const leastConcurrency = 8

const hitsOf = (
  program: Program,
  { interrupts, lives, met, outcomes, record }: Report
): Readonly<Record<string, boolean>> => {
  const { restart, throttled } = program
  const events = lives.flatMap((life) => life.events)
  const [, second] = lives
  const isResumed = second?.events.some(({ _tag }) => _tag === "Resumed") === true
  const isFound = second?.found !== undefined && restart?.tampering === undefined
  // At once, or when the bearer was refused.
  const isRefreshed = second?.watch.sent.slice(0, 2).some(({ kind }) => kind === "refresh") === true
  const isRefusedFor = (error: IgError | undefined, reason: string) =>
    error?._tag === "NotSentError" && error.reason === reason
  const renewedBy = (by: "refresh" | "login") => events.some((event) => event._tag === "Renewed" && event.by === by)
  return {
    ...Object.fromEntries(faults.map((kind) => [`fault ${kind}`, record.some(({ fault }) => fault === kind)])),
    "tokens killed": met.has("killed"),
    "weekend purge": met.has("purged"),
    "clock moved, and tokens died": met.has("outlived"),
    "wrong password": record.some(({ errorCode }) => errorCode === "error.security.invalid-details"),
    "done, and the answer lost": record.some(
      ({ fault, isWorked }) => isWorked && (fault === "never" || fault === "cutHeaders" || fault === "cutBody")
    ),
    "rotation with grace": (program.switches.refreshGrace ?? 0) > 0 && renewedBy("refresh"),
    "rung refresh": renewedBy("refresh"),
    "rung login": renewedBy("login"),
    "rung lost": events.some(({ _tag }) => _tag === "Lost"),
    "another account": lives.some(({ watch }) => watch.sent.some(({ wanted }) => wanted !== undefined)),
    switched: events.some(({ _tag }) => _tag === "Switched"),
    "logged out before the end": outcomes.some(({ exit, step }) => step === "logout" && Exit.isSuccess(exit)),
    "interrupted while waiting": interrupts.whileWaiting > 0,
    "interrupted while sending": interrupts.whileSending > 0,
    "late refusal": lives.some(({ watch }) => watch.lateRefusals > 0),
    "closed during a renewal": lives.some((life) => life.closedInFlight),
    throttle: throttled !== undefined,
    "a lane full, and a queue": lives.some(({ watch }) => watch.hasQueued),
    "would have to wait": outcomes.some(({ exit }) => isRefusedFor(failureOf(exit), "would-wait")),
    "no allowance, and throttled": throttled !== undefined && record.some(isRefusedForAllowance),
    ...Object.fromEntries(
      (["api-key", "account", "account-trading"] as const).map((allowance) => [
        `throttled, ${allowance} refused`,
        throttled !== undefined &&
          record.some(({ errorCode }) => errorCode === `error.public-api.exceeded-${allowance}-allowance`)
      ])
    ),
    "less than is believed": record.some((request) => request.fault !== "allowance" && isRefusedForAllowance(request)),
    "resumed alive": isResumed && !isRefreshed,
    "resumed by a refresh": isResumed && isRefreshed,
    "stored, and dead": isFound && !isResumed,
    "stored, and not ours": second?.found !== undefined && restart?.tampering !== undefined,
    "crashed, and resumed": restart?.isCrash === true && isResumed
  }
}

export interface Tally {
  programs: number
  concurrency: number
  requests: number
  readonly hits: Record<string, number>
}

export const emptyTally = (): Tally => ({ programs: 0, concurrency: 0, requests: 0, hits: {} })

export const count = (tally: Tally, program: Program, report: Report): void => {
  const concurrency = report.lives.flatMap(({ watch }) => watch.concurrency)
  tally.programs += 1
  tally.requests += concurrency.length
  tally.concurrency += concurrency.reduce((sum, one) => sum + one, 0)
  for (const [name, isHit] of Object.entries(hitsOf(program, report))) {
    tally.hits[name] = (tally.hits[name] ?? 0) + (isHit ? 1 : 0)
  }
}

export const add = (tally: Tally, more: Tally): void => {
  tally.programs += more.programs
  tally.requests += more.requests
  tally.concurrency += more.concurrency
  for (const [name, hits] of Object.entries(more.hits)) tally.hits[name] = (tally.hits[name] ?? 0) + hits
}

export const meanConcurrency = ({ concurrency, requests }: Tally): number =>
  requests === 0 ? 0 : concurrency / requests

/** What was met too seldom. */
export const shortcomings = (tally: Tally): ReadonlyArray<string> => [
  ...Object.entries(tally.hits)
    .filter(([, hits]) => hits < leastShare * tally.programs)
    .map(([name, hits]) => `"${name}" was met by ${hits} of ${tally.programs} programs only`),
  ...(meanConcurrency(tally) < leastConcurrency
    ? [`mean concurrency is ${meanConcurrency(tally).toFixed(1)} only`]
    : [])
]

export const table = (tally: Tally): string =>
  [
    ...Object.entries(tally.hits).map(
      ([name, hits]) => `${name.padEnd(28)} ${((100 * hits) / Math.max(1, tally.programs)).toFixed(1).padStart(5)} %`
    ),
    `mean concurrency             ${meanConcurrency(tally).toFixed(1).padStart(5)}`,
    `requests per program         ${(tally.requests / Math.max(1, tally.programs)).toFixed(1).padStart(5)}`
  ].join("\n")
