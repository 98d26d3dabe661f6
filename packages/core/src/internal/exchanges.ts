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
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import type * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Tracer from "effect/Tracer"
import type { Credentials } from "../Credentials.ts"
import { CurrentAccount } from "../CurrentAccount.ts"
import type { IgConfig } from "../IgConfig.ts"
import { AuthError, type IgError } from "../IgError.ts"
import type { Session, SignedIn } from "../SessionState.ts"
import { CurrentExchange, type Exchange, type Sender, WaitLimit } from "./waiting.ts"

/** What every exchange needs. */
export type Needs = IgConfig | HttpClient.HttpClient

/** The login that a session descends from; a refresh or a switch keeps it. */
export interface LoggedIn {
  /** As whom, the last time. */
  who: Who
  /** Nothing, for a session that was resumed without credentials. */
  readonly again: Again | undefined
}

/** Of a session that was resumed without credentials the identifier is not known, only what can be compared with one. */
export type Who = { readonly identifier: string } | { readonly fingerprint: string | null }

/** What logs in again. */
export interface Again {
  /** Asked anew each time, and never kept. */
  readonly credentials: Effect.Effect<Credentials.Values, AuthError>
  /** The same exchange as then, with the same encryption; complete when it is on that account. */
  readonly open: (values: Credentials.Values, to: Option.Option<Destination>) => Effect.Effect<SignedIn, IgError, Needs>
  /** It begins by asking for a key, which shows whether IG is there. */
  readonly asksForKey: boolean
}

/** Where a login has to end. */
export interface Destination {
  readonly accountId: string
  /** IG is known to refuse `PUT /session` under a bearer, so that it need not be asked again. */
  readonly byHeader: boolean
  /** Of sessions in use. IG may answer a login with one of them, and to move it would be to take it from its users. */
  readonly inUse: ReadonlyArray<SignedIn>
}

/** What an exchange sees of the session, while no other exchange can change it. */
export interface Turn {
  readonly current: Session
  readonly login: LoggedIn | undefined
  /** The layer is closing: nobody will ever use what is stored now. */
  readonly isClosed: () => boolean
  readonly settle: (next: Session, login?: LoggedIn | undefined) => Effect.Effect<void>
}

export interface Exchanges {
  readonly session: SubscriptionRef.SubscriptionRef<Session>
  readonly current: () => Session
  readonly login: () => LoggedIn | undefined
  readonly isClosed: () => boolean
  readonly sender: Sender
  /** Waits its turn, interruptibly; then the work goes on to its end whether or not the caller stays. */
  readonly run: <A, E>(
    operation: string,
    work: (turn: Turn) => Effect.Effect<A, E, Needs>,
    order?: "urgent"
  ) => Effect.Effect<A, E | AuthError, Needs>
  /** While this goes on, turns are for what is urgent. */
  readonly urgently: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Begins work in a fiber of the session's own, without a turn; `close` waits for it. */
  readonly begin: <A, E>(
    context: Context.Context<Needs>,
    work: Effect.Effect<A, E, Needs>,
    onEnd: (exit: Exit.Exit<A, E>) => void
  ) => Effect.Effect<A, E>
  /** Ends when no exchange is under way. */
  readonly free: Effect.Effect<void>
  /** Ends when the session next changes, or the layer closes. */
  readonly changed: Effect.Effect<void>
  /** Ends the exchange under way where it stands. What IG makes of it is lost: for closing in a hurry. */
  readonly cut: Effect.Effect<void>
  /** Lets nothing begin any more. */
  readonly close: Effect.Effect<void>
  /** Waits for all that has begun. */
  readonly idle: Effect.Effect<void>
  readonly isIdle: () => boolean
  /** Exchanges of another session, in the same layer; which descends from that login, if it is one already. */
  readonly another: (initial: Session, login: LoggedIn) => Effect.Effect<Exchanges>
}

interface UnderWay {
  readonly ended: Deferred.Deferred<void>
  fiber: Fiber.RuntimeFiber<void> | undefined
  isCut: boolean
}

/** Of the starter's, an exchange gets the services, and nothing that the starter set for itself. */
export const handedOn: (context: Context.Context<Needs>) => Context.Context<Needs> = Context.omit(
  Tracer.ParentSpan,
  Scope.Scope,
  CurrentAccount,
  WaitLimit
)

export const makeExchanges = (initial: Session, onSettle: () => void): Effect.Effect<Exchanges> =>
  // The layer's own: an exchange must not inherit what its starter happens to have set for itself.
  Effect.flatMap(Effect.runtime<never>(), (runtime) => makeIn(runtime, initial, undefined, onSettle))

/** Whoever is signed out has no login. */
const loginOf = (session: Session, login: LoggedIn | undefined): LoggedIn | undefined =>
  session._tag === "SignedOut" ? undefined : login

const makeIn = (
  runtime: Runtime.Runtime<never>,
  initial: Session,
  initialLogin: LoggedIn | undefined,
  onSettle: () => void
): Effect.Effect<Exchanges> =>
  Effect.gen(function* () {
    const session = yield* SubscriptionRef.make(initial)
    const fibers = new Set<Fiber.RuntimeFiber<void>>()
    let current = initial
    let login = loginOf(initial, initialLogin)
    let underWay: UnderWay | undefined
    let change = Deferred.unsafeMake<void>(FiberId.none)
    const closing = Deferred.unsafeMake<void>(FiberId.none)
    let urgency: { count: number; readonly over: Deferred.Deferred<void> } | undefined
    let closed = false

    const sender: Sender = {
      bearerEnds: () => (current._tag === "OAuthSession" ? current.expiresAt : undefined),
      isClosed: () => closed
    }

    const announce = () => {
      Deferred.unsafeDone(change, Exit.void)
      change = Deferred.unsafeMake(FiberId.none)
    }

    const takeTurn = (
      operation: string,
      order: "urgent" | undefined,
      restore: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    ): Effect.Effect<UnderWay, AuthError> =>
      Effect.suspend(() => {
        if (closed) return Effect.fail(new AuthError({ operation, reason: "closed" }))
        const before = underWay?.ended ?? (order === "urgent" ? undefined : urgency?.over)
        if (before !== undefined) {
          return Effect.zipRight(restore(Deferred.await(before)), takeTurn(operation, order, restore))
        }
        underWay = { ended: Deferred.unsafeMake(FiberId.none), fiber: undefined, isCut: false }
        return Effect.succeed(underWay)
      })

    const turn: Effect.Effect<Turn> = Effect.sync(() => ({
      current,
      login,
      isClosed: () => closed,
      settle: (next, nextLogin = login) =>
        Effect.suspend(() => {
          login = loginOf(next, nextLogin)
          current = next
          announce()
          onSettle()
          return SubscriptionRef.set(session, next)
        })
    }))

    const fork = <A, E>(
      given: Context.Context<Needs>,
      work: Effect.Effect<A, E, Needs>,
      onEnd: (exit: Exit.Exit<A, E>) => void
    ): Fiber.RuntimeFiber<void> => {
      const own = work.pipe(
        // The layer may have been built where interruption is off; time limits must work all the same.
        Effect.interruptible,
        Effect.exit,
        Effect.map((exit) => {
          fibers.delete(fiber)
          onEnd(exit)
        }),
        // When the work is cut, what comes after it is not.
        Effect.uninterruptible
      )
      const mine = Context.add(given, CurrentExchange, { sender, closing: Deferred.await(closing), aside })
      const fiber = Runtime.runFork(Runtime.updateContext(runtime, Context.merge(mine)))(own, { immediate: false })
      fibers.add(fiber)
      return fiber
    }

    const begin = <A, E>(
      context: Context.Context<Needs>,
      work: Effect.Effect<A, E, Needs>,
      onEnd: (exit: Exit.Exit<A, E>) => void
    ): Effect.Effect<A, E> => {
      const answer = Deferred.unsafeMake<A, E>(FiberId.none)
      fork(handedOn(context), work, (exit) => {
        onEnd(exit)
        Deferred.unsafeDone(answer, exit)
      })
      return Deferred.await(answer)
    }

    const aside: Exchange["aside"] = (work) =>
      Effect.contextWith((context: Context.Context<Needs>) => {
        fork(handedOn(context), work, constVoid)
      })

    const urgently: Exchanges["urgently"] = (self) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          urgency ??= { count: 0, over: Deferred.unsafeMake(FiberId.none) }
          urgency.count += 1
          return urgency
        }),
        () => self,
        (mine) =>
          Effect.sync(() => {
            mine.count -= 1
            if (mine.count > 0) return
            urgency = undefined
            Deferred.unsafeDone(mine.over, Exit.void)
          })
      )

    const run: Exchanges["run"] = <A, E>(
      operation: string,
      work: (turn: Turn) => Effect.Effect<A, E, Needs>,
      order?: "urgent"
    ) =>
      Effect.contextWithEffect((context: Context.Context<Needs>) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(takeTurn(operation, order, restore), (mine) => {
            const answer = Deferred.unsafeMake<A, E | AuthError>(FiberId.none)
            // Whoever asks for an exchange says how long it may wait; a renewal is asked for by many.
            const given = Context.add(handedOn(context), WaitLimit, Context.get(context, WaitLimit))
            mine.fiber = fork(given, Effect.flatMap(turn, work), (exit) => {
              underWay = undefined
              Deferred.unsafeDone(answer, mine.isCut ? Exit.fail(new AuthError({ operation, reason: "closed" })) : exit)
              Deferred.unsafeDone(mine.ended, Exit.void)
            })
            return restore(Deferred.await(answer))
          })
        )
      )

    const cut = Effect.suspend(() => {
      if (underWay?.fiber === undefined) return Effect.void
      underWay.isCut = true
      return Effect.asVoid(Fiber.interrupt(underWay.fiber))
    })

    const idle: Effect.Effect<void> = Effect.suspend(() =>
      fibers.size === 0 ? Effect.void : Effect.zipRight(Fiber.awaitAll(fibers), idle)
    )

    const close = Effect.suspend(() => {
      closed = true
      Deferred.unsafeDone(closing, Exit.void)
      announce()
      return Effect.void
    })

    return {
      session,
      current: () => current,
      login: () => login,
      isClosed: sender.isClosed,
      sender,
      run,
      urgently,
      begin,
      changed: Effect.suspend(() => Deferred.await(change)),
      free: Effect.suspend(() => (underWay === undefined ? Effect.void : Deferred.await(underWay.ended))),
      cut,
      close,
      idle,
      isIdle: () => fibers.size === 0,
      another: (initial, login) => makeIn(runtime, initial, login, onSettle)
    }
  })
