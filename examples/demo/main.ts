/**
 * The life of a session against the sandbox, over real HTTP. Talks to nobody but this machine.
 *
 * `npm run demo`, or `npm run demo -- --pace 1000` for a pause of a second after each step. With `--resume` it ends with
 * runs of a program that take up each other's session.
 */
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { parseArgs } from "node:util"
import { ClientLayer } from "../sandboxClient.ts"
import * as Screen from "./screen.ts"
import { runs, story } from "./story.ts"

const MainLayer = Layer.merge(ClientLayer, PasswordEncryption.layer).pipe(
  Layer.provideMerge(Layer.merge(NodeHttpClient.layerUndici, Sandbox.layer()))
)

const options = Effect.try(() => {
  const { values } = parseArgs({ options: { pace: { type: "string" }, resume: { type: "boolean", default: false } } })
  return {
    pace: Duration.millis(Number(values.pace ?? (process.stdout.isTTY ? "700" : "0"))),
    whole: values.resume ? Effect.zipRight(story, runs) : story
  }
})

const program = Effect.gen(function* () {
  const sandbox = yield* Sandbox.Sandbox
  yield* Screen.title("The life of an IG session", `against the sandbox at ${sandbox.baseUrl}`)
  const { pace, whole } = yield* options
  yield* Effect.provideService(whole, Screen.Pace, pace)
  yield* Screen.title(
    "That was all of it.",
    "Whatever has an arrow went over real HTTP on this machine; IG was not asked."
  )
})

const failed = (cause: Cause.Cause<unknown>) => {
  const failure = Option.getOrElse(Cause.failureOption(cause), () => Cause.squash(cause))
  return Console.error(`\nThe demo stopped: ${failure instanceof Error ? failure.message : String(failure)}`)
}

let interruptedAt = Number.POSITIVE_INFINITY

/** One Ctrl-C arrives twice under npm, once from the terminal and once from npm itself; a later one means it. */
const onInterrupt = () => {
  if (Date.now() - interruptedAt > 1000) process.exit(130)
  interruptedAt = Math.min(interruptedAt, Date.now())
}
process.on("SIGINT", onInterrupt)
process.on("SIGTERM", onInterrupt)

program.pipe(
  Effect.provide(MainLayer),
  Effect.tapErrorCause((cause) => (Cause.isInterruptedOnly(cause) ? Effect.void : failed(cause))),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      if (Exit.isSuccess(exit)) return onExit(0)
      onExit(Cause.isInterruptedOnly(exit.cause) ? 130 : 1)
    }
  })
)
