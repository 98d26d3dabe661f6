/** Looks through what a life has printed, said and counted. */
import * as Effect from "effect/Effect"
import { printed } from "./output.ts"
import { leaksIn } from "./secrets.ts"
import { inspected, type Logs, type Spans } from "./sinks.ts"

/** Of the sandbox's accounts and client, which are no secrets but no label of anything. */
const ids = /SBX0|100000001/

/** Where something was found that does not belong there: in texts that are the life's own, or in what all share. */
export const search = (
  own: Readonly<Record<string, ReadonlyArray<string>>>,
  spans: Spans,
  logs: Logs,
  metrics: string
): ReadonlyArray<string> => {
  const ours = spans.seen.filter(({ name }) => name.startsWith("Ig."))
  const sinks: ReadonlyArray<readonly [name: string, isLeaky: boolean]> = [
    ...Object.entries(own).map(([name, texts]) => [name, leaksIn(texts).length > 0] as const),
    ["spans", leaksIn(spans.printed()).length > 0],
    ["metrics", leaksIn(metrics).length > 0],
    ["logs", leaksIn(logs.printed).length > 0],
    ["output", leaksIn(printed).length > 0],
    ["ids in spans", ids.test(inspected(ours.map((span) => [span.name, span.attributes])))],
    ["ids in metrics", ids.test(metrics)]
  ]
  return sinks.flatMap(([name, isLeaky]) => (isLeaky ? [name] : []))
}

/** What a test plants to be found is searched for by its file as well, which must not see it. */
export const unseen = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const before = printed.length
    return Effect.ensuring(
      self,
      Effect.sync(() => void printed.splice(before))
    )
  })
