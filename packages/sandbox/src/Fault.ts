/**
 * Ways in which the gateway can be made to fail.
 *
 * @since 0.1.0
 */

/**
 * Which requests: all, or those with this method, path (relative to the gateway, as `/session`), or both; and how many
 * of them, one unless said otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly method?: string | undefined
  readonly path?: string | undefined
  readonly times?: number | undefined
}

/**
 * - `slow`: the work is done, the answer comes after `millis`
 * - `never`: no answer ever
 * - `cutHeaders`: the connection is reset before the headers
 * - `cutBody`: it is reset in the middle of the body
 * - `answer`: another answer than IG's own; `text` as it is, else `errorCode` as IG's JSON, else empty
 * - `nonJson403`, `empty405`: answers of IG's gateway that are not JSON
 * - `allowance`: one of the four codes for a spent allowance
 * - `failedLogin`: the transient code that quick logins meet
 *
 * `workDone` says whether IG has done what it was asked before it fails so; where it is not given, it has for `never`,
 * `cutHeaders` and `cutBody`, and has not for the answers.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault = Target & { readonly workDone?: boolean | undefined } & (
    | { readonly kind: "slow"; readonly millis: number }
    | { readonly kind: "never" }
    | { readonly kind: "cutHeaders" }
    | { readonly kind: "cutBody" }
    | {
        readonly kind: "answer"
        readonly status: number
        readonly errorCode?: string | undefined
        readonly text?: string | undefined
        readonly headers?: Readonly<Record<string, string>> | undefined
      }
    | { readonly kind: "nonJson403" }
    | { readonly kind: "empty405" }
    | {
        readonly kind: "allowance"
        readonly allowance: "api-key" | "account" | "account-trading" | "account-historical-data"
      }
    | { readonly kind: "failedLogin" }
  )

/**
 * Where an answer is held: before the work, after it, after the headers, or in the middle of the body.
 *
 * @since 0.1.0
 * @category models
 */
export type HoldPoint = "before" | "after" | "headers" | "body"
