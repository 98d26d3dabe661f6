/** Sessions by themselves, beside any IG: what they were logged in by, what becomes of them, what holds them up. */
import type { Credentials } from "@effect-ig/core/Credentials"
import type { AuthError } from "@effect-ig/core/IgError"
import { OAuthSession, type Session, type SignedIn, SignedOut, TokenSession } from "@effect-ig/core/SessionState"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Again, LoggedIn, Needs } from "../../src/internal/exchanges.ts"
import { type Internals, makeInternals, makeSlot, type Slot } from "../../src/internal/slot.ts"

export const tokens = (accountId: string, name: string) =>
  new TokenSession({
    accountId,
    clientId: "100000001",
    lightstreamerEndpoint: Option.none(),
    loggedInBy: "loginV2",
    cst: Redacted.make(`cst-of-${name}`),
    securityToken: Redacted.make(`xst-of-${name}`)
  })

/** It lives for a minute from then on. */
export const bearer = (name: string, issuedAt = 0) =>
  new OAuthSession({
    accountId: "SBX01",
    clientId: "100000001",
    lightstreamerEndpoint: Option.none(),
    loggedInBy: "login",
    accessToken: Redacted.make(`bearer-of-${name}`),
    refreshToken: Redacted.make(`refresh-token-of-${name}`),
    issuedAt,
    expiresAt: issuedAt + 60_000,
    streamingTokens: Option.none(),
    switchesByHeader: false
  })

export const values: Credentials.Values = {
  identifier: "somebody",
  password: Redacted.make("a-password-of-nobodys")
}

export const loginBy = (
  open: Again["open"],
  credentials: Again["credentials"] = Effect.succeed(values)
): LoggedIn & { readonly again: Again } => ({
  who: { identifier: values.identifier },
  again: { credentials, open, asksForKey: false }
})

export const never = loginBy(() => Effect.die("a login was sent"))

/** It becomes another one. */
export const becomes = ({ main }: Internals, session: Session, login?: LoggedIn) =>
  main.exchanges.run("another", (turn) => turn.settle(session, login))

/** A session that was logged in so. */
export const signedIn = (session: SignedIn, login: LoggedIn): Effect.Effect<Internals, AuthError, Needs> =>
  Effect.tap(makeInternals(session), (internals) => becomes(internals, session, login))

/** The session of another account beside it. */
export const beside = (internals: Internals, accountId: string, login: LoggedIn, session: Session = new SignedOut()) =>
  Effect.map(internals.main.exchanges.another(session, login), (exchanges): Slot => {
    const slot = makeSlot(exchanges, accountId, () => login)
    internals.siblings.set(accountId, { slot, login, end: Effect.void })
    return slot
  })

/** Lets every fiber go as far as it gets. */
export const settled = Effect.repeatN(Effect.yieldNow(), 50)

/** An exchange that is under way until it is told to end. */
export const busy = ({ main }: Internals) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<void>()
    yield* Effect.fork(main.exchanges.run("another", () => Deferred.await(ended)))
    yield* settled
    return Deferred.succeed(ended, undefined)
  })
