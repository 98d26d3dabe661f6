/** What becomes of each read, which has a number of its own. */
import type { RecordedRequest } from "@effect-ig/sandbox/Sandbox"
import * as Exit from "effect/Exit"
import { isRefused, type Judge, wasInterrupted } from "./record.ts"

const isServed = ({ isDelivered, status }: RecordedRequest): boolean => isDelivered && status < 300

/** It was not served, or nobody has heard of it. */
const mayGoAgain = (request: RecordedRequest): boolean =>
  !request.isDelivered || request.status >= 500 || isRefused(request)

/** None is sent again without a reason, and what IG has served is what its caller gets. */
export const noReadTwiceOrLost: Judge = (_, { outcomes, record }) => {
  const last = new Map<string, RecordedRequest>()
  const again = record.flatMap((request) => {
    const number = request.query["number"]
    if (number === undefined) return []
    const before = last.get(number)
    last.set(number, request)
    return before === undefined || mayGoAgain(before) ? [] : [`${number} was sent again after ${before.status}`]
  })
  const isServedLast = (number: string): boolean => {
    const request = last.get(number)
    return request !== undefined && isServed(request)
  }
  const wrong = outcomes.flatMap((outcome) => {
    const { exit, reads, step } = outcome
    if (Exit.isSuccess(exit)) {
      return reads.filter((number) => !isServedLast(number)).map((number) => `${number} succeeded, and was not served`)
    }
    return step === "read" && !wasInterrupted(outcome)
      ? reads.filter(isServedLast).map((number) => `${number} failed, and was served`)
      : []
  })
  return [...again, ...wrong]
}
