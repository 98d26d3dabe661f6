/** What is looked for in what the sandbox has received. */
import type { RecordedRequest } from "@effect-ig/sandbox/Sandbox"
import * as Exit from "effect/Exit"
import * as Cause from "effect/Cause"
import type { Program } from "./program.ts"
import type { Outcome, Report } from "./run.ts"

/** What is wrong with how a program went. */
export type Judge = (program: Program, report: Report) => ReadonlyArray<string>

export const field = (request: RecordedRequest, name: string): unknown =>
  typeof request.body === "object" && request.body !== null
    ? Object.entries(request.body).find(([key]) => key === name)?.[1]
    : undefined

export const isRefresh = ({ method, path }: RecordedRequest): boolean =>
  method === "POST" && path === "/session/refresh-token"

export const isLogin = ({ method, path }: RecordedRequest): boolean => method === "POST" && path === "/session"

export const isTrade = ({ path }: RecordedRequest): boolean => path === "/positions/otc"

/** IG has refused it for want of an allowance, and has not executed it. */
export const isRefusedForAllowance = ({ errorCode }: { readonly errorCode?: string | undefined }): boolean =>
  errorCode?.startsWith("error.public-api.exceeded-") === true

/** It was not executed: IG refused the tokens, or had no allowance. */
export const isRefused = ({ errorCode, status }: RecordedRequest): boolean =>
  status === 401 || isRefusedForAllowance({ errorCode })

export const twice = (values: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index))
]

/** What the first run sent, and what the second one did. */
export const runsOf = ({ lives, record }: Report): ReadonlyArray<ReadonlyArray<RecordedRequest>> =>
  lives.map(({ since }, index) => record.slice(since, lives[index + 1]?.since))

/** The same, told by who sent it: callers of the first run go on for a while beside the second. */
export const sentByRun = ({ lives, record }: Report): ReadonlyArray<ReadonlyArray<RecordedRequest>> =>
  lives.map(({ name }) => record.filter(({ headers }) => headers["user-agent"] === name))

export const wasInterrupted = ({ caller, exit }: Outcome): boolean =>
  Exit.isFailure(exit) && caller.interruptedAt !== undefined && Cause.isInterruptedOnly(exit.cause)
