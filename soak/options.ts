/** What the command was asked for. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"

export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** In minutes: in less not all would happen that must. */
const shortest = 1

/** How many minutes it is to last. */
export const minutes = (args: ReadonlyArray<string>): Effect.Effect<number, UsageError> =>
  Effect.gen(function* () {
    const { values } = yield* Effect.try({
      try: () => parseArgs({ args: [...args], options: { minutes: { type: "string", default: "10" } } }),
      catch: (error) => new UsageError({ message: error instanceof Error ? error.message : String(error) })
    })
    const given = values.minutes.trim() === "" ? Number.NaN : Number(values.minutes)
    if (given >= shortest && Number.isFinite(given)) return given
    return yield* new UsageError({
      message: `--minutes: expected a number, ${shortest} or more, and got "${values.minutes}"`
    })
  })
