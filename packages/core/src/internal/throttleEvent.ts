/** What happens to the throttle. */
import * as Data from "effect/Data"
import type * as Option from "effect/Option"
import type { Allowances, Refusable } from "./allowances.ts"

/**
 * - `Closed`: IG has refused a request for this allowance, and nothing that spends it is sent until then
 * - `Opened`: the one request that went first was served
 * - `Learnt`: these numbers count from now on
 *
 * `at` and `until` are in ms since the epoch; an allowance of the key has no account.
 *
 * @since 0.1.0
 * @category models
 */
export type Event = Data.TaggedEnum<{
  Closed: {
    readonly at: number
    readonly allowance: Refusable
    readonly accountId: Option.Option<string>
    readonly until: number
  }
  Opened: { readonly at: number; readonly allowance: Refusable; readonly accountId: Option.Option<string> }
  Learnt: { readonly at: number; readonly allowances: Allowances }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const Event: Data.TaggedEnum.Constructor<Event> = Data.taggedEnum<Event>()

/** Tells of an event that happens now, in ms since the epoch. */
export type Tell = (event: (at: number) => Event) => void
