/**
 * Exchanges with IG that change the session. IG spends a refresh token when it answers, kills the old tokens when it
 * switches, and opens a session when it takes a login, whether or not anybody still waits. So such an exchange belongs
 * to the session: it runs in a fiber of the session's own, one at a time, and a caller that leaves does not disturb it.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Tracer from "effect/Tracer"
import type { IgConfig } from "../IgConfig.ts"
import { AuthError, type IgError } from "../IgError.ts"
import type { Session, SignedIn } from "../SessionState.ts"

/** The login that the current session descends from; a refresh or a switch keeps it. */
export interface LoggedIn {
  /** What would log it in again: the same exchange, with the credentials and the cipher that it ran with. */
  readonly again: Effect.Effect<SignedIn, IgError, Needs>
}

/** What an exchange sees of the session, while no other exchange can change it. */
export interface Turn {
  readonly current: Session
  readonly login: LoggedIn | undefined
  /** The layer is closing: nobody will ever use what is stored now. */
  readonly isClosed: () => boolean
  readonly settle: (next: Session, login?: LoggedIn | undefined) => Effect.Effect<void>
}

type Needs = IgConfig | HttpClient.HttpClient

export interface Exchanges {
  readonly session: SubscriptionRef.SubscriptionRef<Session>
  /** Waits its turn, interruptibly; then the work goes on to its end whether or not the caller stays. */
  readonly run: <A, E>(
    operation: string,
    work: (turn: Turn) => Effect.Effect<A, E, Needs>
  ) => Effect.Effect<A, E | AuthError, Needs>
}

export const makeExchanges = (initial: Session): Effect.Effect<Exchanges, never, Scope.Scope> =>
  Effect.gen(function* () {
    const session = yield* SubscriptionRef.make(initial)
    // The layer's own: an exchange must not inherit what its starter happens to have set for itself.
    const runtime = yield* Effect.runtime<never>()
    let login: LoggedIn | undefined
    let underWay: Deferred.Deferred<void> | undefined
    let closed = false

    const idle: Effect.Effect<void> = Effect.suspend(() =>
      underWay === undefined ? Effect.void : Effect.zipRight(Deferred.await(underWay), idle)
    )

    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        closed = true
        return idle
      })
    )

    const takeTurn = (
      operation: string,
      restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    ): Effect.Effect<Deferred.Deferred<void>, AuthError> =>
      Effect.suspend(() => {
        if (closed) return Effect.fail(new AuthError({ operation, reason: "closed" }))
        if (underWay !== undefined) {
          return Effect.zipRight(restore(Deferred.await(underWay)), takeTurn(operation, restore))
        }
        underWay = Deferred.unsafeMake<void>(FiberId.none)
        return Effect.succeed(underWay)
      })

    const turn: Effect.Effect<Turn> = Effect.map(SubscriptionRef.get(session), (current) => ({
      current,
      login,
      isClosed: () => closed,
      settle: (next, nextLogin = login) =>
        Effect.suspend(() => {
          login = next._tag === "SignedOut" ? undefined : nextLogin
          return SubscriptionRef.set(session, next)
        })
    }))

    const run: Exchanges["run"] = <A, E>(operation: string, work: (turn: Turn) => Effect.Effect<A, E, Needs>) =>
      Effect.contextWithEffect((context: Context.Context<Needs>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(takeTurn(operation, restore), (mine) => {
            const answer = Deferred.unsafeMake<A, E>(FiberId.none)
            const exchange = Effect.flatMap(turn, work).pipe(
              // The layer may have been built where interruption is off; time limits must work all the same.
              Effect.interruptible,
              Effect.provide(Context.omit(Tracer.ParentSpan, Scope.Scope)(context)),
              Effect.exit,
              Effect.map((exit) => {
                underWay = undefined
                Deferred.unsafeDone(answer, exit)
                Deferred.unsafeDone(mine, Exit.void)
              })
            )
            Runtime.runFork(runtime)(exchange)
            return restore(Deferred.await(answer))
          })
        )
      )

    return { session, run }
  })
