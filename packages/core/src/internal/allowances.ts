/** What IG counts, and which of it a refusal is about: `limits.md` §1, §3. */
import { ApiError } from "../IgError.ts"

/**
 * How many requests a minute; `Infinity` is as many as you like.
 *
 * @since 0.1.0
 * @category models
 */
export interface Allowances {
  /** Of the API key, trades not counted. */
  readonly key: number
  /** Of each account, trades not counted. */
  readonly account: number
  /** Trades of each account. */
  readonly trading: number
}

/**
 * The allowances that IG names when it refuses a request.
 *
 * @since 0.1.0
 * @category models
 */
export type Refusable = "api-key" | "account" | "account-trading" | "account-historical-data"

const codes: ReadonlyMap<string, Refusable> = new Map(
  (["api-key", "account", "account-trading", "account-historical-data"] as const).map((allowance) => [
    `error.public-api.exceeded-${allowance}-allowance`,
    allowance
  ])
)

/** The allowance that IG had none of for a request. */
export const refusedFor = (error: unknown): Refusable | undefined =>
  error instanceof ApiError ? codes.get(error.errorCode ?? "") : undefined

/** It was not executed, and may be sent again in a minute. */
export const mayQueueAgain = (error: unknown): boolean => {
  const allowance = refusedFor(error)
  return allowance !== undefined && allowance !== "account-historical-data"
}
