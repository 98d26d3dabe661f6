/** What is saved of a session, and that the last change is never lost: by itself, into a store that only notes it. */
import { IgConfig } from "@effect-ig/core/IgConfig"
import { SignedOut } from "@effect-ig/core/SessionState"
import type { SessionStore } from "@effect-ig/core/SessionStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Redacted from "effect/Redacted"
import * as Scheduler from "effect/Scheduler"
import { describe } from "vitest"
import type { LoggedIn } from "../src/internal/exchanges.ts"
import { makeKeeper } from "../src/internal/keeper.ts"
import { type Internals, makeInternals } from "../src/internal/slot.ts"
import { decode } from "../src/internal/stored.ts"
import { keyOf } from "../src/internal/tokens.ts"
import { inMemory } from "./utils/ig.ts"
import { becomes, beside, tokens } from "./utils/slots.ts"

const first = tokens("SBX01", "the-first")
const last = tokens("SBX01", "the-last")

const login: LoggedIn = { who: { identifier: "somebody" }, again: undefined }

/** A keeper, and what it has saved so far. */
const keeping = (internals: Internals, scheduler: Scheduler.Scheduler = Scheduler.defaultScheduler) =>
  Effect.gen(function* () {
    const texts: Array<Redacted.Redacted> = []
    const store: SessionStore.Service = {
      name: "a store",
      load: Effect.succeedNone,
      save: (text) => Effect.sync(() => void texts.push(text)),
      remove: Effect.void
    }
    const keeper = (yield* Effect.withScheduler(makeKeeper(internals, store), scheduler))(undefined)
    const config = yield* IgConfig
    // Sessions by what their requests carry.
    const saved = () =>
      texts.map((text) => {
        const { session, siblings, who } = Either.getOrThrow(decode(config, text))
        return { session: keyOf(session), siblings: siblings.map(keyOf), who }
      })
    return { keeper, saved }
  })

describe("of a session", () => {
  it.effect("that nobody knows the login of is saved whose tokens it has, and that it is nobody's", () =>
    Effect.gen(function* () {
      const { keeper, saved } = yield* keeping(yield* makeInternals(first))
      keeper.changed()
      yield* keeper.idle
      expect(saved()).toEqual([{ session: keyOf(first), who: { fingerprint: null }, siblings: [] }])
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("are saved those of other accounts that are open, and none that is still to be", () =>
    Effect.gen(function* () {
      const internals = yield* makeInternals(new SignedOut())
      yield* becomes(internals, first, login)
      const other = tokens("SBX02", "another")
      yield* beside(internals, "SBX02", login, other)
      yield* beside(internals, "SBX03", login)
      const { keeper, saved } = yield* keeping(internals)
      keeper.changed()
      yield* keeper.idle
      expect(saved()).toMatchObject([{ session: keyOf(first), siblings: [keyOf(other)] }])
    }).pipe(Effect.provide(inMemory()))
  )
})

describe("a session that is saved", () => {
  it.effect("leaves no word in the log when that succeeds, at whatever level", () => {
    const lines: Array<unknown> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ cause, message }) => void lines.push([message, cause]))
    )
    return Effect.gen(function* () {
      const { keeper, saved } = yield* keeping(yield* makeInternals(first))
      keeper.changed()
      yield* keeper.idle
      expect(saved()).toHaveLength(1)
      expect(lines).toEqual([])
    }).pipe(Logger.withMinimumLogLevel(LogLevel.All), Effect.provide(logger), Effect.provide(inMemory()))
  })

  /** What is saved in the end when it changes before this step of the keeper's; nothing, when there is no such step. */
  const savedLast = (at: number) =>
    Effect.gen(function* () {
      const internals = yield* makeInternals(first)
      let current = first
      const exchanges = { ...internals.main.exchanges, current: () => current }
      let isSaving = false
      let steps = 0
      const scheduler: Scheduler.Scheduler = {
        // There the keeper lets others go first, as it does now and then.
        shouldYield: () => {
          if (!isSaving || steps++ !== at) return false
          Scheduler.defaultScheduler.scheduleTask(change, 0)
          return 0
        },
        scheduleTask: (task, priority) => Scheduler.defaultScheduler.scheduleTask(task, priority)
      }
      const { keeper, saved } = yield* keeping({ ...internals, main: { ...internals.main, exchanges } }, scheduler)
      const change = () => {
        current = last
        keeper.changed()
      }
      isSaving = true
      keeper.changed()
      yield* keeper.idle
      if (steps <= at) return undefined
      // The step may come after that has ended.
      yield* Effect.repeat(Effect.yieldNow(), { until: () => current === last })
      yield* keeper.idle
      return saved().at(-1)?.session
    })

  // Not by a test clock, whose own steps would be among them; no time passes here.
  it.live("is saved as it is in the end, when it changes at any step of that", () =>
    Effect.gen(function* () {
      let step = 0
      for (let found = yield* savedLast(step); found !== undefined; found = yield* savedLast(step)) {
        expect({ step, found }).toEqual({ step, found: keyOf(last) })
        step += 1
      }
      expect(step).toBeGreaterThan(50)
    }).pipe(Effect.provide(inMemory()))
  )
})
