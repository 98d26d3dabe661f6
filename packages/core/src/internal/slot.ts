/** What the library keeps of a session beside the session itself; nothing of it can be seen from outside. */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type { IgError } from "../IgError.ts"
import type { SessionEvent } from "../SessionEvent.ts"
import type { Session, SignedIn } from "../SessionState.ts"
import { makeEvents } from "./events.ts"
import { type Exchanges, type LoggedIn, makeExchanges } from "./exchanges.ts"
import type { Keeper } from "./keeper.ts"
import { type Logins, makeLogins } from "./logins.ts"

/** A renewal under way, which all wait for whose requests carried that session. */
export interface Flight {
  readonly key: string
  readonly landed: Effect.Effect<SignedIn, IgError>
}

/** A session and what is known of its tokens; each is told by its key. */
export interface Slot {
  readonly exchanges: Exchanges
  /** The account it is for, when that is not the session's own choice. */
  readonly accountId: string | undefined
  /** What logs it in. */
  readonly login: () => LoggedIn | undefined
  flight: Flight | undefined
  /** IG has taken a request of this session. */
  proven: string | undefined
  /** IG has refused it, and it could not be renewed. */
  dead: string | undefined
  /** IG has refused it though it had just been renewed, so that refreshing is no way out. */
  distrusted: string | undefined
  /** A refresh token that was sent; IG takes none twice. */
  spent: string | undefined
  /** Why there is no session for that account, where IG has said that there will be none. */
  unavailable: IgError | undefined
  /** The session that the last login gave, when, and what was tried in vain to renew it at its first use. */
  born: { readonly key: string; readonly at: number; readonly causes: ReadonlyArray<IgError> } | undefined
}

export const makeSlot = (
  exchanges: Exchanges,
  accountId?: string,
  login: () => LoggedIn | undefined = exchanges.login
): Slot => ({
  exchanges,
  accountId,
  login,
  flight: undefined,
  proven: undefined,
  dead: undefined,
  distrusted: undefined,
  spent: undefined,
  unavailable: undefined,
  born: undefined
})

/** A session of another account under CST, and the login that it was opened by. */
export interface Sibling {
  readonly slot: Slot
  readonly login: LoggedIn
  /** Logs it out, within the time box. */
  readonly end: Effect.Effect<void>
}

export interface Internals {
  readonly main: Slot
  readonly siblings: Map<string, Sibling>
  /** Of siblings that have ended, those whose work has not, perhaps. */
  readonly retired: Set<Exchanges>
  readonly logins: Logins
  readonly events: PubSub.PubSub<SessionEvent>
  /** What ends the session of a scope that is still open. */
  readonly owned: Set<Effect.Effect<void>>
  /** What saves the session, where that was asked for. */
  readonly keeping: { keeper: Keeper | undefined }
}

export const makeInternals = (initial: Session): Effect.Effect<Internals> =>
  Effect.gen(function* () {
    const keeping: Internals["keeping"] = { keeper: undefined }
    return {
      main: makeSlot(yield* makeExchanges(initial, () => keeping.keeper?.changed())),
      siblings: new Map<string, Sibling>(),
      retired: new Set<Exchanges>(),
      logins: makeLogins(),
      events: yield* makeEvents<SessionEvent>(),
      owned: new Set<Effect.Effect<void>>(),
      keeping
    }
  })

/**
 * Logs out the session where a scope was to do that which is still open, and those of other accounts; then waits for what
 * is under way. Any other session is its user's to end.
 */
export const closeInternals = (internals: Internals): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { events, main, owned, retired } = internals
    yield* Effect.all(owned, { concurrency: "unbounded", discard: true })
    yield* main.exchanges.close
    yield* endSiblings(internals)
    yield* main.exchanges.idle
    yield* Effect.forEach(retired, ({ idle }) => idle, { discard: true })
    yield* PubSub.shutdown(events)
  })

/** They end with the session whose login opened them, at once; it does not wait for what they are in the middle of. */
export const endSiblings = (internals: Internals): Effect.Effect<void> =>
  Effect.suspend(() => {
    const ending = [...internals.siblings.values()]
    internals.siblings.clear()
    return retireAll(internals, ending)
  })

export const retireAll = (internals: Internals, siblings: ReadonlyArray<Sibling>): Effect.Effect<void> =>
  Effect.forEach(siblings, (sibling) => retire(internals, sibling), { concurrency: "unbounded", discard: true })

export const retire = (internals: Internals, { end, slot: { exchanges } }: Sibling): Effect.Effect<void> =>
  Effect.suspend(() => {
    watchOver(internals, exchanges)
    return Effect.zipRight(end, exchanges.close)
  })

/** Here it ends, at IG it does not: somebody else goes on with it, or the next run. */
export const abandon = (internals: Internals, { slot: { exchanges } }: Sibling): Effect.Effect<void> =>
  Effect.suspend(() => {
    watchOver(internals, exchanges)
    return exchanges.close
  })

/** The layer waits for its work when it closes. Those whose work has ended are forgotten, or they would be ever more. */
export const watchOver = ({ retired }: Internals, exchanges: Exchanges): void => {
  for (const other of retired) if (other.isClosed() && other.isIdle()) retired.delete(other)
  retired.add(exchanges)
}
