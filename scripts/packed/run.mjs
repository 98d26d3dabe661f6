// Commands, the temporary folder and how a check fails: what the checks of scripts/check-packed.mjs share.
import { spawn } from "node:child_process"
import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export class Failure extends Error {}

export const ensure = (condition, sentence) => {
  if (!condition) throw new Failure(sentence)
}

export const temporary = realpathSync(mkdtempSync(join(tmpdir(), "check-packed-")))

/** Without what npm and pnpm leave to their children: a nested npm would warn about the settings of the other. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name))
)

const children = new Set()

/** Leads a process group of its own, so that whatever it starts can be found, and ended, with it. */
export const start = (command, args, cwd) => {
  const child = spawn(command, args, { cwd, env: environment, detached: true, stdio: ["ignore", "pipe", "pipe"] })
  children.add(child)
  return child
}

export const signalGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal)
    return true
  } catch {
    return false
  }
}

/** Ends what still runs and removes the temporary folder. */
export const cleanUp = () => {
  for (const child of children) if (child.pid !== undefined) signalGroup(child, "SIGKILL")
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
}

/** Waits for `child` to end; its output, and how it ended. */
export const outcome = (child) =>
  new Promise((done, failed) => {
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk) => (stdout += chunk))
    child.stderr.on("data", (chunk) => (stderr += chunk))
    child.on("error", failed)
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }))
  })

/** Runs a command to its end, which must be a good one within `seconds`. */
export const run = async (command, args, { cwd, seconds = 300 }) => {
  const child = start(command, args, cwd)
  let late = false
  const timer = setTimeout(() => {
    late = true
    signalGroup(child, "SIGKILL")
  }, seconds * 1000)
  const ended = await outcome(child).finally(() => {
    clearTimeout(timer)
    children.delete(child)
  })
  const line = [command, ...args].join(" ")
  ensure(!late, `"${line}" did not end within ${seconds} s.\n${ended.stdout}${ended.stderr}`)
  ensure(ended.code === 0, `"${line}" ended with ${ended.code ?? ended.signal}.\n${ended.stdout}${ended.stderr}`)
  return ended
}

export const node = (args, options) => run(process.execPath, args, options)

/** One line for one check, once it is through. */
export const check = async (what, work) => {
  const begun = performance.now()
  const detail = await work()
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  console.log(`ok  ${what}${detail === undefined ? "" : `: ${detail}`} (${seconds} s)`)
}

/** Runs the whole, says in a sentence what went wrong, and leaves nothing behind, however it ends. */
export const whole = async (main) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      cleanUp()
      process.exit(signal === "SIGINT" ? 130 : 143)
    })
  }
  try {
    await main()
  } catch (error) {
    console.error(error instanceof Failure ? `failed  ${error.message.trimEnd()}` : error)
    process.exitCode = 1
  } finally {
    cleanUp()
  }
}
