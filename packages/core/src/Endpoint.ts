/**
 * A call to IG as data, and its execution: logged in, renewed and classified like the calls of this library itself. For
 * paths that this library does not have.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import type { IgError, NotSentError } from "./IgError.ts"
import * as Call from "./internal/call.ts"
import * as internal from "./internal/endpoint.ts"
import type { Ig } from "./Session.ts"

/**
 * Which of IG's allowances a call spends: `trading` for what creates, amends or closes positions and working orders,
 * `history` for price history, which costs points of the week besides a request, `non-trading` for everything else,
 * confirms included.
 *
 * @since 0.1.0
 * @category models
 */
export type Allowance = "non-trading" | "trading" | "history"

/**
 * What is known of a call without making it: enough for a table of endpoints.
 *
 * @since 0.1.0
 * @category models
 */
export interface Description {
  /** `markets.get`: the operation in errors, and behind `Ig.` the name of the span. */
  readonly name: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Below the gateway's address, with holes: `/markets/{epic}`. */
  readonly path: string
  /** Of the `Version` header. */
  readonly version: number
  /** A `mutation` is sent again only after IG has refused it, for its tokens or an allowance; a `read` may be repeated. */
  readonly effect: "read" | "mutation"
  readonly allowance: Allowance
  /** Is it sent in a session, or with the API key alone? */
  readonly session: boolean
}

/**
 * What goes onto the wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface EncodedInput {
  /** Without holes. */
  readonly path: string
  readonly query: Readonly<Record<string, string>> | undefined
  readonly body: unknown
}

/**
 * A call to IG that can be made: its description, and how its input and its answer are coded. Made by `make`, run by
 * `call`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint<in Input, out Answer> extends Description {
  /** Fails with `NotSentError` `invalid-request`, and says where. */
  readonly encode: (input: Input | undefined) => Effect.Effect<EncodedInput, NotSentError>
  /** Of the answer's JSON; `undefined` where it has none. */
  readonly decode: (value: unknown) => Effect.Effect<Answer, ParseResult.ParseError>
}

type Holes<Path extends string> = Path extends `${string}{${infer Hole}}${infer Rest}` ? Hole | Holes<Rest> : never

type Part<Name extends string, Value> = [Value] extends [never]
  ? unknown
  : Record<never, never> extends Value
    ? { readonly [_ in Name]?: Value }
    : { readonly [_ in Name]: Value }

/**
 * What a call takes: what fills the holes of its path, its query and its body, where it has them.
 *
 * @since 0.1.0
 * @category models
 */
export type Input<Path extends string, Query, Body> = Part<
  "path",
  [Holes<Path>] extends [never] ? never : { readonly [Hole in Holes<Path>]: string | number }
> &
  Part<"query", Query> &
  Part<"body", Body>

/**
 * A query once it is encoded; what is `undefined` is left out.
 *
 * @since 0.1.0
 * @category models
 */
export type Pairs = { readonly [name: string]: string | number | boolean | undefined }

/**
 * What `make` takes: the call, and the schemas of its query, its body and its answer.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Path extends string, Query, QueryPairs extends Pairs, Body, BodyJson, Answer, AnswerJson> {
  readonly name: string
  readonly method: Description["method"]
  readonly path: Path
  readonly version: number
  /** A `GET` reads and the others do not, unless this says otherwise. */
  readonly effect?: Description["effect"] | undefined
  /** `non-trading` */
  readonly allowance?: Allowance | undefined
  /** `true` */
  readonly session?: boolean | undefined
  readonly query?: Schema.Schema<Query, QueryPairs> | undefined
  readonly body?: Schema.Schema<Body, BodyJson> | undefined
  /** `Schema.Unknown` where the answer has no body, or none that matters. */
  readonly answer: Schema.Schema<Answer, AnswerJson>
}

/**
 * Describes a call.
 *
 * @example
 * import * as Endpoint from "@effect-ig/core/Endpoint"
 * import * as Schema from "effect/Schema"
 *
 * const Market = Schema.Struct({ snapshot: Schema.Struct({ bid: Schema.Number, offer: Schema.Number }) })
 * const market = Endpoint.make({ name: "markets.get", method: "GET", path: "/markets/{epic}", version: 3, answer: Market })
 *
 * export const euro = Endpoint.call(market, { path: { epic: "CS.D.EURUSD.CFD.IP" } })
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <
  const Path extends string,
  Answer,
  AnswerJson,
  Query = never,
  QueryPairs extends Pairs = Pairs,
  Body = never,
  BodyJson = unknown
>(
  options: Options<Path, Query, QueryPairs, Body, BodyJson, Answer, AnswerJson>
) => Endpoint<Input<Path, Query, Body>, Answer> = internal.make

/**
 * Makes the call: in the session, which is renewed when that is needed; as a read, with `ReadRetry` where it is on.
 *
 * @since 0.1.0
 * @category running
 */
export function call<Answer>(endpoint: Endpoint<Record<never, never>, Answer>): Effect.Effect<Answer, IgError, Ig>
export function call<Input, Answer>(endpoint: Endpoint<Input, Answer>, input: Input): Effect.Effect<Answer, IgError, Ig>
export function call<Input, Answer>(
  endpoint: Endpoint<Input, Answer>,
  input?: Input
): Effect.Effect<Answer, IgError, Ig> {
  return Effect.flatMap(endpoint.encode(input), (request) => Call.call(endpoint, request))
}
