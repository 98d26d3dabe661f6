/** Sessions of the client's other accounts under CST, where a switch would take the session from whoever uses it. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { AuthError } from "../IgError.ts"
import { type Session, SignedOut, type TokenSession } from "../SessionState.ts"
import { handedOn, type LoggedIn, type Needs } from "./exchanges.ts"
import { leave } from "./logout.ts"
import { type Internals, makeSlot, abandon, retire, type Sibling, type Slot } from "./slot.ts"
import { keyOf } from "./tokens.ts"

const open = (
  internals: Internals,
  accountId: string,
  login: LoggedIn,
  initial: Session
): Effect.Effect<Sibling, never, Needs> =>
  Effect.contextWithEffect((context: Context.Context<Needs>) =>
    Effect.map(internals.main.exchanges.another(initial, login), (exchanges) => {
      // Once the session was logged in by something else or has ended, this login is nobody's any more.
      const isWanted = () =>
        internals.main.exchanges.login() === login && internals.siblings.get(accountId)?.slot === slot
      const slot: Slot = makeSlot(exchanges, accountId, () => (isWanted() ? login : undefined))
      return { slot, login, end: Effect.provide(leave(internals, slot, login), handedOn(context)) }
    })
  )

/** The session of that account; it is opened at its first use, by the login that the client's own session came from. */
export const sibling = (
  internals: Internals,
  operation: string,
  accountId: string
): Effect.Effect<Slot, AuthError, Needs> =>
  Effect.gen(function* () {
    const { main, siblings } = internals
    const login = main.exchanges.login()
    if (main.exchanges.isClosed()) return yield* new AuthError({ operation, reason: "closed" })
    const usual = siblings.get(accountId)
    if (usual !== undefined && usual.login === login) return usual.slot
    if (login?.again === undefined) return yield* new AuthError({ operation, reason: "no-login-kept" })
    const opened = yield* open(internals, accountId, login, new SignedOut())
    // Somebody else may have been here meanwhile.
    const known = siblings.get(accountId)
    if (known?.login === login) return known.slot
    yield* put(internals, accountId, opened)
    return opened.slot
  })

const isSame = (one: Slot, other: Slot): boolean => keyOf(one.exchanges.current()) === keyOf(other.exchanges.current())

/** Whoever is interrupted in between must not leave behind one that nobody ends. */
const put = (internals: Internals, accountId: string, opened: Sibling): Effect.Effect<void> =>
  Effect.uninterruptible(
    Effect.suspend(() => {
      const { siblings } = internals
      const known = siblings.get(accountId)
      siblings.set(accountId, opened)
      if (known === undefined) return Effect.void
      // At IG they are one where it was taken up once more, and it goes on. What is still being opened is taken back as
      // soon as IG has answered, for it is closed by then: to end it would cut that short.
      if (isSame(known.slot, opened.slot)) return abandon(internals, known)
      return Effect.forkDaemon(retire(internals, known))
    })
  )

/** Sessions that an earlier run has opened, for as long as IG takes them. */
export const adopt = (
  internals: Internals,
  login: LoggedIn,
  sessions: ReadonlyArray<TokenSession>
): Effect.Effect<void, never, Needs> =>
  Effect.forEach(
    sessions,
    (session) =>
      Effect.flatMap(open(internals, session.accountId, login, session), (opened) =>
        put(internals, session.accountId, opened)
      ),
    { discard: true }
  )
