/**
 * Another of the client's accounts, for some calls only.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/**
 * The account that calls act on; `undefined`, the default, is the session's own.
 *
 * @since 0.1.0
 * @category references
 */
export class CurrentAccount extends Context.Reference<CurrentAccount>()("@effect-ig/core/CurrentAccount", {
  defaultValue: (): string | undefined => undefined
}) {}

/**
 * Runs an effect whose calls act on this account, forked fibers included; the session stays on its own.
 *
 * Under OAuth the `IG-ACCOUNT-ID` header of each request names the account. Under CST the account gets a session of its
 * own: logged in like the session was, at the first call, switched once (`PUT /session`), reused, renewed on its own, and
 * logged out with the session or its layer. Inside, switching, logging out and fetching tokens fail with `NotSentError`
 * `not-permitted`.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withAccount =
  (accountId: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.provideService(self, CurrentAccount, accountId)
