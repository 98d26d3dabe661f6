// What is published: types by `tsc`, and the code in a few files, since each that is read takes its time. In those each
// call that runs when they are read is marked, or no bundler may leave out what a program does not use: the call might
// do something. Why: docs/decisions/D42-few-files.md.
import { transformFileAsync } from "@babel/core"
import annotatePureCalls from "babel-plugin-annotate-pure-calls"
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { readdirSync, rmSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { basename, join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")

const filesOf = (folder, pattern, options = {}) =>
  readdirSync(folder, options)
    .filter((name) => pattern.test(name))
    .map((name) => join(folder, name))

const mark = async (file) => {
  const { code, map } = await transformFileAsync(file, {
    configFile: false,
    babelrc: false,
    plugins: [annotatePureCalls],
    sourceMaps: true
  })
  await writeFile(`${file}.map`, JSON.stringify(map))
  await writeFile(file, `${code}\n//# sourceMappingURL=${basename(file)}.map\n`)
}

/** What public modules have in common goes into files that nobody else can import. */
const compile = async (folder) => {
  const outdir = join(folder, "build")
  for (const old of filesOf(outdir, /\.js(\.map)?$/, { recursive: true })) rmSync(old)
  await build({
    entryPoints: filesOf(join(folder, "src"), /\.ts$/),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "internal/[hash]",
    packages: "external",
    platform: "neutral",
    format: "esm",
    target: "es2022",
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning"
  })
  await Promise.all(filesOf(outdir, /\.js$/, { recursive: true }).map(mark))
}

const { status } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-b"], { cwd: root, stdio: "inherit" })
if (status === 0) await Promise.all(filesOf(join(root, "packages"), /^/).map(compile))
process.exitCode = status ?? 1
