/**
 * Saves a session whenever it changes, in the order of the changes and by one writer at a time, which the session never
 * waits for. What is to be saved is taken when the change happens, and of several that wait only the last matters.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { IgConfig } from "../IgConfig.ts"
import { SessionEvent, type StoreOperation } from "../SessionEvent.ts"
import type { SessionStore } from "../SessionStore.ts"
import { tell } from "./events.ts"
import { randomHex } from "./random.ts"
import type { Internals } from "./slot.ts"
import { encode, type Whole } from "./stored.ts"
import { countStore } from "./telemetry.ts"
import { isSpent } from "./tokens.ts"

export interface Keeper {
  /** The session has become another one, or something of it has. */
  readonly changed: () => void
  /** Nothing is left to be resumed: the session has been logged out, or what is stored has been spent in vain. */
  readonly useless: () => void
  /** Ends when all that is to be saved has been. */
  readonly idle: Effect.Effect<void>
}

/** How long a store may take. */
export const patience = Duration.seconds(5)

/** A store that fails costs a warning, never the session. */
export const attempt = <A>(
  internals: Internals,
  { name }: SessionStore.Service,
  doing: StoreOperation,
  work: Effect.Effect<A, PlatformError>
): Effect.Effect<Option.Option<A>> =>
  work.pipe(
    Effect.mapError(({ message }) => message),
    // The layer may be built where interruption is off; the time limit must work all the same.
    Effect.interruptible,
    Effect.timeoutFail({ duration: patience, onTimeout: () => "it took too long" }),
    Effect.exit,
    Effect.tap((exit) => countStore(doing, exit)),
    Effect.flatMap((exit) => {
      if (Exit.isSuccess(exit)) return Effect.succeedSome(exit.value)
      // What a store dies of is its author's, and may quote what it was given.
      const detail = Option.getOrElse(Cause.failureOption(exit.cause), () => "it died of a bug of its own")
      return Effect.logWarning(`Session store ${name}: ${doing} failed: ${detail}`).pipe(
        Effect.zipRight(tell(internals, (at) => SessionEvent.StoreFailed({ at, operation: doing, detail }))),
        Effect.zipRight(Effect.succeedNone)
      )
    })
  )

/** The session as it is now, with those of other accounts that belong to it. */
const whole = ({ main, siblings }: Internals): Whole | undefined => {
  const session = main.exchanges.current()
  if (session._tag === "SignedOut") return undefined
  const login = main.exchanges.login()
  return {
    session,
    who: login?.who ?? { fingerprint: null },
    isSpent: isSpent(main, session),
    siblings: [...siblings.values()].flatMap((sibling) => {
      const other = sibling.slot.exchanges.current()
      return sibling.login === login && other._tag === "TokenSession" ? [other] : []
    })
  }
}

/** One that takes over from another, whose last write it waits for. */
export const makeKeeper = (
  internals: Internals,
  store: SessionStore.Service
): Effect.Effect<(before: Keeper | undefined) => Keeper, never, IgConfig> =>
  Effect.gen(function* () {
    const config = yield* IgConfig
    const salt = yield* randomHex
    // Of the starter's nothing is handed on, its span least of all.
    const runtime = Runtime.updateContext(yield* Effect.runtime<never>(), Context.empty)
    return (before) => {
      let waiting = before?.idle ?? Effect.void
      // Once it has ended it is forgotten, or one would hold on to all before it.
      const free = Effect.suspend(() =>
        Effect.zipRight(
          waiting,
          Effect.sync(() => void (waiting = Effect.void))
        )
      )
      let next: Effect.Effect<unknown> | undefined
      let underWay: Deferred.Deferred<void> | undefined

      const drain: Effect.Effect<void> = Effect.suspend(() => {
        if (next === undefined) return Effect.void
        const work = next
        next = undefined
        return Effect.zipRight(work, drain)
      })

      const want = (work: Effect.Effect<unknown>): void => {
        next = work
        if (underWay === undefined) start()
      }

      const start = (): void => {
        const mine = Deferred.unsafeMake<void>(FiberId.none)
        underWay = mine
        const ended = Effect.sync(() => {
          underWay = undefined
          // It may have come between the last look and now.
          if (next !== undefined) start()
          Deferred.unsafeDone(mine, Exit.void)
        })
        Runtime.runFork(runtime)(Effect.ensuring(Effect.zipRight(free, drain), ended))
      }

      const written: Effect.Effect<void> = Effect.suspend(() =>
        underWay === undefined ? Effect.void : Effect.zipRight(Deferred.await(underWay), written)
      )

      return {
        changed: () => {
          const now = whole(internals)
          if (now === undefined) return
          want(attempt(internals, store, "save", Effect.flatMap(encode(config, salt, now), store.save)))
        },
        useless: () => want(attempt(internals, store, "remove", store.remove)),
        idle: Effect.zipRight(free, written)
      }
    }
  })
