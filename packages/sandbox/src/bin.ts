/** The executable `ig-sandbox`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { parseArgs } from "node:util"
import * as Sandbox from "./Sandbox.ts"
import { Patch, Preset } from "./Switches.ts"

const help = `ig-sandbox: a local IG gateway for clients in any language

  ig-sandbox [--port 8080] [--host 127.0.0.1] [--preset unlimited|live|demo] …

  --port N          the port to listen on; 0 takes a free one          (8080)
  --host ADDRESS    the address to listen on                           (127.0.0.1)
  --preset NAME     allowances: unlimited, live or demo                (unlimited)
  --api-key KEY     the API key that it takes                          (sandbox-api-key)
  --identifier ID   the identifier that it takes                       (sandbox)
  --password TEXT   the password that it takes                         (Sandbox-Pa55word)
  --switches JSON   changes to its behaviour, as {"encryptedV3":true}
  --remote-control  let other machines use the control endpoint
  --cors            let browsers' pages of any origin call the gateway
  --help            this text

The first line on standard output is the gateway's address. The control endpoint is beside it, at /_sandbox.
`

const options = {
  port: { type: "string", default: "8080" },
  host: { type: "string", default: "127.0.0.1" },
  preset: { type: "string", default: "unlimited" },
  "api-key": { type: "string" },
  identifier: { type: "string" },
  password: { type: "string" },
  switches: { type: "string", default: "{}" },
  "remote-control": { type: "boolean", default: false },
  cors: { type: "boolean", default: false },
  help: { type: "boolean", default: false }
} as const

class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { message: Schema.String }) {}

const parsed = Effect.try({
  try: () => parseArgs({ options }).values,
  catch: (error) => new UsageError({ message: error instanceof Error ? error.message : String(error) })
})

/** In one line, whatever is wrong. */
const inWords = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ message, path }) => [...path.map(String), message].join(": "))
    .join("; ")
    .replaceAll(/\s+/g, " ")

const decoded = <A, I>(name: string, schema: Schema.Schema<A, I>, value: unknown): Effect.Effect<A, UsageError> =>
  Effect.mapError(
    Schema.decodeUnknown(schema, { onExcessProperty: "error" })(value),
    (error) => new UsageError({ message: `--${name}: ${inWords(error)}` })
  )

const KnownPreset = Preset.annotations({
  message: () => ({ message: "Expected unlimited, live or demo", override: true })
})

const Port = Schema.NumberFromString.pipe(Schema.int(), Schema.between(0, 65_535))

const serverOptions = Effect.gen(function* () {
  const values = yield* parsed
  return {
    wantsHelp: values.help,
    host: values.host,
    port: yield* decoded("port", Port, values.port),
    preset: yield* decoded("preset", KnownPreset, values.preset),
    switches: yield* decoded("switches", Schema.parseJson(Patch), values.switches),
    apiKey: values["api-key"],
    identifier: values.identifier,
    password: values.password,
    remoteControl: values["remote-control"],
    cors: values.cors
  }
})

const announce = Effect.gen(function* () {
  const sandbox = yield* Sandbox.Sandbox
  yield* Console.log(`IG sandbox listening on ${sandbox.baseUrl}`)
  yield* Console.log(`API key ${sandbox.apiKey}, identifier ${sandbox.identifier}, password ${sandbox.password}`)
  yield* Console.log(`Control at ${new URL("/_sandbox", sandbox.baseUrl).href}; Ctrl-C stops it`)
})

const program = Effect.gen(function* () {
  const { wantsHelp, ...server } = yield* serverOptions
  if (wantsHelp) return yield* Console.log(help)
  yield* Effect.zipRight(announce, Effect.never).pipe(Effect.provide(Sandbox.layer(server)))
})

program.pipe(
  Effect.catchAll((error) =>
    Effect.zipRight(
      Console.error(`ig-sandbox: ${error.message}`),
      Effect.sync(() => void (process.exitCode = error._tag === "UsageError" ? 2 : 1))
    )
  ),
  NodeRuntime.runMain({ disablePrettyLogger: true })
)

// npm sends a second signal after the terminal's own; stopping twice is stopping.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {})
