/**
 * What must hold of every program, whatever was done to it: judged by what the sandbox received and gave out, and by what
 * callers got, never by what the client believes.
 */
import type { IgError } from "@effect-ig/core/IgError"
import type { RecordedRequest } from "@effect-ig/sandbox/Sandbox"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { longestCall, longestClosing } from "./longest.ts"
import type { Program } from "./program.ts"
import type { Report, Result } from "./run.ts"

type Judge = (program: Program, report: Report) => ReadonlyArray<string>

const field = (request: RecordedRequest, name: string): unknown =>
  typeof request.body === "object" && request.body !== null
    ? Object.entries(request.body).find(([key]) => key === name)?.[1]
    : undefined

const isRefresh = ({ method, path }: RecordedRequest): boolean => method === "POST" && path === "/session/refresh-token"

const isLogin = ({ method, path }: RecordedRequest): boolean => method === "POST" && path === "/session"

const failure = (exit: Exit.Exit<unknown, IgError>): IgError | undefined =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined

const hasDied = (exit: Exit.Exit<unknown, IgError>): boolean => Exit.isFailure(exit) && Cause.isDie(exit.cause)

const twice = (values: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index))
]

const everyCallerEndsInTime: Judge = (program, { closingTook, outcomes }) => [
  ...outcomes.filter(({ took }) => took > longestCall(program)).map(({ step, took }) => `${step} took ${took} ms`),
  ...outcomes.filter(({ exit }) => hasDied(exit)).map(({ exit, step }) => `${step} died: ${String(exit)}`),
  ...(closingTook > longestClosing ? [`closing took ${closingTook} ms`] : [])
]

/** Both halves out of IG's hand, and of one answer; under CST, the second may be of a later switch of the first. */
const stateIsWhatIgIssued: Judge = (_, { issued, record, states }) => {
  const tokens = new Map(issued.map((token) => [token.value, token]))
  return states.flatMap((state) => {
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
}

const oneRenewalAtATime: Judge = (_, { watch }) => [
  ...(watch.most.refresh > 1 ? [`${watch.most.refresh} refreshes at once`] : []),
  ...(watch.most.login > 1 ? [`${watch.most.login} logins at once`] : [])
]

/** What IG refused for want of an allowance was not spent. */
const noRefreshTokenTwice: Judge = (_, { record }) =>
  twice(
    record
      .filter((request) => isRefresh(request) && request.fault !== "allowance")
      .map((request) => String(field(request, "refresh_token")))
  ).map((token) => `${token} was sent twice`)

const refusedCredentialsOnce: Judge = (_, { explicitLogins, record }) => {
  const refused = record
    .filter(
      (request) => isLogin(request) && request.isDelivered && request.errorCode === "error.security.invalid-details"
    )
    .map((request) => String(field(request, "password")))
  return refused.length > new Set(refused).size + explicitLogins
    ? [`refused credentials were sent ${refused.length} times, with ${explicitLogins} explicit logins`]
    : []
}

const oneFamilyAndTheRightAccount: Judge = (_, { issued, watch }) => {
  const owner = new Map(issued.map(({ accountId, value }) => [value, accountId]))
  return watch.sent.flatMap(({ account, bearer, cst, securityToken, wanted }) => {
    if (bearer !== undefined && (cst !== undefined || securityToken !== undefined))
      return ["a request carried two families"]
    const acts = account ?? (securityToken === undefined ? undefined : owner.get(securityToken))
    return wanted !== undefined && acts !== undefined && acts !== wanted
      ? [`a call for ${wanted} acted on ${acts}`]
      : []
  })
}

const noOrderTwice: Judge = (_, { record }) =>
  twice(
    record
      .filter(({ entered, path }) => path === "/positions/otc" && entered.length > 0)
      .map((request) => String(field(request, "dealReference")))
  ).map((reference) => `${reference} reached the book twice`)

const isFinal = (error: IgError | undefined): boolean =>
  error?._tag === "AuthError" && (error.reason === "not-signed-in" || error.reason === "closed")

const healsOnceFaultsStop: Judge = (_, { healed }) =>
  healed === undefined || Exit.isSuccess(healed) || isFinal(failure(healed))
    ? []
    : [`all faults have ended, and the next call fails: ${failure(healed)?.message ?? String(healed)}`]

const nothingIsLeft: Judge = (_, { leftFibers, leftSessions }) => [
  ...(leftFibers > 0 ? [`${leftFibers} fibers are left after closing`] : []),
  ...(leftSessions > 0 ? [`${leftSessions} sessions are alive after closing`] : [])
]

export const invariants: Readonly<Record<string, Judge>> = {
  everyCallerEndsInTime,
  stateIsWhatIgIssued,
  oneRenewalAtATime,
  noRefreshTokenTwice,
  refusedCredentialsOnce,
  oneFamilyAndTheRightAccount,
  noOrderTwice,
  healsOnceFaultsStop,
  nothingIsLeft
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
