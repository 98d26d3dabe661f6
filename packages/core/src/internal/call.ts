/** The way of every call: in a session that lives, sent, renewed and sent once more if IG refused its tokens. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { CurrentAccount } from "../CurrentAccount.ts"
import type { Description, EncodedInput, Endpoint } from "../Endpoint.ts"
import { type ApiError, type AuthError, type DecodeError, type IgError, NotSentError } from "../IgError.ts"
import { ReadRetry } from "../ReadRetry.ts"
import { Renewal } from "../Renewal.ts"
import type { Ig } from "../Session.ts"
import { SessionEvent } from "../SessionEvent.ts"
import { SessionState, type SignedIn } from "../SessionState.ts"
import { isRenewable } from "./codes.ts"
import { tell } from "./events.ts"
import type { Needs, Turn } from "./exchanges.ts"
import { isAccountId } from "./identifiers.ts"
import { circumstances, isAlive, isReady, ready, renew } from "./renewal.ts"
import { type Answer, decode, type Passage, type Request, send, type SendError, sendWhen } from "./send.ts"
import { sibling } from "./siblings.ts"
import type { Internals, Slot } from "./slot.ts"
import { inOperation } from "./span.ts"
import { surroundings } from "./surroundings.ts"
import { countRefusal, countResend } from "./telemetry.ts"
import { makeTicket, type Ticket } from "./throttleGovernor.ts"
import { carry, isOver, keyOf, notSignedIn, signedIn } from "./tokens.ts"

/** IG has refused the tokens of this session, and has done nothing else. */
export class Refused extends Data.TaggedClass("Refused")<{ readonly session: SignedIn; readonly error: ApiError }> {}

/** While it waited for an allowance the session has come to be on another account, whose allowance is another. */
export class Moved extends Data.TaggedClass("Moved") {}

/** Where a call goes: which session, and which account under it. */
export interface Place {
  readonly internals: Internals
  readonly slot: Slot
  /** Under a bearer, another account than the session's. */
  readonly accountId: string | undefined
}

const place = (operation: string): Effect.Effect<Place, IgError, Ig> =>
  surroundings((context: Context.Context<Ig>): Effect.Effect<Place, IgError, Ig> => {
    const internals = Context.get(context, SessionState).internals()
    const accountId = Context.get(context, CurrentAccount)
    const main: Place = { internals, slot: internals.main, accountId }
    if (accountId === undefined) return Effect.succeed(main)
    if (!isAccountId(accountId)) {
      const detail = "Expected 1 to 30 letters, digits and hyphens, as GET /accounts lists them."
      return new NotSentError({ operation, reason: "invalid-request", path: "accountId", detail })
    }
    return Effect.flatMap(signedIn(operation, internals.main.exchanges.current()), (session) =>
      session._tag === "OAuthSession" || session.accountId === accountId
        ? Effect.succeed(main)
        : Effect.map(sibling(internals, operation, accountId), (slot) => ({ internals, slot, accountId: undefined }))
    )
  })

export interface Live extends Place {
  readonly session: SignedIn
  readonly ticket: Ticket
}

/** Under CST the tokens are an account's: one that was switched away meanwhile is not the account that was asked for. */
const isThere = ({ accountId }: Place, session: SignedIn): boolean =>
  accountId === undefined || session._tag === "OAuthSession" || session.accountId === accountId

/** Of another account, under a login that is not the session's any more: the account has, or gets, another one. */
const isOld = ({ internals, slot }: Place): boolean => slot !== internals.main && slot.login() === undefined

/** A session to send in, renewed when it would not live through it. */
const live = (endpoint: Description, ticket: Ticket): Effect.Effect<Live, IgError, Ig> =>
  Effect.flatMap(place(endpoint.name), (found) =>
    Effect.matchEffect(ready(found.internals, found.slot, endpoint), {
      onSuccess: (session) =>
        isThere(found, session)
          ? Effect.succeed({
              internals: found.internals,
              slot: found.slot,
              accountId: found.accountId,
              session,
              ticket
            })
          : live(endpoint, ticket),
      onFailure: (error) => (isOver(error) && isOld(found) ? live(endpoint, ticket) : Effect.fail(error))
    })
  )

const noticed = (internals: Internals, operation: string, { error, session }: Refused): Effect.Effect<void> =>
  Effect.zipRight(
    countRefusal(error.errorCode),
    tell(internals, (at) =>
      SessionEvent.Refused({ at, accountId: session.accountId, operation, errorCode: error.errorCode })
    )
  )

/** Refused right after a renewal: by the next call the session is logged in again. */
const distrust = (slot: Slot, session: SignedIn): void => {
  const key = keyOf(session)
  slot.dead = key
  if (slot.proven !== key) slot.distrusted = key
}

/** How often a call is sent again because the session has become another one while it was under way. */
const moves = 2

/** How often a call is still sent again, if need be. */
interface Budget {
  readonly renewals: number
  readonly moves: number
}

/** Renewed once; and sent again without that when its tokens are none of the session's any more. */
const once = <A>(
  endpoint: Description,
  ticket: Ticket,
  attempt: (live: Live) => Effect.Effect<A, IgError | Refused | Moved, Ig>,
  budget: Budget = { renewals: 1, moves }
): Effect.Effect<A, IgError, Ig> => {
  const again = (left: Budget) => once(endpoint, ticket, attempt, left)
  return Effect.flatMap(live(endpoint, ticket), (here) =>
    Effect.catchTags(attempt(here), {
      Moved: () => again(budget),
      Refused: (refused) => afterRefusal(endpoint, here, refused, budget, again)
    })
  )
}

/** Of what was refused nothing is kept here: many may wait for one renewal. */
const renewedFirst = <A>(
  internals: Internals,
  slot: Slot,
  from: SignedIn,
  again: (left: Budget) => Effect.Effect<A, IgError, Ig>,
  left: Budget
): Effect.Effect<A, IgError, Ig> =>
  Effect.flatMap(renew(internals, slot, from, "refused"), () => Effect.zipRight(countResend("renewed"), again(left)))

const afterRefusal = <A>(
  endpoint: Description,
  { internals, slot }: Live,
  refused: Refused,
  budget: Budget,
  again: (left: Budget) => Effect.Effect<A, IgError, Ig>
): Effect.Effect<A, IgError, Ig> =>
  Effect.zipRight(
    noticed(internals, endpoint.name, refused),
    Effect.flatMap(Renewal, ({ isOn }): Effect.Effect<A, IgError, Ig> => {
      const { error, session } = refused
      if (!isOn) return Effect.fail(error)
      const hasMoved = keyOf(slot.exchanges.current()) !== keyOf(session)
      if (hasMoved && budget.moves > 0) {
        return Effect.zipRight(countResend("renewed"), again({ ...budget, moves: budget.moves - 1 }))
      }
      if (budget.renewals === 0) {
        distrust(slot, session)
        return Effect.fail(error)
      }
      return renewedFirst(internals, slot, session, again, { ...budget, renewals: budget.renewals - 1 })
    })
  )

const isPassing = (error: IgError): boolean => {
  switch (error._tag) {
    case "ApiError":
      return error.action === "retry"
    case "TransportError":
      return ["unreachable", "dns", "connection-lost", "timeout", "body-cut"].includes(error.reason)
    case "AuthError":
    case "NotSentError":
    case "DecodeError":
      return false
  }
}

/** As it has failed once already; then as it is. */
const failedOnce = <A, E, R>(self: Effect.Effect<A, E, R>, error: E): Effect.Effect<A, E, R> => {
  let attempts = 0
  return Effect.suspend(() => (attempts++ === 0 ? Effect.fail(error) : self))
}

/**
 * A renewal that failed has tried enough: only what came of the read itself is tried again. Most reads succeed at once,
 * and are spared what a schedule costs.
 */
export const retryReads = <A, E extends IgError, R>(
  endpoint: Description,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  if (endpoint.effect === "mutation") return self
  const isOwn = (error: E) => error.operation === endpoint.name && isPassing(error)
  return Effect.catchIf(self, isOwn, (error) =>
    Effect.flatMap(
      ReadRetry,
      Option.match({
        onNone: () => Effect.fail(error),
        onSome: (policy) =>
          Effect.retry(failedOnce(self, error), {
            schedule: Schedule.tapOutput(policy, () => countResend("retried")),
            while: isOwn
          })
      })
    )
  )
}

/** Tells a refusal of the tokens that a request has carried from every other answer. */
const telling = <E extends IgError | Moved>(
  { slot }: Live,
  carried: () => SignedIn,
  sent: Effect.Effect<Answer, E, Needs>
): Effect.Effect<Answer, E | Refused, Needs> =>
  Effect.matchEffect(sent, {
    onSuccess: (answer) => {
      slot.proven = keyOf(carried())
      return Effect.succeed(answer)
    },
    onFailure: (error): Effect.Effect<never, E | Refused> => {
      const session = carried()
      return error._tag === "ApiError" && isRenewable(carry(session).carried, error.errorCode)
        ? Effect.fail(new Refused({ session, error }))
        : Effect.fail(error)
    }
  })

/** Sends in this session, within an exchange, during which it stays what it is. */
export const sendIn = (
  live: Live,
  endpoint: Description,
  request: Request
): Effect.Effect<Answer, SendError | Refused, Needs> =>
  telling(
    live,
    () => live.session,
    send(endpoint, { ...request, tokens: carry(live.session, live.accountId) }, undefined, live.ticket)
  )

/** Sends in the session as it is when the request leaves; it may have been renewed while the request had to wait. */
const sendInCurrent = (
  live: Live,
  endpoint: Description,
  request: Request
): Effect.Effect<Answer, IgError | Refused | Moved, Needs> =>
  surroundings((context: Context.Context<Needs>, clock) => {
    const { accountId, internals, slot, ticket } = live
    const known = circumstances(context)
    const accountOf = (session: SignedIn) => accountId ?? session.accountId
    const account = accountOf(live.session)
    let carried = live.session
    const isFit = () => isReady(endpoint, slot, known, clock.unsafeCurrentTimeMillis())
    // It was to be renewed just now, in vain: to try that once more, before it leaves, would take as long again.
    const goesAsItIs = !isFit()
    const attach = Effect.suspend((): Effect.Effect<Request, AuthError | Moved> => {
      const session = slot.exchanges.current()
      if (session._tag === "SignedOut") return isOld(live) ? Effect.fail(new Moved()) : notSignedIn(endpoint.name)
      if (accountOf(session) !== account || !isThere(live, session)) return Effect.fail(new Moved())
      carried = session
      return Effect.succeed({ ...request, tokens: carry(session, accountId) })
    })
    const passage: Passage<IgError | Moved> = {
      accountId: account,
      ticket,
      isReady: () => isFit() || (goesAsItIs && isAlive(slot, live.session, clock.unsafeCurrentTimeMillis())),
      prepare: ready(internals, slot, endpoint),
      sender: slot.exchanges.sender,
      request: attach
    }
    return telling(live, () => carried, sendWhen(endpoint, passage))
  })

/** Its place in the order of calls, which it keeps whatever becomes of it. */
const ordered = <A, E, R>(self: (ticket: Ticket) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => self(makeTicket()))

/** The execution of an endpoint in a session. */
const inSession = <A>(endpoint: Endpoint<never, A>, request: EncodedInput): Effect.Effect<A, IgError, Ig> =>
  ordered((ticket) =>
    retryReads(
      endpoint,
      once(endpoint, ticket, (live) =>
        Effect.flatMap(sendInCurrent(live, endpoint, request), (answer) => decode(endpoint, answer))
      )
    )
  ).pipe(inOperation(endpoint))

/** The execution of one that needs the API key alone. */
export const bare = <A>(
  endpoint: Endpoint<never, A>,
  request: EncodedInput
): Effect.Effect<A, SendError | DecodeError, Needs> =>
  ordered((ticket) =>
    retryReads(
      endpoint,
      Effect.flatMap(send(endpoint, request, undefined, ticket), (answer) => decode(endpoint, answer))
    )
  ).pipe(inOperation(endpoint))

export const call = <A>(endpoint: Endpoint<never, A>, request: EncodedInput): Effect.Effect<A, IgError, Ig> =>
  endpoint.session ? inSession(endpoint, request) : bare(endpoint, request)

const permitted = (endpoint: Description): Effect.Effect<void, NotSentError> =>
  Effect.flatMap(CurrentAccount, (accountId) =>
    accountId === undefined
      ? Effect.void
      : new NotSentError({
          operation: endpoint.name,
          reason: "not-permitted",
          detail: "withAccount is for calls; what changes the session is done outside of it."
        })
  )

/** An exchange that changes the session: in a turn of its own, and on no account but the session's. */
export const exchange = <A, E>(
  endpoint: Description,
  work: (turn: Turn, internals: Internals) => Effect.Effect<A, E, Needs>
): Effect.Effect<A, E | AuthError | NotSentError, Ig> =>
  Effect.zipRight(
    permitted(endpoint),
    Effect.flatMap(SessionState, (state) => {
      const internals = state.internals()
      return internals.main.exchanges.run(endpoint.name, (turn) => work(turn, internals))
    })
  )

/** One that IG takes in a live session only: renewed and sent again like every call. */
export const exchangeIn = <A>(
  endpoint: Description,
  work: (live: Live, turn: Turn) => Effect.Effect<A, IgError | Refused, Needs>
): Effect.Effect<A, IgError, Ig> => {
  const attempt = (live: Live) =>
    exchange(endpoint, (turn) =>
      Effect.flatMap(signedIn(endpoint.name, turn.current), (session) => work({ ...live, session }, turn))
    )
  const ticketed = ordered((ticket) => retryReads(endpoint, once(endpoint, ticket, attempt)))
  return Effect.zipRight(permitted(endpoint), ticketed).pipe(inOperation(endpoint))
}

/** What a switch was refused for, if that is the tokens: under a bearer IG refuses every `PUT /session` so. */
export const refusedSwitch =
  (session: SignedIn) =>
  <E extends IgError>(error: E): E | Refused =>
    error._tag === "ApiError" &&
    isRenewable(carry(session).carried, error.errorCode) &&
    (session._tag === "TokenSession" || error.errorCode === "error.security.oauth-token-invalid")
      ? new Refused({ session, error })
      : error
