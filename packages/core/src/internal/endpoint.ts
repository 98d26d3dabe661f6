/** A call as data: what goes onto the wire of it, and what its answer is. */
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Endpoint, Input, Options, Pairs } from "../Endpoint.ts"
import { NotSentError } from "../IgError.ts"
import { pathsOf } from "./classify.ts"

const refuse = (operation: string, path: string, detail: string) =>
  new NotSentError({ operation, reason: "invalid-request", path, detail })

/** Never what stood there: it may be anything. */
const toNotSent = (operation: string, part: string) => (error: ParseResult.ParseError) => {
  const paths = pathsOf(error.issue).map((path) => (path === "body" ? part : `${part}.${path}`))
  return refuse(operation, paths.join(", "), "Not what the schema of this endpoint takes.")
}

const get = (input: unknown, name: string): unknown => (Predicate.hasProperty(input, name) ? input[name] : undefined)

const hole = /\{([^{}]+)\}/

/** A dot segment would be taken out of the URL, and the call would be another; half a surrogate pair has no URL. */
const segment = (value: unknown): string | undefined => {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : ""
  return text === "" || text === "." || text === ".." || loneSurrogate.test(text) ? undefined : encodeURIComponent(text)
}

/** What compiles it for older engines compiles it once. */
const loneSurrogate = /\p{Surrogate}/u

/** Fills the holes of a path. */
const filling = (operation: string, template: string): ((values: unknown) => Effect.Effect<string, NotSentError>) => {
  // What stands between the holes, and their names, in turn.
  const parts = template.split(hole)
  return (values) => {
    let path = ""
    for (const [index, part] of parts.entries()) {
      const filled = index % 2 === 0 ? part : segment(get(values, part))
      if (filled === undefined) {
        const detail = "Expected whole characters, and neither nothing nor a dot segment."
        return Effect.fail(refuse(operation, `path.${part}`, detail))
      }
      path += filled
    }
    return Effect.succeed(path)
  }
}

const present = (pairs: Pairs): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(pairs).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]))
  )

export const make = <
  const Path extends string,
  Answer,
  AnswerJson,
  Query = never,
  QueryPairs extends Pairs = Pairs,
  Body = never,
  BodyJson = unknown
>(
  options: Options<Path, Query, QueryPairs, Body, BodyJson, Answer, AnswerJson>
): Endpoint<Input<Path, Query, Body>, Answer> => {
  const { answer, body, method, name, path, query, version } = options
  const fill = filling(name, path)
  const encoding = <A, I>(part: "query" | "body", schema: Schema.Schema<A, I> | undefined) => {
    const encode = schema && Schema.encodeUnknown(schema, { errors: "all" })
    return (input: unknown): Effect.Effect<I | undefined, NotSentError> =>
      encode === undefined
        ? Effect.succeed(undefined)
        : Effect.mapError(encode(get(input, part) ?? {}), toNotSent(name, part))
  }
  const queryOf = encoding("query", query)
  const bodyOf = encoding("body", body)
  return {
    name,
    method,
    path,
    version,
    effect: options.effect ?? (method === "GET" ? "read" : "mutation"),
    allowance: options.allowance ?? "non-trading",
    session: options.session ?? true,
    encode: (input: unknown) => {
      const filled = fill(get(input, "path"))
      if (query === undefined && body === undefined) {
        return Effect.map(filled, (path) => ({ path, query: undefined, body: undefined }))
      }
      return Effect.flatMap(filled, (path) =>
        Effect.flatMap(queryOf(input), (pairs) =>
          Effect.map(bodyOf(input), (body) => ({ path, query: pairs && present(pairs), body }))
        )
      )
    },
    decode: Schema.decodeUnknown(answer, { errors: "all" })
  }
}
