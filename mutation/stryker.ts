/** Runs Stryker, and vitest without it, in a copy of the repository. */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import type { Mutated } from "./shards.ts"

const config = "mutation/vitest.config.ts"

const settings = (mutants: ReadonlyArray<string>, report: string) => ({
  packageManager: "pnpm",
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  // What is related is told by imports of source files, and tests of one package import another by its name.
  vitest: { configFile: config, related: false },
  inPlace: true,
  mutate: mutants,
  coverageAnalysis: "perTest",
  ignoreStatic: false,
  reporters: ["json"],
  jsonReporter: { fileName: report },
  concurrency: 2,
  // One that acts while a module is read takes longer than the first run: all modules are read anew.
  timeoutMS: 20_000,
  timeoutFactor: 1.5,
  dryRunTimeoutMinutes: 4,
  // What a mutant leaves behind in a process ends with it.
  maxTestRunnerReuse: 100,
  fileLogLevel: "off",
  logLevel: "warn",
  allowConsoleColors: false
})

let running: ChildProcess | undefined

/** Ends what is under way, with all that it has started. */
export const stop = (): void => {
  if (running?.pid !== undefined && running.exitCode === null) process.kill(-running.pid, "SIGKILL")
}

class FailedError extends Error {}

const run = (folder: string, of: Mutated, program: string, args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(join(folder, "node_modules/.bin", program), args, {
      cwd: folder,
      detached: true,
      env: { ...process.env, MUTATED: of },
      stdio: ["ignore", "pipe", "pipe"]
    })
    running = child
    let out = ""
    let told = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk))
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (told += chunk))
    child.on("error", reject)
    child.on("close", (status) => {
      if (status === 0) resolve(out)
      else reject(new FailedError(`${program} ${args.join(" ")} ended with ${status}:\n${(out + told).slice(-4_000)}`))
    })
  })

/** Writes a report of the mutants of these files, or ranges of files. */
export const mutate = async (
  folder: string,
  of: Mutated,
  mutants: ReadonlyArray<string>,
  report: string
): Promise<void> => {
  const file = join(folder, "stryker.config.json")
  writeFileSync(file, JSON.stringify(settings(mutants, report)))
  await run(folder, of, "stryker", ["run", file])
}

const Tests = Schema.parseJson(Schema.Array(Schema.Struct({ name: Schema.String, file: Schema.String })))

/** How many tests vitest itself has; a file that cannot be imported ends it. */
export const tests = async (folder: string, of: Mutated): Promise<number> => {
  const out = await run(folder, of, "vitest", ["list", "--config", config, "--json"])
  return Schema.decodeUnknownSync(Tests)(out.slice(out.indexOf("["))).length
}
