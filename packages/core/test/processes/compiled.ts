/** A program that is started a hundred times: bundled and compiled once, which halves what each start costs. */
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

const starter = `
const { existsSync, readFileSync, writeFileSync } = require("node:fs")
const { Script } = require("node:vm")
const cache = __dirname + "/cache"
const isCompiled = existsSync(cache)
const source = "(require => {" + readFileSync(__dirname + "/program.cjs", "utf8") + "\\n})"
const script = new Script(source, { cachedData: isCompiled ? readFileSync(cache) : undefined })
// What has been run by then is compiled.
if (!isCompiled) process.on("exit", () => writeFileSync(cache, script.createCachedData()))
script.runInThisContext()(require)
`

/** To be called where a test file is read; `trial` are arguments with which the program ends by itself. */
export const compiled = async (entry: string, ...trial: ReadonlyArray<string>): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "compiled-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  await build({
    entryPoints: [entry],
    outfile: join(folder, "program.cjs"),
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logLevel: "error"
  })
  const start = join(folder, "start.cjs")
  writeFileSync(start, starter)
  const { status } = spawnSync(process.execPath, [start, ...trial], { stdio: ["ignore", "ignore", "inherit"] })
  if (status !== 0) throw new Error(`${entry} did not end by itself`)
  return start
}
