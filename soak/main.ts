/**
 * `pnpm soak --minutes 10`: clients with everything on, over real HTTP, against a sandbox that makes trouble all the time;
 * and whether they hold on to anything. Ends with 1 where they do.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { minutes, UsageError } from "./options.ts"
import { run } from "./run.ts"
import * as Verdict from "./verdict.ts"

class BrokenError extends Data.TaggedError("BrokenError")<{ readonly message: string }> {}

const usage = "pnpm soak [--minutes 10]"

const collector: Effect.Effect<() => void, UsageError> = Effect.suspend(() =>
  globalThis.gc === undefined
    ? new UsageError({ message: "node was started without --expose-gc" })
    : Effect.succeed(globalThis.gc)
)

const program = Effect.gen(function* () {
  const given = yield* minutes(process.argv.slice(2))
  const { tally, tenths } = yield* run(given, yield* collector)
  yield* Console.log("\nWhat happened:")
  const longest = Math.max(...[...tally.counts.values()].map((count) => String(count).length))
  for (const [what, count] of [...tally.counts].sort(([one], [other]) => (one < other ? -1 : 1))) {
    yield* Console.log(`  ${String(count).padStart(longest)}  ${what}`)
  }
  const broken = Verdict.broken(tenths, tally)
  if (broken.length > 0) return yield* new BrokenError({ message: ["A bound is broken:", ...broken].join("\n  ") })
  yield* Console.log(`\n${Verdict.praise(tenths)}`)
})

const failed = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const error = Cause.squash(cause)
  const message = error instanceof Error ? error.message : String(error)
  return Console.error(`soak: ${message}${error instanceof UsageError ? `\n${usage}` : ""}`)
}

program.pipe(
  // Whatever the library warns of is counted, by its events.
  Logger.withMinimumLogLevel(LogLevel.None),
  Effect.tapErrorCause((cause) => (Cause.isInterruptedOnly(cause) ? Effect.void : failed(cause))),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit)) return onExit(0)
      onExit(Cause.isInterruptedOnly(exit.cause) ? 130 : Cause.squash(exit.cause) instanceof UsageError ? 2 : 1)
    }
  })
)
