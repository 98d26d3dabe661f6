// `pnpm shuffle`: every test in random orders of files and of tests in them, and, but for `--idle`, once more while all
// cores are busy.
import { spawn } from "node:child_process"
import { availableParallelism } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"

const root = resolve(import.meta.dirname, "..")

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    to: { type: "string", default: "20" },
    idle: { type: "boolean", default: false }
  }
})
const [from, to] = [Number(values.from), Number(values.to)]
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) {
  console.error("Expected whole numbers, as in: pnpm shuffle --from 1 --to 20 [--idle]")
  process.exit(2)
}

const run = (seed) =>
  new Promise((done) => {
    const args = ["run", "--sequence.shuffle.files", "--sequence.shuffle.tests", `--sequence.seed=${seed}`]
    const child = spawn(join(root, "node_modules/.bin/vitest"), args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] })
    let out = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk))
    child.on("close", (status) => done({ status, out }))
  })

const failures = []

const report = async (name, seed) => {
  const { out, status } = await run(seed)
  const [line = "no test ran"] = out.match(/^\d+ passed, \d+ failed$/m) ?? []
  console.log(`${name}: ${line}`)
  if (status === 0) return
  failures.push(name)
  console.log(out.match(/^.*FAIL .*$/gm)?.join("\n") ?? out.slice(-2_000))
}

for (let seed = from; seed <= to; seed++) await report(`seed ${seed}`, seed)

if (!values.idle) {
  const busy = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ["-e", "for (;;);"]))
  await report(`seed ${to + 1}, all cores busy`, to + 1)
  for (const one of busy) one.kill()
}

console.log(failures.length === 0 ? "No failure." : `Failed: ${failures.join("; ")}`)
process.exit(failures.length === 0 ? 0 : 1)
