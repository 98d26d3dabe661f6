import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import { describe } from "vitest"
import { makeEvents, publish } from "../src/internal/events.ts"
import { makeGovernor } from "../src/internal/throttleGovernor.ts"

describe("who falls more than 1,000 events behind", () => {
  it.scoped("misses the oldest", () =>
    Effect.gen(function* () {
      const events = yield* makeEvents<number>()
      const behind = yield* PubSub.subscribe(events)
      yield* Effect.forEach(Array.from({ length: 1_010 }), (_, index) => publish(events, index))
      const kept = [...(yield* Queue.takeAll(behind))]
      expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_000, 10, 1_009])
    })
  )

  it.scoped("misses the oldest of the throttle's, too", () =>
    Effect.gen(function* () {
      const { events, learn } = yield* makeGovernor({ key: 1, account: 1, trading: 1 })
      const behind = yield* PubSub.subscribe(events)
      const now = yield* Clock.currentTimeMillis
      for (let key = 0; key < 1_010; key++) learn({ key, account: 1, trading: 1 })
      const kept = [...(yield* Queue.takeAll(behind))]
      expect(kept).toHaveLength(1_000)
      expect(kept[0]).toMatchObject({ _tag: "Learnt", at: now, allowances: { key: 10 } })
    })
  )
})

it.effect("after the layer has closed there is nobody to tell, and no harm in telling", () =>
  Effect.gen(function* () {
    const events = yield* makeEvents<number>()
    yield* PubSub.shutdown(events)
    expect(yield* Effect.exit(publish(events, 1))).toEqual(Exit.void)
  })
)
