/** What a login tries first. Who resumes nothing has none of what that takes in his bundle, so logins know this much. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { IgError } from "../IgError.ts"
import type { SignedIn } from "../SessionState.ts"
import type { LoggedIn, Needs, Turn } from "./exchanges.ts"
import type { Internals } from "./slot.ts"

/** What was there in place of a login. */
export interface Instead<S extends SignedIn> {
  readonly session: S | undefined
  /** What outlives its session, for a login that has to take its place. */
  readonly adopt: Effect.Effect<void, never, Needs>
}

export type InsteadOfLogin = <S extends SignedIn>(
  internals: Internals,
  turn: Turn,
  login: LoggedIn,
  identifier: string,
  isOf: (session: SignedIn) => session is S
) => Effect.Effect<Instead<S>, IgError, Needs>

export class Resuming extends Context.Reference<Resuming>()("@effect-ig/core/Resuming", {
  defaultValue: (): InsteadOfLogin | undefined => undefined
}) {}
