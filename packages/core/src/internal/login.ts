/** Opening sessions at IG: `session.md` §2, §3. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { Credentials } from "../Credentials.ts"
import { IgConfig } from "../IgConfig.ts"
import { AuthError, type IgError } from "../IgError.ts"
import { SessionEvent } from "../SessionEvent.ts"
import { SessionState, type SignedIn } from "../SessionState.ts"
import { tell } from "./events.ts"
import { type Destination, handedOn, type LoggedIn, type Needs } from "./exchanges.ts"
import type { LoginMode } from "./loginMode.ts"
import { discard, discardAside, leave, takeBack } from "./logout.ts"
import { born } from "./ladder.ts"
import { Resuming } from "./resuming.ts"
import { send } from "./send.ts"
import { endSiblings, type Internals } from "./slot.ts"
import { countLogin } from "./telemetry.ts"

/** Who asked for a login, when that is a scope: it has to end what comes of it, even if it has gone by then. */
export interface Owner {
  login: LoggedIn | undefined
  isGone: boolean
}

export class LoginOwner extends Context.Reference<LoginOwner>()("@effect-ig/core/LoginOwner", {
  defaultValue: (): Owner | undefined => undefined
}) {}

const isSame = (one: SignedIn, other: SignedIn): boolean =>
  one._tag === "TokenSession" && other._tag === "TokenSession" && Redacted.value(one.cst) === Redacted.value(other.cst)

const inUse = (operation: string) =>
  new AuthError({
    operation,
    reason: "account-unavailable",
    detail: "IG answered the login with a session that is in use, which a switch would take from its users."
  })

/** A login that cannot get to its account is no login, and is taken back. */
const arrive = <S extends SignedIn>(
  mode: LoginMode<S>,
  session: S,
  { accountId, byHeader, inUse: others }: Destination
): Effect.Effect<S, IgError, Needs> => {
  if (others.some((other) => isSame(session, other))) return Effect.fail(inUse(mode.endpoint.name))
  if (session.accountId === accountId && !byHeader) return Effect.succeed(session)
  return mode.move(session, { accountId, byHeader, defaultAccount: false }).pipe(
    Effect.tapErrorCause(() => discard(session)),
    Effect.onInterrupt(() => discardAside(session)),
    Effect.map((moved) => moved.session)
  )
}

/** `IG_ACCOUNT_ID` belongs to the login. */
const configured: Effect.Effect<Option.Option<Destination>, never, IgConfig> = Effect.map(IgConfig, ({ accountId }) =>
  Option.map(accountId, (accountId) => ({ accountId, byHeader: false, inUse: [] }))
)

/** A session that IG has opened; nothing here knows of it yet. */
const open = <S extends SignedIn>(
  mode: LoginMode<S>,
  values: Credentials.Values,
  to: Option.Option<Destination>
): Effect.Effect<S, IgError, Needs> =>
  Effect.gen(function* () {
    const body = yield* mode.body(values)
    const answer = yield* send(mode.endpoint, { body }, countLogin(mode.endpoint.name))
    const session = yield* mode.toSession(answer)
    return Option.isSome(to) ? yield* arrive(mode, session, to.value) : session
  }).pipe(Effect.mapError(mode.explain))

export const logIn = <S extends SignedIn>(
  mode: LoginMode<S>
): Effect.Effect<S, IgError, SessionState | Needs | Credentials> =>
  Effect.gen(function* () {
    const operation = mode.endpoint.name
    const owner = yield* LoginOwner
    const instead = yield* Resuming
    const internals = (yield* SessionState).internals()
    const credentials = yield* Credentials
    // Asking somebody for a password may take minutes; other exchanges need not wait for that.
    const values = yield* credentials
    return yield* internals.main.exchanges.run(operation, (turn) =>
      Effect.gen(function* () {
        const { settle } = turn
        const isOver = () => turn.isClosed() || owner?.isGone === true
        const closed = () => new AuthError({ operation, reason: "closed" })
        // Its owner may have gone while the turn was waited for.
        if (isOver()) return yield* closed()
        const { identifier } = values
        const login: LoggedIn = {
          who: { identifier },
          again: { credentials, open: (values, to) => open(mode, values, to), asksForKey: mode.asksForKey }
        }
        const resumed = instead && (yield* instead(internals, turn, login, identifier, mode.isOf))
        if (resumed?.session !== undefined) {
          if (owner !== undefined) owner.login = login
          return resumed.session
        }
        const session = yield* open(mode, values, yield* configured).pipe(
          Effect.tapError((error) =>
            Effect.map(Clock.currentTimeMillis, (now) => internals.logins.failed(error, values, now))
          )
        )
        if (isOver()) return yield* Effect.zipRight(takeBack(session), closed())
        if (owner !== undefined) owner.login = login
        yield* born(internals, internals.main, session)
        if (resumed !== undefined) yield* resumed.adopt
        yield* settle(session, login)
        const { accountId, loggedInBy } = session
        yield* tell(internals, (at) => SessionEvent.LoggedIn({ at, accountId, loggedInBy }))
        return session
      })
    )
  })

/** Ends the session that descends from this owner's login, and no other. */
const endOwned = (internals: Internals, owner: Owner): Effect.Effect<void, never, Needs> =>
  Effect.suspend(() => {
    owner.isGone = true
    if (owner.login === undefined || internals.main.exchanges.login() !== owner.login) return Effect.void
    return Effect.all([endSiblings(internals), leave(internals, internals.main, owner.login)], {
      concurrency: "unbounded",
      discard: true
    })
  })

/** Ends its session when its scope closes, or when the layer does if that comes first. */
export const makeOwner: Effect.Effect<Owner, never, SessionState | Needs | Scope.Scope> = Effect.gen(function* () {
  const owner: Owner = { login: undefined, isGone: false }
  const internals = (yield* SessionState).internals()
  const end = Effect.provide(endOwned(internals, owner), handedOn(yield* Effect.context<Needs>()))
  internals.owned.add(end)
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      internals.owned.delete(end)
      return end
    })
  )
  return owner
})
