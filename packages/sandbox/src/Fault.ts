/**
 * Ways in which the gateway can be made to fail.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const target = {
  method: Schema.optional(Schema.String),
  path: Schema.optional(Schema.String),
  times: Schema.optional(Schema.Int.pipe(Schema.positive())),
  workDone: Schema.optional(Schema.Boolean)
}

const fault = <Kind extends string, Fields extends Schema.Struct.Fields>(kind: Kind, fields: Fields) =>
  Schema.Struct({ ...target, kind: Schema.Literal(kind), ...fields })

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
 * Where an answer is held: before the work, after it, after the headers, or in the middle of the body.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HoldPoint = Schema.Literal("before", "after", "headers", "body")

/**
 * @since 0.1.0
 * @category models
 */
export type HoldPoint = typeof HoldPoint.Type

/**
 * - `slow`: the work is done, the answer comes after `millis`
 * - `never`: no answer ever
 * - `cutHeaders`: the connection is reset before the headers
 * - `cutBody`: it is reset in the middle of the body
 * - `answer`: another answer than IG's own; `text` as it is, else `errorCode` as IG's JSON, else empty
 * - `nonJson403`, `empty405`: answers of IG's gateway that are not JSON
 * - `allowance`: one of the four codes for a spent allowance
 * - `failedLogin`: the transient code that quick logins meet
 * - `hold`: the answer is held at the point until `Sandbox.release`
 * - `doubledTokenHeader`: IG's own answer, with each token header twice
 * - `extraHeaders`: IG's own answer, with these headers too
 * - `deadTokensAtLogin`: a login answered out of IG's cache, with tokens that are dead already; logins only
 *
 * `workDone` says whether IG has done what it was asked before it fails so; where it is not given, it has for `never` and
 * `cutHeaders`, and has not for the answers. The others are IG's own answer, and so have it done always. A schema, since the control endpoint takes them as
 * JSON.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Fault = Schema.Union(
  fault("slow", { millis: Schema.Number.pipe(Schema.nonNegative()) }),
  fault("never", {}),
  fault("cutHeaders", {}),
  fault("cutBody", {}),
  fault("answer", {
    status: Schema.Int.pipe(Schema.between(200, 599)),
    errorCode: Schema.optional(Schema.String),
    text: Schema.optional(Schema.String),
    headers: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
  }),
  fault("nonJson403", {}),
  fault("empty405", {}),
  fault("allowance", { allowance: Schema.Literal("api-key", "account", "account-trading", "account-historical-data") }),
  fault("failedLogin", {}),
  fault("hold", { point: HoldPoint }),
  fault("doubledTokenHeader", {}),
  fault("extraHeaders", { headers: Schema.Record({ key: Schema.String, value: Schema.String }) }),
  fault("deadTokensAtLogin", {})
)

/**
 * @since 0.1.0
 * @category models
 */
export type Fault = typeof Fault.Type
