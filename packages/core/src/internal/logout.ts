/** Ending sessions at IG: `session.md` §6. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { IgConfig } from "../IgConfig.ts"
import { SessionEvent } from "../SessionEvent.ts"
import { type SignedIn, SignedOut } from "../SessionState.ts"
import * as Endpoint from "./endpoints.ts"
import { tell } from "./events.ts"
import type { LoggedIn, Needs, Turn } from "./exchanges.ts"
import { send, type SendError } from "./send.ts"
import type { Internals, Slot } from "./slot.ts"
import { carry } from "./tokens.ts"
import { CurrentExchange, WaitLimit } from "./waiting.ts"

/** `401` means that the session is over already. */
const end = (session: SignedIn): Effect.Effect<void, SendError, Needs> =>
  send(Endpoint.logout, { tokens: carry(session) }).pipe(
    Effect.asVoid,
    Effect.catchIf(
      (error) => error._tag === "ApiError" && error.status === 401,
      () => Effect.void
    )
  )

/** Closing does not put an end to what belongs to closing; what it may wait is in the limit. */
const within =
  (limit: Duration.Duration) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | IgConfig> =>
    self.pipe(
      Effect.updateService(IgConfig, (config) => ({
        ...config,
        requestTimeout: Duration.min(config.requestTimeout, limit)
      })),
      Effect.provideService(WaitLimit, limit),
      Effect.provideService(CurrentExchange, { sender: undefined, closing: Effect.never, aside: identity })
    )

/** Logging out on the way out must not take longer than its time box, whatever the time limit of other requests. */
const hurried = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | IgConfig> =>
  Effect.flatMap(IgConfig, ({ logoutTimeout }) => within(logoutTimeout)(self))

/** A session that nobody will use. */
export const discard = (session: SignedIn): Effect.Effect<void, never, Needs> =>
  end(session).pipe(hurried, Effect.ignoreLogged)

/** Also when the exchange is cut, which has no time left for it. */
export const discardAside = (session: SignedIn): Effect.Effect<void, never, Needs> =>
  Effect.flatMap(CurrentExchange, (exchange) =>
    exchange === undefined ? discard(session) : exchange.aside(discard(session))
  )

/** What IG has opened, and the session has no use for. */
export const takeBack = (session: SignedIn): Effect.Effect<void, never, Needs> =>
  Effect.onInterrupt(discard(session), () => discardAside(session))

/** Here the session ends whatever IG says. */
export const endIn = (
  internals: Internals,
  slot: Slot,
  { current, settle }: Turn
): Effect.Effect<void, SendError, Needs> =>
  current._tag === "SignedOut"
    ? Effect.void
    : end(current).pipe(
        Effect.ensuring(settle(new SignedOut())),
        Effect.ensuring(
          Effect.sync(() => {
            if (slot === internals.main) internals.keeping.keeper?.useless()
          })
        ),
        Effect.ensuring(tell(internals, (at) => SessionEvent.LoggedOut({ at, accountId: current.accountId })))
      )

/**
 * Logs out on the way out, within the time box, and never fails. An exchange that hangs is waited for during half of the
 * time, then it is cut: what IG might still answer it would be of no use. Given a login, ends no session but its own.
 */
export const leave = (
  internals: Internals,
  slot: Slot,
  login: LoggedIn | undefined
): Effect.Effect<void, never, Needs> =>
  Effect.gen(function* () {
    const { exchanges } = slot
    const { logoutTimeout } = yield* IgConfig
    const begun = yield* Clock.currentTimeMillis
    const wait = Effect.timeoutTo(exchanges.free, {
      duration: Duration.times(logoutTimeout, 0.5),
      onSuccess: () => Effect.void,
      onTimeout: () => (exchanges.login() === login || slot.accountId !== undefined ? exchanges.cut : Effect.void)
    })
    const ending = exchanges.run(
      Endpoint.logout.name,
      (turn) =>
        turn.login === login
          ? Effect.flatMap(Clock.currentTimeMillis, (now) =>
              within(Duration.subtract(logoutTimeout, Duration.millis(now - begun)))(endIn(internals, slot, turn))
            )
          : Effect.void,
      "urgent"
    )
    yield* Effect.zipRight(Effect.flatten(wait), ending).pipe(
      Effect.interruptible,
      Effect.timeoutFail({ duration: logoutTimeout, onTimeout: () => "there was no time left to log out" }),
      Effect.ignoreLogged,
      exchanges.urgently
    )
  })
