/** What is done to a store, as it is counted and told. */
import * as Session from "@effect-ig/core/Session"
import type { SessionEvent } from "@effect-ig/core/SessionEvent"
import { SystemError } from "@effect/platform/Error"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import { run, world } from "./utils/runs.ts"

/** By operation and outcome; of the process, so far. */
const counts = Effect.map(
  Metric.snapshot,
  (pairs) =>
    new Map(
      pairs.flatMap(({ metricKey: { name, tags }, metricState }) =>
        name === "ig_store_operations_total" && "count" in metricState
          ? [
              [
                tags
                  .map(({ value }) => value)
                  .toSorted()
                  .join(" "),
                Number(metricState.count)
              ] as const
            ]
          : []
      )
    )
)

const failed = new SystemError({ module: "KeyValueStore", method: "remove", reason: "PermissionDenied" })

/** Takes everything, and gives nothing away. */
const keeping = Layer.effect(
  KeyValueStore.KeyValueStore,
  Effect.map(Effect.provide(KeyValueStore.KeyValueStore, KeyValueStore.layerMemory), (memory) =>
    KeyValueStore.make({ ...memory, remove: () => Effect.fail(failed) })
  )
)

it.effect(
  "a store that fails to remove is told of as that, and each thing that is done is counted by its outcome",
  () =>
    Effect.gen(function* () {
      const before = yield* counts
      const events: Array<SessionEvent> = []
      yield* run(
        Session.login,
        Effect.gen(function* () {
          yield* Effect.fork(Stream.runForEach(Session.events, (event) => Effect.sync(() => void events.push(event))))
          yield* Effect.yieldNow()
          yield* Session.logout
        })
      )
      expect(events.filter(({ _tag }) => _tag === "StoreFailed")).toMatchObject([{ operation: "remove" }])
      const more = [...(yield* counts)].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const)
      expect(new Map(more.filter(([, count]) => count > 0))).toEqual(
        new Map([
          ["load success", 1],
          ["save success", 1],
          ["failure remove", 1]
        ])
      )
    }).pipe(Effect.provide(world({}, keeping)))
)
