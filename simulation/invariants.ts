/**
 * What must hold of every program, whatever was done to it: judged by what the sandbox received and gave out, and by what
 * callers got, never by what the client believes.
 */
import type { IgError } from "@effect-ig/core/IgError"
import type { Session } from "@effect-ig/core/SessionState"
import type { RecordedRequest } from "@effect-ig/sandbox/Sandbox"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { everyCallerEndsInTime } from "./inTime.ts"
import { isDiffering, noAllowanceOverrun, refusedLaneIsShut, refusedWaits } from "./lanes.ts"
import { tokensOf } from "./life.ts"
import { oneFamilyAndTheRightAccount } from "./ownership.ts"
import type { Program } from "./program.ts"
import { noReadTwiceOrLost } from "./reads.ts"
import {
  field,
  isLogin,
  isRefresh,
  isRefused,
  isRefusedForAllowance,
  isTrade,
  type Judge,
  runsOf,
  twice
} from "./record.ts"
import { failureOf, type Report, type Result } from "./run.ts"

/** Both halves out of IG's hand, and of one answer; under CST, the second may be of a later switch of the first. */
const stateIsWhatIgIssued: Judge = (_, { issued, lives, record }) => {
  const tokens = new Map(issued.map((token) => [token.value, token]))
  return lives.flatMap(({ states }) =>
    states.flatMap(({ session: state }) => {
      if (state._tag === "SignedOut") return []
      const [first, second] =
        state._tag === "OAuthSession" ? [state.accessToken, state.refreshToken] : [state.cst, state.securityToken]
      const one = tokens.get(Redacted.value(first))
      const other = tokens.get(Redacted.value(second))
      if (one === undefined || other === undefined) return ["the state holds a token that IG never issued"]
      const isPair = record.some(
        ({ headers, issued: given }) =>
          given.includes(other.label) && (given.includes(one.label) || headers["cst"] === one.label)
      )
      if (!isPair) return [`the state holds ${one.label} with ${other.label}`]
      if (state._tag === "TokenSession" && other.accountId !== state.accountId) {
        return [`the state says ${state.accountId}, and ${other.label} is of ${other.accountId}`]
      }
      return []
    })
  )
}

/**
 * Refreshes and logins together: they are turns of the session, those of other accounts under CST included, which may not
 * log in side by side.
 */
const oneRenewalAtATime: Judge = (_, { lives }) =>
  lives.flatMap(({ watch: { mostRenewals } }) =>
    mostRenewals > 1 ? [`${mostRenewals} refreshes and logins at once`] : []
  )

const refreshTokensIn = (requests: ReadonlyArray<RecordedRequest>): ReadonlyArray<string> =>
  requests
    .filter((request) => isRefresh(request) && !isRefusedForAllowance(request))
    .map((request) => String(field(request, "refresh_token")))

/**
 * Neither by one run nor by two; but for the one that the store still held when a run crashed which had not got into it
 * yet what came of its refreshes.
 */
const noRefreshTokenTwice: Judge = (_, report) => {
  const [first = [], second = []] = runsOf(report).map(refreshTokensIn)
  const [crashed, next] = report.lives
  const held = report.issued.filter(({ value }) => next?.found?.includes(value)).map(({ label }) => label)
  const unsaved = new Set(crashed?.isRefreshUnsaved === true ? held : [])
  return [
    ...[...twice(first), ...twice(second)].map((token) => `${token} was sent twice`),
    ...second
      .filter((token) => first.includes(token) && !unsaved.has(token))
      .map((token) => `${token} was sent by both runs`)
  ]
}

const refusedCredentialsOnce: Judge = (_, { lives, record }) => {
  const explicit = lives.reduce((sum, { explicitLogins }) => sum + explicitLogins, 0)
  const refused = record
    .filter(
      (request) => isLogin(request) && request.isDelivered && request.errorCode === "error.security.invalid-details"
    )
    .map((request) => String(field(request, "password")))
  return refused.length > new Set(refused).size + explicit
    ? [`refused credentials were sent ${refused.length} times, with ${explicit} explicit logins`]
    : []
}

/** An order is sent again when it was refused for its tokens or an allowance, and then only. */
const noOrderTwice: Judge = (_, { record }) => {
  const orders = record
    .filter(isTrade)
    .map((request) => ({ reference: String(field(request, "dealReference")), request }))
  const last = new Map(orders.map(({ reference, request }) => [reference, request]))
  return [
    ...twice(orders.filter(({ request }) => request.entered.length > 0).map(({ reference }) => reference)).map(
      (reference) => `${reference} reached the book twice`
    ),
    ...orders
      .filter(({ reference, request }) => last.get(reference) !== request && !isRefused(request))
      .map(({ reference }) => `${reference} was sent again, though IG may have executed it`)
  ]
}

/**
 * A session of an earlier run becomes the client's once IG has served it; and what somebody else has stored never leaves.
 * A login that IG may answer with a session of before proves nothing.
 */
const resumedIsProved: Judge = ({ restart, switches }, { lives }) =>
  switches.loginReusesCst === true
    ? []
    : lives.flatMap(({ older, states, watch }) => {
        const believed = states.filter(({ unproved }) => unproved.some((token) => older.has(token)))
        const isOld = (token: string | undefined): boolean =>
          token !== undefined && older.has(token.replace("Bearer ", ""))
        const foreign =
          restart?.tampering === undefined
            ? []
            : watch.sent.filter(({ bearer, cst, securityToken }) => [bearer, cst, securityToken].some(isOld))
        return [
          ...believed.map(() => "a session out of the store was believed before IG had taken it"),
          ...foreign.map(() => "a request carried what somebody else has stored")
        ]
      })

const isFinal = (error: IgError | undefined): boolean =>
  error?._tag === "AuthError" && (error.reason === "not-signed-in" || error.reason === "closed")

const healsOnceFaultsStop: Judge = (_, { peace }) =>
  peace === undefined || Exit.isSuccess(peace.healed) || isFinal(failureOf(peace.healed))
    ? []
    : [`all faults have ended, and the next call fails: ${failureOf(peace.healed)?.message ?? String(peace.healed)}`]

/**
 * With a store, the session is left on purpose. A logout waits for a place no longer than its time box: there is none
 * where IG gives less than is believed, nor perhaps in the rush in which a caller's own login ends other sessions. In the
 * middle of everything, a fault or a full lane may meet the logout itself.
 */
const mayLeaveSessions = ({ callers, closesAt, happenings, restart, throttled }: Program): boolean => {
  if (restart !== undefined) return true
  if (closesAt !== undefined) return throttled !== undefined || happenings.some(({ what }) => what === "fault")
  const endsOthers = callers.some(({ steps }) => steps.some((step) => step.do === "login" || step.do === "logout"))
  return throttled !== undefined && (endsOthers || isDiffering(throttled))
}

/**
 * Then it is logged out, or stored; but where there may be no place for a logout, or where a caller's own login, in the
 * middle of everything, comes after it was stored for the last time.
 */
const mayLeaveUnstored = ({ closesAt, restart, throttled }: Program): boolean =>
  restart === undefined || closesAt !== undefined || throttled !== undefined

/** One that nobody has come to use; a caller's own login leaves the one before it to whoever has opened that. */
const mayLeaveLogins = (program: Program, { lives }: Report): boolean =>
  mayLeaveSessions(program) ||
  program.happenings.some(({ what }) => what === "fault") ||
  lives.some(({ explicitLogins }) => explicitLogins > 1)

const nothingIsLeft: Judge = (program, report) => {
  const { left, lives } = report
  const fibers = lives.reduce((sum, { leftFibers }) => sum + leftFibers, 0)
  return [
    ...(fibers > 0 ? [`${fibers} fibers are left after closing`] : []),
    ...(left.fibers > 0 ? [`${left.fibers} fibers are left at the end`] : []),
    ...(left.timers > 0 ? [`${left.timers} timers are left at the end`] : []),
    ...(left.sessions > 0 && !mayLeaveSessions(program) ? [`${left.sessions} sessions are alive after closing`] : []),
    ...(left.unstored > 0 && !mayLeaveUnstored(program)
      ? [`${left.unstored} sessions are alive after closing, and not in the store`]
      : []),
    ...(left.logins > 0 && !mayLeaveLogins(program, report) ? [`${left.logins} logins are alive after closing`] : [])
  ]
}

/**
 * Closing signs out; what was before that is what the next run needs. A caller may log out at the same time, and another
 * may log in once more while the store is waited for: then it is one of several.
 */
const whatIsLeftIsStored: Judge = ({ restart }, { lives }) =>
  restart === undefined
    ? []
    : lives.flatMap(({ left, states }) => {
        if (left === undefined) return []
        const ended = states.flatMap(({ session }, index) => {
          const previous = states[index - 1]?.session
          return session._tag === "SignedOut" && index >= left.before && previous !== undefined ? [previous] : []
        })
        const isStored = (session: Session) => tokensOf(session).every((token) => left.text?.includes(token))
        return ended.length === 0 || ended.some(isStored) ? [] : ["the session that was left is not in the store"]
      })

export const invariants: Readonly<Record<string, Judge>> = {
  everyCallerEndsInTime,
  stateIsWhatIgIssued,
  oneRenewalAtATime,
  noRefreshTokenTwice,
  refusedCredentialsOnce,
  oneFamilyAndTheRightAccount,
  noOrderTwice,
  noReadTwiceOrLost,
  noAllowanceOverrun,
  refusedWaits,
  refusedLaneIsShut,
  resumedIsProved,
  healsOnceFaultsStop,
  nothingIsLeft,
  whatIsLeftIsStored
}

export const judge = (program: Program, result: Result): ReadonlyArray<string> => {
  switch (result._tag) {
    case "Stuck":
      return ["everyCallerEndsInTime: nothing can move any more"]
    case "Died":
      return [`died: ${result.why}`]
    case "Ended":
      return Object.entries(invariants).flatMap(([name, judge]) =>
        judge(program, result.report).map((violation) => `${name}: ${violation}`)
      )
  }
}
