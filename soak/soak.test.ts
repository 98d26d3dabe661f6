import { ApiError, NotSentError } from "@effect-ig/core/IgError"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { describe } from "vitest"
import type { Measure } from "./measure.ts"
import * as Options from "./options.ts"
import * as Tally from "./tally.ts"
import * as Verdict from "./verdict.ts"

const healthy: Measure = { heap: 1_000_000, fibers: 9, timers: 1, sockets: 0 }

/** Ten, of which the last is another. */
const run = (last: Partial<Measure>): ReadonlyArray<Measure> => [
  // In the first much happens for the first time, so that it does not count for the heap.
  { ...healthy, heap: 1 },
  ...Array.from({ length: 8 }, () => healthy),
  { ...healthy, ...last }
]

const eventful = (without?: string): Tally.Tally => {
  const tally = Tally.make()
  for (const what of Verdict.expected) if (what !== without) Tally.count(tally, what)
  Tally.count(tally, "ig_throttle_waiting", 0)
  return tally
}

describe("the verdict", () => {
  it("is good when nothing is held on to, and the heap within a twentieth", () => {
    expect(Verdict.broken(run({ heap: 1_050_000 }), eventful())).toEqual([])
    expect(Verdict.praise(run({ heap: 1_050_000 }))).toContain("1.050")
  })

  for (const [what, last, words] of [
    ["the heap grows by more", { heap: 1_050_001 }, "heap: 1.00 MB after the second tenth, 1.05 MB after the last"],
    ["a fiber is left", { fibers: 10 }, "fibers: 9 after the first tenth, 10 after the last"],
    ["a timer is left", { timers: 2 }, "timers: 1 after the first tenth, 2 after the last"],
    ["a socket is left", { sockets: 1 }, "sockets: 0 after the first tenth, 1 after the last"]
  ] as const) {
    it(`is bad when ${what}`, () => {
      expect(Verdict.broken(run(last), eventful())).toEqual([words])
    })
  }

  it("is bad when a trouble was not met, a call died, a request still waits, or nothing was measured", () => {
    for (const what of Verdict.expected) {
      expect(Verdict.broken(run({}), eventful(what))).toEqual([`never happened: ${what}`])
    }
    expect(Verdict.broken(run({}), { ...eventful(), defects: ["oh"] })).toEqual(["a call died: oh"])
    const waiting = eventful()
    Tally.count(waiting, "ig_throttle_waiting", 1)
    expect(Verdict.broken(run({}), waiting)).toHaveLength(1)
    expect(Verdict.broken([healthy], eventful())).toEqual(["nothing was measured"])
  })
})

it.live("a call is counted by what became of it", () =>
  Effect.gen(function* () {
    const tally = Tally.make()
    const counted = Tally.counted(tally, "read", "1 milli")
    yield* counted(Effect.void)
    yield* counted(Effect.never)
    yield* counted(Effect.fail(new NotSentError({ operation: "read", reason: "would-wait", detail: "" })))
    yield* counted(Effect.fail(new ApiError({ operation: "read", status: 503, action: "retry" })))
    yield* counted(Effect.die("a bug"))
    expect([...tally.counts.keys()]).toEqual([
      "read: answered",
      "read: left by its caller",
      "read: NotSentError would-wait",
      "read: ApiError 503"
    ])
    expect(tally.defects.join()).toContain("a bug")
  })
)

describe("the command", () => {
  it.effect("takes minutes, ten unless it is told otherwise", () =>
    Effect.gen(function* () {
      expect(yield* Options.minutes([])).toBe(10)
      expect(yield* Options.minutes(["--minutes", "1.5"])).toBe(1.5)
    })
  )

  for (const args of [
    ["--minutes", "x"],
    ["--minutes", ""],
    ["--minutes", "0.9"],
    ["--minutes", "Infinity"]
  ]) {
    it.effect(`says what it expected: ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(Options.minutes(args))
        expect(message).toBe(`--minutes: expected a number, 1 or more, and got "${args[1]}"`)
      })
    )
  }

  it.effect("says what it does not know", () =>
    Effect.gen(function* () {
      for (const args of [["--foo"], ["10"], ["--minutes"]]) {
        expect((yield* Effect.flip(Options.minutes(args))).message.split("\n")).toHaveLength(1)
      }
    })
  )
})
