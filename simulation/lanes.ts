/** What becomes of IG's allowances, and of what it has none for. */
import type { IssuedToken, RecordedRequest } from "@effect-ig/sandbox/Sandbox"
import * as Exit from "effect/Exit"
import { window } from "./longest.ts"
import type { Program } from "./program.ts"
import { isRefusedForAllowance, isTrade, type Judge, runsOf, sentByRun } from "./record.ts"
import { failureOf } from "./run.ts"

/** Where the client keeps to what IG gives it; a second run knows nothing of what the first one has spent. */
export const noAllowanceOverrun: Judge = ({ restart, throttled }, report) => {
  if (throttled === undefined || isDiffering(throttled)) return []
  const [first = [], second = []] = runsOf(report)
  const knowing = restart === undefined || restart.downFor > window ? [...first, ...second] : first
  return knowing
    .filter((request) => request.fault !== "allowance" && isRefusedForAllowance(request))
    .map(({ errorCode, method, path }) => `${method} ${path} was one too many: ${errorCode}`)
}

export const isDiffering = ({ given, kept }: NonNullable<Program["throttled"]>): boolean =>
  given.key < kept.key || given.account < kept.account || given.trading < kept.trading

/** With a throttle nobody hears that there is no allowance, but who cannot wait for one. */
export const refusedWaits: Judge = ({ throttled }, { outcomes }) =>
  throttled === undefined
    ? []
    : outcomes.flatMap(({ caller, exit, step }) => {
        const error = failureOf(exit)
        if (error?._tag === "ApiError" && isRefusedForAllowance(error))
          return [`${step} failed for want of an allowance`]
        return error?._tag === "NotSentError" && error.reason === "would-wait" && caller.waitsAtMost === undefined
          ? [`${step} would have waited, and its caller has the time`]
          : []
      })

type AccountOf = (request: RecordedRequest) => string | undefined

/** By its tokens, which the record names by their labels; nobody's for what needs the API key alone. */
const accountBy = (issued: ReadonlyArray<IssuedToken>): AccountOf => {
  const owner = new Map(issued.map(({ accountId, label }) => [label, accountId]))
  return ({ headers }) => headers["ig-account-id"] ?? owner.get(headers["x-security-token"] ?? "")
}

/** The allowances that a request spends, by the codes that say that there is none. */
const lanesOf = (request: RecordedRequest, accountOf: AccountOf): ReadonlyArray<string> => {
  const account = accountOf(request)
  const code = (allowance: string) => `error.public-api.exceeded-${allowance}-allowance`
  if (isTrade(request)) return [`${code("account-trading")} ${account}`]
  const key = `${code("api-key")} `
  return account === undefined ? [key] : [key, `${code("account")} ${account}`]
}

/** After a refusal, nothing that spends the same allowance leaves for a window. */
export const refusedLaneIsShut: Judge = ({ happenings, switches, throttled }, report) => {
  // The record has the gateway's clock.
  if (throttled === undefined || happenings.some(({ what }) => what === "clock")) return []
  // Whoever leaves in the very ms of an answer may have missed it.
  const leaving = new Set(report.outcomes.filter(({ exit }) => Exit.isFailure(exit)).map(({ endedAt }) => endedAt))
  const accountOf = accountBy(report.issued)
  return sentByRun(report).flatMap((requests) => {
    const seen = new Map<string, number>()
    return requests.flatMap((request) => {
      const { errorCode, fault, isDelivered, method, path, receivedAt } = request
      const lanes = lanesOf(request, accountOf)
      const isEarly = lanes.some((lane) => {
        const seenAt = seen.get(lane) ?? Number.NEGATIVE_INFINITY
        return receivedAt > seenAt && receivedAt < seenAt + window
      })
      const answeredAt = receivedAt + (switches.latency ?? 0)
      if (isDelivered && fault !== "slow" && !leaving.has(answeredAt)) {
        for (const lane of lanes) if (lane.startsWith(`${errorCode} `)) seen.set(lane, answeredAt)
      }
      return isEarly ? [`${method} ${path} went out while an allowance of its was shut`] : []
    })
  })
}
