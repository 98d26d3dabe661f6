/** Whether every caller gets an answer, and in time. */
import * as Exit from "effect/Exit"
import { longestClosing, longestIdle, longestSilence, mostSends, pause, requestTimeout, rounding } from "./longest.ts"
import type { Program } from "./program.ts"
import { isRefusedForAllowance, type Judge, wasInterrupted } from "./record.ts"
import { failureOf, type Outcome, type Report } from "./run.ts"
import { nobody, type Sent } from "./watch.ts"

/** A caller that was not interrupted gets an answer, or an error with a type. */
const hasAnswer = (outcome: Outcome): boolean =>
  Exit.isSuccess(outcome.exit) || failureOf(outcome.exit) !== undefined || wasInterrupted(outcome)

const endOf = ({ at, endedAt }: Sent): number => endedAt ?? at + requestTimeout

/** So much of a time nothing of these is under way; they are in the order in which they left. */
const idleTime = (sent: ReadonlyArray<Sent>, from: number, until: number): number => {
  let idle = 0
  let covered = from
  for (const one of sent) {
    if (one.at >= until) break
    idle += Math.max(0, one.at - covered)
    covered = Math.max(covered, endOf(one))
  }
  return idle + Math.max(0, until - covered)
}

/** Where bodies are cut it is not seen whose. */
const isFailed = (isCut: boolean, { caller, status }: Sent): boolean =>
  caller === nobody && (isCut || status === undefined || status >= 400)

/** Of what is queued anybody's may have to go first. */
const idled = (program: Program, report: Report, sent: ReadonlyArray<Sent>): ReadonlyArray<string> => {
  const refused = report.record.filter(isRefusedForAllowance).length
  const isCut = report.record.some(({ fault }) => fault === "cutBody")
  return report.outcomes.flatMap(({ endedAt, index, step, took }) => {
    const least = longestIdle(program, { failed: 0, refused: 0, sent: 0 })
    if (took <= least) return []
    const begun = endedAt - took
    const meanwhile = sent.filter((one) => one.at <= endedAt && endOf(one) >= begun - pause)
    const relevant =
      program.throttled === undefined
        ? meanwhile.filter(({ caller }) => caller === index || caller === nobody)
        : meanwhile
    const idle = idleTime(relevant, begun, endedAt)
    const longest = longestIdle(program, {
      failed: meanwhile.filter((one) => isFailed(isCut, one)).length,
      refused,
      sent: meanwhile.length
    })
    return idle > longest ? [`${step} took ${took} ms, ${idle} of them with nothing under way`] : []
  })
}

const sentOften = (program: Program, { record }: Report): ReadonlyArray<string> => {
  const times = new Map<string, { sends: number; refused: number; readonly effect: "read" | "mutate" }>()
  for (const request of record) {
    const { body, query } = request
    const reference =
      typeof body === "object" && body !== null && "dealReference" in body ? String(body["dealReference"]) : undefined
    const name = query["number"] ?? reference
    if (name === undefined) continue
    const one = times.get(name) ?? { sends: 0, refused: 0, effect: reference === undefined ? "read" : "mutate" }
    one.sends += 1
    if (isRefusedForAllowance(request)) one.refused += 1
    times.set(name, one)
  }
  return [...times].flatMap(([name, { effect, refused, sends }]) =>
    sends > mostSends(program, effect, refused) ? [`${name} was sent ${sends} times`] : []
  )
}

export const everyCallerEndsInTime: Judge = (program, report) => {
  const { lives, outcomes } = report
  const sent = lives.flatMap(({ watch }) => watch.sent)
  return [
    ...idled(program, report, sent),
    ...sentOften(program, report),
    ...sent
      .filter((one) => endOf(one) - one.at > requestTimeout + rounding)
      .map((one) => `a request was waited for ${endOf(one) - one.at} ms`),
    ...outcomes.filter((outcome) => !hasAnswer(outcome)).map(({ exit, step }) => `${step} ended by ${String(exit)}`),
    ...lives.flatMap(({ closingTook, watch }) => [
      ...(closingTook > longestClosing ? [`closing took ${closingTook} ms`] : []),
      ...(watch.longestSilence > longestSilence
        ? [`callers waited, and nothing happened for ${watch.longestSilence} ms`]
        : [])
    ])
  ]
}
