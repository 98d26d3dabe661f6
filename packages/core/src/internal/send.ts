/** The one place from which requests leave. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { constTrue, identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Description, Endpoint } from "../Endpoint.ts"
import { IgConfig } from "../IgConfig.ts"
import { type ApiError, type DecodeError, type NotSentError, TransportError } from "../IgError.ts"
import { read } from "./body.ts"
import { json, toApiError, toDecodeError } from "./classify.ts"
import { within } from "./deadlines.ts"
import { concealed, secretNames } from "./headers.ts"
import { inSpan, optionsOf } from "./span.ts"
import { surroundings } from "./surroundings.ts"
import { Throttle } from "./throttle.ts"
import { type Departure, makeTicket, type Ticket, type Want } from "./throttleGovernor.ts"
import { withinBudget } from "./throttlePoints.ts"
import { fromHttpClientError } from "./transport.ts"
import { CurrentExchange, WaitLimit } from "./waiting.ts"

/** Which kind of tokens a request carries: what a refusal of them means depends on it. */
export type Carried = "nothing" | "bearer" | "cst"

export interface Request {
  /** Without holes; the endpoint's own path if that has none. */
  readonly path?: string | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly body?: unknown
  readonly tokens?: Tokens | undefined
}

export interface Tokens {
  readonly carried: Carried
  readonly headers: Readonly<Record<string, string>>
  /** The account that the request acts on, and whose allowances it spends. */
  readonly accountId: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly body: Uint8Array
  /** When the request left, in ms since the epoch: what expires counts from here. */
  readonly sentAt: number
}

type Needs = IgConfig | HttpClient.HttpClient

export type SendError = ApiError | TransportError | NotSentError

const encoder = new TextEncoder()

/** As bytes of no printable type, so that a user's client which logs requests shows a body's length only. */
const opaque = (body: unknown): HttpBody.HttpBody =>
  HttpBody.uint8Array(encoder.encode(JSON.stringify(body)), "application/octet-stream")

/** IG drops the body of a `DELETE`, so one goes out as a `POST` that says what it means. */
const isTunnelled = (endpoint: Description, request: Request): boolean =>
  endpoint.method === "DELETE" && request.body !== undefined

const toHttp = (config: IgConfig.Service, endpoint: Description, request: Request) =>
  Object.assign(
    HttpClientRequest.make(isTunnelled(endpoint, request) ? "POST" : endpoint.method)(
      `${config.baseUrl}${request.path ?? endpoint.path}`,
      {
        urlParams: request.query,
        ...(request.body === undefined ? undefined : { body: opaque(request.body) })
      }
    ),
    {
      headers: concealed({
        accept: "application/json; charset=UTF-8",
        "user-agent": config.userAgent,
        version: String(endpoint.version),
        "x-ig-api-key": Redacted.value(config.apiKey),
        ...(request.body === undefined ? undefined : { "content-type": "application/json; charset=UTF-8" }),
        ...(isTunnelled(endpoint, request) ? { _method: "DELETE" } : undefined),
        ...request.tokens?.headers
      })
    }
  )

/** A user's client with `filterStatusOk` fails where IG did answer; the answer is what counts. */
const isStatusError = (error: unknown): error is HttpClientError.ResponseError =>
  error instanceof Error && "reason" in error && error.reason === "StatusCode" && "response" in error

/**
 * No span of platform's, which holds the full URL and sends tracing headers to IG; and no redirect, which fetch would
 * follow. Set where the client prepares a request, so that it counts whatever the client is wrapped in. Only there is
 * the user's own `RequestInit` seen, to be kept, when it was given to the layer of fetch.
 */
const setQuiet: Effect.Effect<void> = Effect.updateFiberRefs((fiberId, refs) =>
  FiberRefs.updateManyAs(refs, {
    entries: [
      [HttpClient.currentTracerDisabledWhen, [[fiberId, constTrue]]],
      [FiberRef.currentContext, [[fiberId, staying(FiberRefs.getOrDefault(refs, FiberRef.currentContext))]]]
    ]
  })
)

/** Programs have few contexts, and call in the same one again and again. */
const stayings = new WeakMap<Context.Context<never>, Context.Context<never>>()

const staying = (context: Context.Context<never>): Context.Context<never> => {
  const known = stayings.get(context)
  if (known !== undefined) return known
  const init = Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit))
  const fresh = Context.add(context, FetchHttpClient.RequestInit, { ...init, redirect: "manual" })
  stayings.set(context, fresh)
  return fresh
}

/**
 * What happens each time that the request leaves. Platform prepares it anew for each, also under a retry of the user's:
 * what may have changed something at IG stops there the second time.
 */
const departing = ({ effect, name: operation }: Description, client: HttpClient.HttpClient, { leave }: Departure) => {
  let isSent = false
  return HttpClient.mapRequestEffect(client, (prepared) =>
    Effect.flatMap(setQuiet, (): Effect.Effect<HttpClientRequest.HttpClientRequest, TransportError | NotSentError> => {
      if (isSent && effect !== "read") {
        return Effect.fail(new TransportError({ operation, reason: "repeated", mayHaveExecuted: true }))
      }
      isSent = true
      return Effect.as(leave, prepared)
    })
  )
}

/** What a user's client prints of a request shows no token; and its tracing headers are none of IG's business. */
const discreet = (refs: FiberRefs.FiberRefs): FiberRefs.FiberRefs => {
  const names = FiberRefs.getOrDefault(refs, Headers.currentRedactedNames)
  return FiberRefs.updateManyAs(refs, {
    entries: [
      [Headers.currentRedactedNames, [[FiberId.none, [...names, ...secretNames]]]],
      [HttpClient.currentTracerPropagation, [[FiberId.none, false]]]
    ]
  })
}

/** Executes a request once, within its time. */
const exchanged = (
  operation: string,
  { requestTimeout }: IgConfig.Service,
  sent: Effect.Effect<
    HttpClientResponse.HttpClientResponse,
    HttpClientError.HttpClientError | TransportError | NotSentError
  >,
  sentAt: number
): Effect.Effect<Answer, TransportError | NotSentError> => {
  const failed = (error: HttpClientError.HttpClientError | TransportError | NotSentError) =>
    Effect.fail(
      error._tag === "TransportError" || error._tag === "NotSentError" ? error : fromHttpClientError(operation)(error)
    )
  const answered = (response: HttpClientResponse.HttpClientResponse) => {
    // Platform makes them anew each time that they are looked at.
    const { headers, status } = response
    return Effect.matchEffect(read(operation, response, headers), {
      onFailure: failed,
      onSuccess: (body) => Effect.succeed<Answer>({ status, headers, body, sentAt })
    })
  }
  return Effect.matchEffect(sent, {
    onFailure: (error) => (isStatusError(error) ? answered(error.response) : failed(error)),
    onSuccess: answered
  }).pipe(
    within({
      duration: requestTimeout,
      onTimeout: () => new TransportError({ operation, reason: "timeout", mayHaveExecuted: true }),
      settings: discreet
    })
  )
}

/** One request on the wire; what is not a 2xx of IG's is a typed failure. */
const attempt = (
  endpoint: Description,
  request: Request,
  departure: Departure
): Effect.Effect<Answer, SendError, Needs> =>
  inSpan("Ig.send", optionsOf("client", endpoint), (note) =>
    surroundings((context: Context.Context<Needs>, clock) => {
      const config = Context.get(context, IgConfig)
      const client = departing(endpoint, Context.get(context, HttpClient.HttpClient), departure)
      const sent = client.execute(toHttp(config, endpoint, request))
      return Effect.flatMap(
        exchanged(endpoint.name, config, sent, clock.unsafeCurrentTimeMillis()),
        (answer): Effect.Effect<Answer, ApiError> => {
          note("http.response.status_code", answer.status)
          if (departure.waited > 0) note("ig.waited_ms", departure.waited)
          return answer.status >= 200 && answer.status < 300
            ? Effect.succeed(answer)
            : Effect.fail(toApiError(endpoint, request.tokens?.carried ?? "nothing", answer))
        }
      )
    })
  )

/* ---- within the allowances ---------------------------------------------------- */

/** A request that may have to wait, and what it goes out with when its turn has come. */
export interface Passage<E> extends Pick<Want<E, Needs>, "accountId" | "ticket" | "isReady" | "prepare" | "sender"> {
  /** If it fails, nothing leaves and the place is free again. */
  readonly request: Effect.Effect<Request, E>
}

const atOnce: Departure = { leave: Effect.void, waited: 0 }

/** What happens around each time that the request leaves. */
type Each = (attempt: Effect.Effect<Answer, SendError, Needs>) => Effect.Effect<Answer, SendError, Needs>

/** Sends once there is an allowance for it, and once more if IG says that there was none. */
export const sendWhen = <E>(
  endpoint: Description,
  passage: Passage<E>,
  each: Each = identity
): Effect.Effect<Answer, SendError | E, Needs> =>
  surroundings((context: Context.Context<Needs>) => {
    const going = (departure: Departure) =>
      Effect.flatMap(passage.request, (request) => each(attempt(endpoint, request, departure)))
    const throttle = Context.get(context, Throttle)
    if (Option.isNone(throttle)) return going(atOnce)
    const { governor } = throttle.value
    const { allowance, name: operation } = endpoint
    const limit = Context.get(context, WaitLimit)
    const exchange = Context.get(context, CurrentExchange)
    const sender = passage.sender ?? exchange?.sender
    const { accountId, isReady, prepare, ticket } = passage
    // Not spread: that alone took 2.5 % of the CPU of a call.
    const want = { accountId, isReady, prepare, ticket, operation, allowance, limit, exchange, sender }
    if (allowance !== "history" || accountId === undefined) return governor.run(want, going)
    return withinBudget(governor.budget(accountId), operation, (within) =>
      governor.run(want, (departure) => within(going(departure)))
    )
  })

/** Sends one request that goes out as it is, and answers with IG's 2xx; anything else is a typed failure. */
export const send = (
  endpoint: Description,
  request: Request = {},
  each?: Each,
  ticket?: Ticket
): Effect.Effect<Answer, SendError, Needs> =>
  Effect.suspend(() =>
    sendWhen(
      endpoint,
      {
        accountId: request.tokens?.accountId,
        ticket: ticket ?? makeTicket(),
        isReady: constTrue,
        prepare: Effect.void,
        sender: undefined,
        request: Effect.succeed(request)
      },
      each
    )
  )

/** What an answer's body says, by the endpoint's schema. */
export const decode = <A>(endpoint: Endpoint<never, A>, answer: Answer): Effect.Effect<A, DecodeError> =>
  Effect.mapError(endpoint.decode(json(answer.body)), toDecodeError(endpoint.name))
