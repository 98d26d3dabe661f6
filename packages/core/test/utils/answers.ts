/** A gateway made by hand: it answers each request from a function, with whatever a real one would never send, too. */
import * as Credentials from "@effect-ig/core/Credentials"
import * as IgConfig from "@effect-ig/core/IgConfig"
import type { IgError } from "@effect-ig/core/IgError"
import type { Ig } from "@effect-ig/core/Session"
import * as Renewal from "@effect-ig/core/Renewal"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { inject } from "vitest"
import { remember } from "./secrets.ts"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** For what `Response` refuses to hold, such as status 101 or a line break in a header. */
  readonly odd?: boolean
}

/** `lost`: the connection breaks before an answer comes. */
export type Answer = Reply | "lost"

export type Gateway = (asked: Asked) => Answer | Effect.Effect<Answer>

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  body: JSON.stringify(body),
  headers
})

export const refused = (status: number, errorCode?: unknown): Reply => ({
  status,
  body: errorCode === undefined ? "" : JSON.stringify({ errorCode })
})

const encoder = new TextEncoder()
const decoder = new TextDecoder()

class OddResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly cookies: Cookies.Cookies = Cookies.empty
  readonly remoteAddress: Option.Option<string> = Option.none()
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly #body: Uint8Array | undefined

  constructor(request: HttpClientRequest.HttpClientRequest, { body, headers = {}, status = 200 }: Reply) {
    super()
    this.request = request
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.#body = typeof body === "string" ? encoder.encode(body) : body
  }

  #fail(reason: "EmptyBody" | "Decode") {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason })
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return this.#body === undefined ? Stream.fail(this.#fail("EmptyBody")) : Stream.succeed(this.#body)
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.sync(() => new Uint8Array(this.#body ?? []).buffer)
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.arrayBuffer, (buffer) => decoder.decode(buffer))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.tryMap(this.text, {
      try: (text): unknown => JSON.parse(text),
      catch: () => this.#fail("Decode")
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.fail(this.#fail("Decode"))
  }

  toJSON(): unknown {
    return { _id: "OddResponse", status: this.status }
  }
}

const toResponse = (request: HttpClientRequest.HttpClientRequest, reply: Reply) => {
  if (reply.odd === true) return new OddResponse(request, reply)
  const { body, headers = {}, status = 200 } = reply
  const isBodiless = status === 204 || status === 205 || status === 304
  const content = typeof body === "string" ? encoder.encode(body) : new Uint8Array(body ?? [])
  return HttpClientResponse.fromWeb(request, new Response(isBodiless ? null : content, { status, headers }))
}

const bodyOf = ({ body }: HttpClientRequest.HttpClientRequest): unknown =>
  body._tag === "Uint8Array" ? JSON.parse(decoder.decode(body.body)) : undefined

const clientOf = (gateway: Gateway, asked: Array<Asked>): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.gen(function* () {
      const { headers, method } = request
      const one = { method, path: `${url.pathname}${url.search}`, headers: { ...headers }, body: bodyOf(request) }
      asked.push(one)
      const given = gateway(one)
      const answer = Effect.isEffect(given) ? yield* given : given
      return answer === "lost"
        ? yield* new HttpClientError.RequestError({ request, reason: "Transport", cause: { code: "ECONNRESET" } })
        : toResponse(request, answer)
    })
  )

/** An operation's end, the session after it, and what the gateway was asked. */
export interface Tried<A> {
  readonly exit: Exit.Exit<A, IgError>
  readonly before: SessionState.Session
  readonly after: SessionState.Session
  readonly asked: ReadonlyArray<Asked>
}

export type Operation<A> = Effect.Effect<A, IgError, Ig | Credentials.Credentials>

/** What is the same in every run; without what is on in a real client, since it is what an answer means by itself. */
const { apiKey, password } = inject("planted")
const surroundings = Effect.runSync(
  Effect.scoped(
    Layer.build(
      Layer.mergeAll(
        IgConfig.layer({ apiKey: Redacted.make(apiKey) }),
        Credentials.layer({ identifier: "tester", password: Redacted.make(password) }),
        Renewal.off
      )
    )
  )
)

/** Runs it in this session against this gateway; the session is its own for each run. */
export const attempt = <A>(
  operation: Operation<A>,
  session: SessionState.Session,
  gateway: Gateway
): Effect.Effect<Tried<A>> =>
  Effect.suspend(() => {
    const asked: Array<Asked> = []
    const state = session._tag === "SignedOut" ? SessionState.layer : SessionState.layerTest(session)
    return Effect.gen(function* () {
      const before = yield* SessionState.get
      const exit = yield* Effect.exit(operation)
      return { exit, before, after: yield* SessionState.get, asked }
    }).pipe(
      Effect.provide(Layer.provideMerge(state, Layer.succeed(HttpClient.HttpClient, clientOf(gateway, asked)))),
      Effect.provide(surroundings)
    )
  })

const secret = (value: string) => {
  remember(value)
  return Redacted.make(value)
}

export const signedOut: SessionState.Session = new SessionState.SignedOut()

/** A session of Version 2, on account `ABC12`. */
export const tokenSession = new SessionState.TokenSession({
  accountId: "ABC12",
  clientId: "100000001",
  lightstreamerEndpoint: Option.none(),
  loggedInBy: "loginV2",
  cst: secret("cst-of-the-old-session"),
  securityToken: secret("xst-of-the-old-session")
})

/** A session of Version 3, on account `ABC12`, that has streaming tokens. */
export const oauthSession = new SessionState.OAuthSession({
  accountId: "ABC12",
  clientId: "100000001",
  lightstreamerEndpoint: Option.none(),
  loggedInBy: "login",
  accessToken: secret("bearer-of-the-old-session"),
  refreshToken: secret("refresh-of-the-old-session"),
  issuedAt: 0,
  expiresAt: 60_000,
  streamingTokens: Option.some(
    new SessionState.StreamingTokens({
      cst: secret("cst-beside-the-old-bearer"),
      securityToken: secret("xst-beside-the-old-bearer")
    })
  ),
  switchesByHeader: false
})
