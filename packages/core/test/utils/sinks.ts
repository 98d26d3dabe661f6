/** Everywhere that a secret could come out, made readable. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

export const inspected = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null })

/** Each way in which people print a value. */
export const printings = (value: unknown): ReadonlyArray<string> => [
  String(value),
  JSON.stringify(value) ?? "",
  inspected(value),
  value instanceof Error ? `${value.stack}` : "",
  Cause.pretty(Cause.fail(value), { renderErrorCause: true }),
  Cause.pretty(Cause.die(value), { renderErrorCause: true }),
  inspected(Cause.fail(value)),
  JSON.stringify(Cause.die(value))
]

export interface Spans {
  readonly layer: Layer.Layer<never>
  readonly seen: Array<Tracer.Span>
  readonly printed: () => string
}

/** A tracer that keeps every span with all its attributes and events. */
export const makeSpans = (): Spans => {
  const seen: Array<Tracer.Span> = []
  const events: Array<unknown> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: String(seen.length),
        traceId: "trace",
        parent,
        context,
        links,
        kind,
        sampled: true,
        attributes,
        status: { _tag: "Started", startTime },
        attribute: (key, value) => void attributes.set(key, value),
        event: (event, time, fields) => void events.push([event, time, fields]),
        addLinks: () => {},
        // Tracers show why a span failed, never what it answered with.
        end: (_, exit) => void (Exit.isFailure(exit) && events.push(exit.cause, Cause.pretty(exit.cause)))
      }
      seen.push(span)
      return span
    },
    context: (f) => f()
  })
  return {
    layer: Layer.setTracer(tracer),
    seen,
    printed: () => [inspected(seen.map(({ attributes, name }) => [name, attributes])), inspected(events)].join("\n")
  }
}

const loggers = [
  Logger.stringLogger,
  Logger.logfmtLogger,
  Logger.jsonLogger,
  Logger.map(Logger.structuredLogger, inspected)
]

export interface Logs {
  readonly layer: Layer.Layer<never>
  readonly printed: Array<string>
}

/** Every logger that Effect has, at every level. */
export const makeLogs = (): Logs => {
  const printed: Array<string> = []
  const kept = loggers.map((logger) => Logger.add(Logger.map(logger, (text) => void printed.push(text))))
  const [first, ...rest] = kept
  const all = first === undefined ? Layer.empty : Layer.mergeAll(first, ...rest)
  return { layer: Layer.mergeAll(all, Logger.pretty, Logger.minimumLogLevel(LogLevel.All)), printed }
}

let before: ReadonlyMap<unknown, string> = new Map()

/**
 * They are the process's, which has run other test files before: what those have left is theirs. Each has a key that is
 * its own; what is printed is not, when a file is run twice.
 */
export const beginMetrics = Effect.map(Metric.snapshot, (pairs) => {
  before = new Map(pairs.map((pair) => [pair.metricKey, inspected(pair)]))
})

export const metrics: Effect.Effect<string> = Effect.map(Metric.snapshot, (pairs) =>
  pairs
    .map((pair) => [pair.metricKey, inspected(pair)] as const)
    .filter(([key, printed]) => before.get(key) !== printed)
    .map(([, printed]) => printed)
    .join("\n")
)
