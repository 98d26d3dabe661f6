/** The way of every call: in a session that lives, sent, renewed and sent once more if IG refused its tokens. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
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
import { ready, renew } from "./renewal.ts"
import { type Answer, decode, type Request, send, type SendError, spanOf } from "./send.ts"
import { sibling } from "./siblings.ts"
import type { Internals, Slot } from "./slot.ts"
import { countRefusal, countResend } from "./telemetry.ts"
import { carry, keyOf, signedIn } from "./tokens.ts"

/** IG has refused the tokens of this session, and has done nothing else. */
export class Refused extends Data.TaggedError("Refused")<{ readonly session: SignedIn; readonly error: ApiError }> {}

/** Where a call goes: which session, and which account under it. */
export interface Place {
  readonly internals: Internals
  readonly slot: Slot
  /** Under a bearer, another account than the session's. */
  readonly accountId: string | undefined
}

const place = (operation: string): Effect.Effect<Place, IgError, Ig> =>
  Effect.gen(function* () {
    const { internals } = yield* SessionState
    const accountId = yield* CurrentAccount
    const main: Place = { internals, slot: internals.main, accountId }
    if (accountId === undefined) return main
    if (!isAccountId(accountId)) {
      const detail = "Expected 1 to 30 letters, digits and hyphens, as GET /accounts lists them."
      return yield* new NotSentError({ operation, reason: "invalid-request", path: "accountId", detail })
    }
    const session = yield* signedIn(operation, internals.main.exchanges.current())
    return session._tag === "OAuthSession" || session.accountId === accountId
      ? main
      : { internals, slot: yield* sibling(internals, operation, accountId), accountId: undefined }
  })

export interface Live extends Place {
  readonly session: SignedIn
}

/** Under CST the tokens are an account's: one that was switched away meanwhile is not the account that was asked for. */
const isThere = ({ accountId, session }: Live): boolean =>
  accountId === undefined || session._tag === "OAuthSession" || session.accountId === accountId

/** A session to send in, renewed when it would not live through it. */
const live = (operation: string): Effect.Effect<Live, IgError, Ig> =>
  Effect.flatMap(place(operation), (found) =>
    Effect.flatMap(ready(found.internals, found.slot, operation), (session) => {
      const here: Live = { ...found, session }
      return isThere(here) ? Effect.succeed(here) : live(operation)
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

/** Renewed once; and sent again without that when its tokens are none of the session's any more. */
const once = <A>(
  endpoint: Description,
  attempt: (live: Live) => Effect.Effect<A, IgError | Refused, Ig>,
  budget: { readonly renewals: number; readonly moves: number } = { renewals: 1, moves }
): Effect.Effect<A, IgError, Ig> =>
  Effect.gen(function* () {
    const here = yield* live(endpoint.name)
    const outcome = yield* caught(attempt(here))
    if (Either.isRight(outcome)) return outcome.right
    const { error, session } = outcome.left
    yield* noticed(here.internals, endpoint.name, outcome.left)
    if (!(yield* Renewal).isOn) return yield* error
    const hasMoved = keyOf(here.slot.exchanges.current()) !== keyOf(session)
    if (hasMoved && budget.moves > 0) {
      yield* countResend("renewed")
      return yield* once(endpoint, attempt, { ...budget, moves: budget.moves - 1 })
    }
    if (budget.renewals === 0) {
      distrust(here.slot, session)
      return yield* error
    }
    yield* renew(here.internals, here.slot, session, "refused")
    yield* countResend("renewed")
    return yield* once(endpoint, attempt, { ...budget, renewals: budget.renewals - 1 })
  })

const caught = <A, R>(
  attempt: Effect.Effect<A, IgError | Refused, R>
): Effect.Effect<Either.Either<A, Refused>, IgError, R> =>
  attempt.pipe(
    Effect.map(Either.right),
    Effect.catchTag("Refused", (refused) => Effect.succeed(Either.left(refused)))
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

/** Sends in this session, and tells a refusal of its tokens from every other answer. */
export const sendIn = (
  { accountId, session, slot }: Live,
  endpoint: Description,
  request: Request
): Effect.Effect<Answer, SendError | Refused, Needs> => {
  const tokens = carry(session, accountId)
  return Effect.matchEffect(send(endpoint, { ...request, tokens }), {
    onSuccess: (answer) => {
      slot.proven = keyOf(session)
      return Effect.succeed(answer)
    },
    onFailure: (error): Effect.Effect<never, SendError | Refused> =>
      error._tag === "ApiError" && isRenewable(tokens.carried, error.errorCode)
        ? Effect.fail(new Refused({ session, error }))
        : Effect.fail(error)
  })
}

/** The execution of an endpoint in a session. */
const inSession = <A>(endpoint: Endpoint<never, A>, request: EncodedInput): Effect.Effect<A, IgError, Ig> =>
  retryReads(
    endpoint,
    once(endpoint, (live) => Effect.flatMap(sendIn(live, endpoint, request), (answer) => decode(endpoint, answer)))
  ).pipe(spanOf(`Ig.${endpoint.name}`, endpoint, "internal"))

/** The execution of one that needs the API key alone. */
export const bare = <A>(
  endpoint: Endpoint<never, A>,
  request: EncodedInput
): Effect.Effect<A, SendError | DecodeError, Needs> =>
  retryReads(
    endpoint,
    Effect.flatMap(send(endpoint, request), (answer) => decode(endpoint, answer))
  ).pipe(spanOf(`Ig.${endpoint.name}`, endpoint, "internal"))

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
    Effect.flatMap(SessionState, ({ internals }) =>
      internals.main.exchanges.run(endpoint.name, (turn) => work(turn, internals))
    )
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
  return Effect.zipRight(permitted(endpoint), retryReads(endpoint, once(endpoint, attempt))).pipe(
    spanOf(`Ig.${endpoint.name}`, endpoint, "internal")
  )
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
