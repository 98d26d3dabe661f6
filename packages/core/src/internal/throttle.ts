/** Whether the throttle is on where a call is made. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Event } from "./throttleEvent.ts"
import type { Governor } from "./throttleGovernor.ts"
import type { Status } from "./throttleStatus.ts"

/**
 * What is provided where the call is made counts; `None`, the default, is off.
 *
 * @since 0.1.0
 * @category references
 */
export class Throttle extends Context.Reference<Throttle>()("@effect-ig/core/Throttle", {
  defaultValue: (): Option.Option<Service> => Option.none()
}) {}

/** What a layer of `Throttle` has turned on. */
export interface Service {
  readonly status: Effect.Effect<Status>
  readonly events: Stream.Stream<Event>
  /** @internal */
  readonly governor: Governor
}
