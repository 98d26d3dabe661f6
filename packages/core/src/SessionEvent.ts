/**
 * What happened to the session, for logs and alarms; free of tokens.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { AuthError } from "./IgError.ts"
import type { SignedIn } from "./SessionState.ts"

/**
 * Why a session was renewed: its bearer was `expiring`, IG had `refused` its tokens, or `Session.refresh` had `asked`.
 *
 * @since 0.1.0
 * @category models
 */
export type Why = "expiring" | "refused" | "asked"

/**
 * What was done with a `SessionStore`.
 *
 * @since 0.1.0
 * @category models
 */
export type StoreOperation = "load" | "save" | "remove"

/**
 * - `LoggedIn`: by whom, and which account it is on
 * - `Renewed`: by a refresh, or by logging in again
 * - `Switched`: the session is on another account
 * - `Refused`: IG refused the tokens of a call, which are renewed for it, where renewal is on
 * - `Lost`: the session could not be brought back; `error.causes` says why
 * - `LoggedOut`
 * - `Resumed`: IG took the session that was stored
 * - `StoreFailed`: what was to be done with the store has failed, and the session goes on all the same
 *
 * `at` is in ms since the epoch. Sessions that `withAccount` opens under CST have events of their own.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionEvent = Data.TaggedEnum<{
  LoggedIn: { readonly at: number; readonly accountId: string; readonly loggedInBy: SignedIn["loggedInBy"] }
  Renewed: { readonly at: number; readonly accountId: string; readonly by: "refresh" | "login"; readonly why: Why }
  Switched: { readonly at: number; readonly accountId: string }
  Refused: {
    readonly at: number
    readonly accountId: string
    readonly operation: string
    readonly errorCode: string | undefined
  }
  Lost: { readonly at: number; readonly error: AuthError }
  LoggedOut: { readonly at: number; readonly accountId: string }
  Resumed: { readonly at: number; readonly accountId: string; readonly loggedInBy: SignedIn["loggedInBy"] }
  StoreFailed: { readonly at: number; readonly operation: StoreOperation; readonly detail: string }
}>

/**
 * @since 0.1.0
 * @category constructors
 */
export const SessionEvent: Data.TaggedEnum.Constructor<SessionEvent> = Data.taggedEnum<SessionEvent>()
