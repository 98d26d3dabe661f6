/** What is seen of one run of the client: where its requests leave, and what it says of itself. */
import type * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

export const nobody = -1

/** Which caller a request leaves from; exchanges of the session's own leave from none. */
export const callerIndex: FiberRef.FiberRef<number> = FiberRef.unsafeMake(nobody)

/** The account that the program asks for by `withAccount`; what the library makes of that is what is judged. */
export const askedFor: FiberRef.FiberRef<string | undefined> = FiberRef.unsafeMake<string | undefined>(undefined)

/** Marks the fibers that a layer starts, to see that none outlives it: by the watch of its run. */
export const startedUnder: FiberRef.FiberRef<Watch | undefined> = FiberRef.unsafeMake<Watch | undefined>(undefined)

export interface Sent {
  readonly kind: "refresh" | "login" | "call" | "other"
  /** Where it left from, and since when that caller was at it. */
  readonly caller: number
  readonly since: number
  readonly at: number
  /** When the answer came, or was given up; `undefined` as long as it is on its way. */
  endedAt: number | undefined
  /** What was answered; `undefined` when nothing was. */
  status: number | undefined
  readonly bearer: string | undefined
  readonly cst: string | undefined
  readonly securityToken: string | undefined
  /** What the `IG-ACCOUNT-ID` header says. */
  readonly account: string | undefined
  /** What the program asked for, where the request left from. */
  readonly wanted: string | undefined
  /** It asks IG to end its session. */
  readonly isLogout: boolean
}

/** What the watch saw, and what the program reports to it. */
export interface Watch {
  readonly sent: Array<Sent>
  /** How many refreshes and logins were under way at once. */
  mostRenewals: number
  renewals: number
  /** When each caller has begun what it does now. */
  readonly begun: Map<number, number>
  /** Requests that each caller has on the wire now. */
  readonly sending: Map<number, number>
  readonly concurrency: Array<number>
  /** Tokens with which IG has served a request. */
  readonly served: Set<string>
  /** The last refresh: a crash may come between IG's answer and the store. */
  refresh: Sent | undefined
  active: number
  lateRefusals: number
  /** Has a request had to wait for an allowance? */
  hasQueued: boolean
  /** When something was last sent or has come to its end, and how long nothing was while somebody waited. */
  movedAt: number
  longestSilence: number
  /** The run has crashed: nothing of it gets to IG or into the store any more. */
  isCut: boolean
  /**
   * It leaves its session to the store, and waits for a login of another account's for a while only, which goes on, and
   * is logged out; meanwhile a caller may log in.
   */
  isLeaving: boolean
}

export const makeWatch = (now: number): Watch => ({
  sent: [],
  mostRenewals: 0,
  renewals: 0,
  begun: new Map(),
  sending: new Map(),
  concurrency: [],
  served: new Set(),
  refresh: undefined,
  active: 0,
  lateRefusals: 0,
  hasQueued: false,
  movedAt: now,
  longestSilence: 0,
  isCut: false,
  isLeaving: false
})

/** Something moves; how long nothing did counts when somebody was waiting. */
export const moved = (watch: Watch, now: number): void => {
  if (watch.active > 0) watch.longestSilence = Math.max(watch.longestSilence, now - watch.movedAt)
  watch.movedAt = now
}

const kindOf = ({ method, url }: HttpClientRequest.HttpClientRequest): Sent["kind"] => {
  if (url.endsWith("/session/refresh-token")) return "refresh"
  if (method === "POST" && url.endsWith("/session")) return "login"
  return url.endsWith("/positions") || url.endsWith("/positions/otc") ? "call" : "other"
}

/** Does a request carry the tokens of this session, and no others? */
export const carries = (session: SessionState.Session, { bearer, cst, securityToken }: Sent): boolean => {
  switch (session._tag) {
    case "SignedOut":
      return false
    case "OAuthSession":
      return bearer === `Bearer ${Redacted.value(session.accessToken)}` && cst === undefined
    case "TokenSession":
      return cst === Redacted.value(session.cst) && securityToken === Redacted.value(session.securityToken)
  }
}

/** Of other accounts' sessions under CST nobody sees what they are now. */
const isOfTheSession = ({ bearer, kind, wanted }: Sent): boolean =>
  kind === "call" && (bearer !== undefined || wanted === undefined)

/** Where the throttle is on. */
const isQueued = (context: Context.Context<never>): Effect.Effect<boolean> =>
  Option.match(Context.get(context, Throttle.Throttle), {
    onNone: () => Effect.succeed(false),
    onSome: ({ status }) => Effect.map(status, ({ waiting }) => waiting > 0)
  })

const served = (watch: Watch, { cst, bearer, securityToken }: Sent): void => {
  for (const token of [bearer?.replace("Bearer ", ""), cst, securityToken]) {
    if (token !== undefined) watch.served.add(token)
  }
}

/** A client that is seen, and that a crash cuts off. */
export const watched =
  (watch: Watch, current: Effect.Effect<SessionState.Session>) =>
  (client: HttpClient.HttpClient): HttpClient.HttpClient =>
    HttpClient.transform(client, (effect, request) =>
      Effect.withFiberRuntime((fiber) => {
        if (watch.isCut) return Effect.never
        const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
        const index = fiber.getFiberRef(callerIndex)
        const { authorization: bearer, "x-security-token": securityToken, cst } = request.headers
        const now = clock.unsafeCurrentTimeMillis()
        const sent: Sent = {
          kind: kindOf(request),
          caller: index,
          since: watch.begun.get(index) ?? now,
          at: now,
          endedAt: undefined,
          status: undefined,
          bearer,
          cst,
          securityToken,
          account: request.headers["ig-account-id"],
          wanted: fiber.getFiberRef(askedFor),
          isLogout: request.method === "DELETE"
        }
        const isRenewal = sent.kind === "refresh" || sent.kind === "login"
        watch.sent.push(sent)
        watch.concurrency.push(watch.active)
        watch.sending.set(index, (watch.sending.get(index) ?? 0) + 1)
        const ended = Effect.sync(() => {
          const now = clock.unsafeCurrentTimeMillis()
          moved(watch, now)
          sent.endedAt = now
          watch.sending.set(index, (watch.sending.get(index) ?? 0) - 1)
          if (isRenewal) watch.renewals -= 1
        })
        const answered = Effect.flatMap(Effect.ensuring(effect, ended), (response) => {
          if (watch.isCut) return Effect.never
          sent.status = response.status
          if (response.status < 300) served(watch, sent)
          return response.status === 401 && isOfTheSession(sent)
            ? Effect.map(current, (session) => {
                if (!carries(session, sent)) watch.lateRefusals += 1
                return response
              })
            : Effect.succeed(response)
        })
        return Effect.flatMap(isQueued(fiber.currentContext), (isQueued) => {
          watch.hasQueued ||= isQueued
          moved(watch, clock.unsafeCurrentTimeMillis())
          if (sent.kind === "refresh") watch.refresh = sent
          if (isRenewal) {
            watch.renewals += 1
            if (!watch.isLeaving) watch.mostRenewals = Math.max(watch.mostRenewals, watch.renewals)
          }
          return answered
        })
      })
    )
