/** Spans of operations and of single requests: where they went, and no id of anybody's. */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Tracer from "effect/Tracer"
import type { Description } from "../Endpoint.ts"

/** Adds to the span, where there is one. */
export type Note = (name: string, value: string | number) => void

const deaf = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * In a span, where somebody has a tracer: the one that is there by default shows its spans to nobody, and two of them
 * cost a call as much as its way through the session.
 */
export const inSpan = <A, E, R>(
  name: string,
  options: Tracer.SpanOptions,
  self: (note: Note) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.tracerWith((tracer) =>
    tracer === deaf
      ? self(constVoid)
      : Effect.useSpan(name, { ...options, captureStackTrace: false }, (span) =>
          Effect.withParentSpan(
            self((name, value) => span.attribute(name, value)),
            span
          )
        )
  )

export const optionsOf = (kind: "internal" | "client", { method, path, version }: Description): Tracer.SpanOptions => ({
  kind,
  attributes: { "http.request.method": method, "url.template": path, "ig.version": version }
})

/** The span of an operation, with all its requests. */
export const inOperation =
  (endpoint: Description) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    inSpan(`Ig.${endpoint.name}`, optionsOf("internal", endpoint), () => self)
