/** What is seen of one run of the client: where its requests leave, and what it says of itself. */
import { CurrentAccount } from "@effect-ig/core/CurrentAccount"
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

/** Which caller a request leaves from; exchanges of the session's own leave from none. */
export const callerIndex: FiberRef.FiberRef<number> = FiberRef.unsafeMake(-1)

/** Marks the fibers that a layer starts, to see that none outlives it: by the watch of its run. */
export const startedUnder: FiberRef.FiberRef<Watch | undefined> = FiberRef.unsafeMake<Watch | undefined>(undefined)

export interface Sent {
  readonly kind: "refresh" | "login" | "other"
  readonly bearer: string | undefined
  readonly cst: string | undefined
  readonly securityToken: string | undefined
  /** What the `IG-ACCOUNT-ID` header says. */
  readonly account: string | undefined
  /** What `withAccount` asked for, where the request left from. */
  readonly wanted: string | undefined
  /** It asks IG to end its session. */
  readonly isLogout: boolean
}

/** The last refresh of a run; a crash may come between IG's answer and the store. */
export interface Refresh {
  /** When the answer came, or was given up; `undefined` as long as it is on its way. */
  endedAt: number | undefined
}

/** What the watch saw, and what the program reports to it. */
export interface Watch {
  readonly sent: Array<Sent>
  /** Of each kind, how many were under way at once. */
  readonly most: { refresh: number; login: number }
  readonly underWay: { refresh: number; login: number }
  /** Requests that each caller has on the wire now. */
  readonly sending: Map<number, number>
  readonly concurrency: Array<number>
  /** Tokens with which IG has served a request. */
  readonly served: Set<string>
  refresh: Refresh | undefined
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
  most: { refresh: 0, login: 0 },
  underWay: { refresh: 0, login: 0 },
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
  return method === "POST" && url.endsWith("/session") ? "login" : "other"
}

const bearerOf = (session: SessionState.Session): string | undefined =>
  session._tag === "OAuthSession" ? `Bearer ${Redacted.value(session.accessToken)}` : undefined

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
        const sent: Sent = {
          kind: kindOf(request),
          bearer,
          cst,
          securityToken,
          account: request.headers["ig-account-id"],
          wanted: Context.get(fiber.currentContext, CurrentAccount),
          isLogout: request.method === "DELETE"
        }
        const { kind } = sent
        watch.sent.push(sent)
        watch.concurrency.push(watch.active)
        watch.sending.set(index, (watch.sending.get(index) ?? 0) + 1)
        const refresh: Refresh = { endedAt: undefined }
        const ended = Effect.sync(() => {
          const now = clock.unsafeCurrentTimeMillis()
          moved(watch, now)
          refresh.endedAt = now
          watch.sending.set(index, (watch.sending.get(index) ?? 0) - 1)
          if (kind !== "other") watch.underWay[kind] -= 1
        })
        const answered = Effect.flatMap(Effect.ensuring(effect, ended), (response) => {
          if (watch.isCut) return Effect.never
          if (response.status < 300) served(watch, sent)
          return response.status === 401 && bearer !== undefined
            ? Effect.map(current, (session) => {
                if (bearer !== bearerOf(session)) watch.lateRefusals += 1
                return response
              })
            : Effect.succeed(response)
        })
        return Effect.flatMap(isQueued(fiber.currentContext), (isQueued) => {
          watch.hasQueued ||= isQueued
          moved(watch, clock.unsafeCurrentTimeMillis())
          if (kind === "refresh") watch.refresh = refresh
          if (kind !== "other") {
            watch.underWay[kind] += 1
            if (!watch.isLeaving) watch.most[kind] = Math.max(watch.most[kind], watch.underWay[kind])
          }
          return answered
        })
      })
    )
