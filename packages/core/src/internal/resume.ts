/**
 * Taking up a session that an earlier run has stored, and leaving it to the next. It is believed when IG has taken it: by
 * a read, or by a refresh where the bearer has died meanwhile.
 */
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { IgConfig } from "../IgConfig.ts"
import { AuthError, type IgError, isAuth } from "../IgError.ts"
import { Renewal } from "../Renewal.ts"
import { SessionEvent } from "../SessionEvent.ts"
import { type OAuthSession, SessionState, type SignedIn, SignedOut, type TokenSession } from "../SessionState.ts"
import { SessionStore } from "../SessionStore.ts"
import { moveTo } from "./account.ts"
import { retryReads } from "./call.ts"
import { isRenewable } from "./codes.ts"
import * as Endpoint from "./endpoints.ts"
import { tell } from "./events.ts"
import type { Exchanges, LoggedIn, Needs, Turn } from "./exchanges.ts"
import { attempt, type Keeper, makeKeeper, patience } from "./keeper.ts"
import { lost, noLogin, refreshOnce, wasNotExecuted } from "./ladder.ts"
import { isExpiring } from "./renewal.ts"
import type { Instead, InsteadOfLogin } from "./resuming.ts"
import { decode, send } from "./send.ts"
import { adopt } from "./siblings.ts"
import { abandon, type Internals, retireAll } from "./slot.ts"
import * as Stored from "./stored.ts"
import { countResume } from "./telemetry.ts"
import { carry, isSpent, refreshTokenOf } from "./tokens.ts"

export const operation = "session.resume"

/* ---- what is stored ------------------------------------------------------------------ */

const ignored = (name: string, why: string): Effect.Effect<void> =>
  Effect.logWarning(`Session store ${name}: the session in it is ignored: ${why}`)

/** In a turn: whatever this very run does to the session, it does before or after that. */
const load = (
  internals: Internals,
  store: SessionStore.Service
): Effect.Effect<Stored.Stored | undefined, never, IgConfig> =>
  Effect.gen(function* () {
    const { keeper } = internals.keeping
    // A session that this very run keeps there may not have been written yet.
    if (keeper !== undefined) yield* settled(keeper)
    const text = Option.flatten(yield* attempt(internals, store, "load", store.load))
    if (Option.isNone(text)) {
      yield* countResume("nothing")
      return undefined
    }
    const stored = Stored.decode(yield* IgConfig, text.value)
    if (Either.isRight(stored)) return stored.right
    yield* countResume("ignored")
    yield* ignored(store.name, stored.left)
    return undefined
  })

/* ---- whether IG takes it ------------------------------------------------------------- */

/** IG does not take it, and neither waiting nor another try would help. */
class Dead extends Data.TaggedError("Dead")<{ readonly causes: ReadonlyArray<IgError> }> {}

/** Also whether it still is what it was: some other program may have moved it. */
const asked = (session: SignedIn): Effect.Effect<SignedIn, IgError, Needs> =>
  retryReads(
    Endpoint.read,
    Effect.flatMap(send(Endpoint.read, { tokens: carry(session) }), (answer) => decode(Endpoint.read, answer))
  ).pipe(
    Effect.filterOrFail(
      ({ accountId, clientId }) => accountId === session.accountId && clientId === session.clientId,
      () => new AuthError({ operation: Endpoint.read.name, reason: "wrong-account" })
    ),
    Effect.as(session)
  )

const refreshed = (
  internals: Internals,
  turn: Turn,
  session: OAuthSession,
  causes: ReadonlyArray<IgError>
): Effect.Effect<SignedIn, IgError | Dead, Needs> =>
  isSpent(internals.main, session)
    ? new Dead({ causes })
    : refreshOnce(internals, internals.main, turn, session).pipe(
        // Whatever becomes of this run, and be it cut, the next one must not send the token again.
        Effect.onError(() =>
          Effect.sync(() => {
            if (isSpent(internals.main, session)) internals.keeping.keeper?.useless()
          })
        ),
        Effect.catchAll((error): Effect.Effect<never, IgError | Dead> =>
          wasNotExecuted(error) ? Effect.fail(error) : new Dead({ causes: [...causes, error] })
        )
      )

const isRefused = (session: SignedIn, error: IgError): boolean =>
  error._tag === "ApiError" && isRenewable(carry(session).carried, error.errorCode)

const alive = (internals: Internals, turn: Turn, session: SignedIn): Effect.Effect<SignedIn, IgError | Dead, Needs> =>
  Effect.gen(function* () {
    const bearer = session._tag === "OAuthSession" ? session : undefined
    const now = yield* Clock.currentTimeMillis
    if (bearer !== undefined && isExpiring(bearer, yield* Renewal, now)) {
      return yield* refreshed(internals, turn, bearer, [])
    }
    return yield* Effect.catchAll(asked(session), (error): Effect.Effect<SignedIn, IgError | Dead, Needs> => {
      if (bearer !== undefined && isRefused(bearer, error)) {
        return refreshed(internals, turn, bearer, [error])
      }
      // Refused as who we are it is of no use, whatever the code; after anything else nothing is known.
      return isAuth(error) ? new Dead({ causes: [error] }) : Effect.fail(error)
    })
  })

/** As a login, it is complete when it is on the account of `IgConfig`. */
const arrived = (session: SignedIn): Effect.Effect<SignedIn, IgError, Needs> =>
  Effect.flatMap(IgConfig, ({ accountId }) =>
    Option.isNone(accountId) || accountId.value === session.accountId
      ? Effect.succeed(session)
      : Effect.map(moveTo(session, { accountId: accountId.value, defaultAccount: false }), (moved) => moved.session)
  )

const proved = (
  internals: Internals,
  turn: Turn,
  stored: Stored.Whole,
  login: LoggedIn
): Effect.Effect<SignedIn, IgError | Dead, Needs> =>
  Effect.gen(function* () {
    const { main } = internals
    const mine: Turn = { ...turn, settle: (next) => turn.settle(next, login) }
    if (stored.isSpent) main.spent = refreshTokenOf(stored.session)
    const living = yield* alive(internals, mine, stored.session)
    // What a refresh gave is stored already; without the account that was asked for nobody must use it.
    const session = yield* Effect.onError(arrived(living), () => turn.settle(turn.current, turn.login))
    yield* adopt(internals, login, stored.siblings)
    yield* mine.settle(session)
    const { accountId, loggedInBy } = session
    yield* tell(internals, (at) => SessionEvent.Resumed({ at, accountId, loggedInBy }))
    return session
  })

/** The session that is stored, if IG takes it. */
const takenUp = (
  internals: Internals,
  turn: Turn,
  name: string,
  stored: Stored.Whole,
  login: LoggedIn
): Effect.Effect<Either.Either<SignedIn, Dead>, IgError, Needs> =>
  proved(internals, turn, stored, login).pipe(
    Effect.tap(() => countResume("resumed")),
    Effect.tapError(({ _tag }) => countResume(_tag === "Dead" ? "dead" : "failure")),
    Effect.map(Either.right),
    Effect.catchTag("Dead", (dead) => Effect.as(ignored(name, "IG does not take it any more"), Either.left(dead)))
  )

/**
 * What is stored, where it is what the login would give. Once it has been taken up or found to be of no use it is not
 * looked at again; after anything else a login that is tried again finds what is there by then.
 */
export const insteadOfLogin = (store: SessionStore.Service): InsteadOfLogin => {
  let isOver = false
  let outlived: ReadonlyArray<TokenSession> = []
  const { name } = store
  return <S extends SignedIn>(
    internals: Internals,
    turn: Turn,
    login: LoggedIn,
    identifier: string,
    isOf: (session: SignedIn) => session is S
  ) =>
    Effect.gen(function* () {
      // A login in its place may fail, and be tried again.
      const nothing: Instead<S> = {
        session: undefined,
        adopt: Effect.suspend(() =>
          Effect.map(adopt(internals, login, outlived), () => {
            outlived = []
          })
        )
      }
      if (isOver) return nothing
      isOver = true
      const stored = yield* load(internals, store)
      if (stored === undefined) return nothing
      const useless = (why: string) => Effect.as(Effect.zipRight(countResume("ignored"), ignored(name, why)), nothing)
      if (!stored.isOf(identifier)) return yield* useless("it is of another identifier")
      if (!isOf(stored.session)) {
        return yield* useless(`it was opened by Session.${stored.session.loggedInBy}, which is not the login asked for`)
      }
      const taken = yield* takenUp(internals, turn, name, stored, login)
      if (Either.isRight(taken) && isOf(taken.right)) return { session: taken.right, adopt: Effect.void }
      outlived = stored.siblings
      return nothing
    }).pipe(
      Effect.onError(() =>
        Effect.sync(() => {
          isOver = false
        })
      )
    )
}

/** With nothing to fall back on. */
export const withoutLogin: Effect.Effect<SignedIn, IgError, SessionState | Needs | SessionStore> = Effect.gen(
  function* () {
    const internals = (yield* SessionState).internals()
    const store = yield* SessionStore
    return yield* internals.main.exchanges.run(operation, (turn) =>
      Effect.gen(function* () {
        const stored = yield* load(internals, store)
        if (stored === undefined) {
          const detail = "Nothing is stored that could be resumed."
          return yield* new AuthError({ operation, reason: "not-signed-in", detail })
        }
        const taken = yield* takenUp(internals, turn, store.name, stored, { who: stored.who, again: undefined })
        return yield* Either.mapLeft(taken, ({ causes }) => lost([...causes, noLogin]))
      })
    )
  }
)

/* ---- keeping it --------------------------------------------------------------------- */

/** What is under way may still change the session, and is waited for a while. */
const freed = ({ cut, free }: Exchanges): Effect.Effect<void, never, IgConfig> =>
  Effect.flatMap(IgConfig, ({ logoutTimeout }) =>
    Effect.flatten(
      Effect.timeoutTo(Effect.interruptible(free), {
        duration: Duration.times(logoutTimeout, 0.5),
        onSuccess: () => Effect.void,
        onTimeout: () => cut
      })
    )
  )

/**
 * Here the session ends, at IG it does not. Nothing changes it any more after it was saved for the last time. Those of
 * other accounts that are not saved with it, since another login has opened them, end at IG as well.
 */
const leave = (internals: Internals, keeper: Keeper): Effect.Effect<void, never, Needs> => {
  const { keeping, main, siblings } = internals
  const last = main.exchanges.run(
    operation,
    (turn) =>
      Effect.gen(function* () {
        const [strangers, others] = Array.partition(siblings.values(), ({ login }) => login === turn.login)
        // They log in within a turn of the session's own, so that nothing of theirs is under way; or it was cut, and what
        // it gives yet is logged out.
        yield* Effect.forEach(others, (other) => abandon(internals, other), { discard: true })
        yield* Effect.sync(() => {
          keeper.changed()
          keeping.keeper = undefined
          siblings.clear()
        })
        yield* turn.settle(new SignedOut())
        return strangers
      }),
    "urgent"
  )
  return Effect.zipRight(freed(main.exchanges), last).pipe(
    main.exchanges.urgently,
    Effect.flatMap((strangers) => retireAll(internals, strangers)),
    Effect.ignoreLogged
  )
}

const settled = (keeper: Keeper): Effect.Effect<void> =>
  Effect.timeoutTo(Effect.interruptible(keeper.idle), {
    // The write under way, and the last.
    duration: Duration.times(patience, 2),
    onSuccess: () => Effect.void,
    onTimeout: () => Effect.logWarning("The session store did not end in time; what it holds may be old.")
  }).pipe(Effect.flatten)

/** Saves the session as long as the scope is open. */
export const keep: Effect.Effect<void, never, SessionState | Needs | SessionStore | Scope.Scope> = Effect.gen(
  function* () {
    const internals = (yield* SessionState).internals()
    const { keeping } = internals
    const takeOver = yield* makeKeeper(internals, yield* SessionStore)
    yield* Effect.acquireRelease(
      Effect.sync(() => (keeping.keeper = takeOver(keeping.keeper))),
      (keeper) =>
        Effect.suspend(() => (keeping.keeper === keeper ? leave(internals, keeper) : Effect.void)).pipe(
          Effect.zipRight(settled(keeper))
        )
    )
  }
)
