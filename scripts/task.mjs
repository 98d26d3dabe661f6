// What `npm run …` does on a machine that has Node and npm, and nothing else: brings pnpm, installs, runs the task.
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const bin = (name) => join(root, "node_modules/.bin", name)
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const statusOf = (command, args, options = {}) =>
  new Promise((done, fail) => {
    spawn(command, args, { cwd: root, stdio: "inherit", ...options })
      .on("error", fail)
      .on("close", (status) => done(status ?? 1))
  })

const run = async (command, args, options) => {
  const status = await statusOf(command, args, options)
  if (status !== 0) process.exit(status)
}

/** Done one after the other beside something else, which must not be left behind; answers with those that failed. */
const failing = async (...lines) => {
  const failed = []
  for (const [command, ...args] of lines) {
    if ((await statusOf(command, args)) !== 0) failed.push([command, ...args].join(" "))
  }
  return failed
}

const install = () => {
  if (!existsSync(bin("vitest"))) console.error("Installing what it needs, for the first time; this may take a minute.")
  return run("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--loglevel", "error"], {
    stdio: ["ignore", 2, 2]
  })
}

/** Output that passes through, and in which certain words are a failure even when everything else is well. */
const runWatched = (command, args, forbidden) =>
  new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let seen = ""
    for (const [from, to] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr]
    ]) {
      from.on("data", (chunk) => {
        seen += chunk
        to.write(chunk)
      })
    }
    child.on("close", (status) => {
      const found = forbidden.exec(seen)
      if (found !== null) console.error(`The output holds "${found[0]}", which fails the run.`)
      done(found === null ? (status ?? 1) : 1)
    })
  })

/** The child decides what a signal means, and must bear one twice: a terminal sends Ctrl-C to the whole group. */
const hand = (command, args) => {
  const child = spawn(command, args, { cwd: root, stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal))
  child.on("close", (status, signal) => process.exit(status ?? (signal === "SIGINT" ? 130 : 143)))
}

const typescript = (file, args) => hand(process.execPath, ["--import", "tsx", join(root, file), ...args])

const [task, ...args] = process.argv.slice(2)
switch (task) {
  case "test": {
    await install()
    // The tests leave the processors idle now and then, and what they print comes last.
    const checks = failing(
      [bin("oxlint"), "--deny-warnings"],
      [process.execPath, "scripts/build.mjs"],
      [bin("prettier"), "--check", "--cache", "--log-level", "warn", "."],
      [process.execPath, "scripts/check-docs.mjs"],
      [process.execPath, "scripts/lint-rules-bite.mjs"]
    )
    const status = await runWatched(
      bin("vitest"),
      ["run", ...args],
      /DeprecationWarning|UnhandledPromiseRejection|MaxListenersExceededWarning|Unhandled (Rejection|Error)/
    )
    const failed = await checks
    for (const line of failed) console.error(`This failed: ${line}`)
    process.exitCode = failed.length > 0 ? 1 : status
    break
  }
  case "demo":
    await install()
    typescript("examples/demo/main.ts", args)
    break
  case "sandbox":
    await install()
    typescript("packages/sandbox/src/bin.ts", args)
    break
  default:
    console.error("usage: node scripts/task.mjs test|demo|sandbox")
    process.exitCode = 2
}
