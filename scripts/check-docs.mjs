// Compiles every TypeScript block of the README and of docs/, and every `@example` of a doc comment, in one program, so
// that none of them can rot. A block that names a file (```ts examples/telemetry/otlp.ts) must be that file, which is
// tested.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const folder = join(root, "build/docs")

const pages = [
  "packages/core/README.md",
  "README.md",
  ...readdirSync(join(root, "docs"), { recursive: true })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
]

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const sources = readdirSync(join(root, "packages"))
  .map((name) => join("packages", name, "src"))
  .filter((source) => existsSync(join(root, source)))
  .flatMap((source) => readdirSync(join(root, source), { recursive: true }).map((name) => join(source, name)))
  .filter((name) => name.endsWith(".ts"))

/** Blocks of code, each with the index of its first line, and the file that it must be. */
const blocksOfPage = (lines) =>
  lines.flatMap((line, index) => {
    const fence = /^```(?:ts|typescript)\b *(\S+)?/.exec(line)
    if (fence === null) return []
    return [{ start: index + 1, block: lines.slice(index + 1, lines.indexOf("```", index)), file: fence[1] }]
  })

const examplesOf = (lines) =>
  lines.flatMap((line, index) => {
    if (!/^ *\* @example$/.test(line)) return []
    const rest = lines.slice(index + 1)
    const end = rest.findIndex((next) => /^ *\*(\/| @)/.test(next))
    return [{ start: index + 1, block: rest.slice(0, end).map((next) => next.replace(/^ *\* ?/, "")) }]
  })

let count = 0
let strangers = 0
for (const [names, blocksOf] of [
  [pages, blocksOfPage],
  [sources, examplesOf]
]) {
  for (const name of names) {
    for (const { block, file, start } of blocksOf(readFileSync(join(root, name), "utf8").split("\n"))) {
      // As many empty lines before the code as stand before it in the file: an error's line is the file's.
      const code = [...Array(start).fill(""), ...block, "export {}", ""]
      writeFileSync(join(folder, `${name.replaceAll("/", "__")}.${start}.ts`), code.join("\n"))
      count += 1
      if (file !== undefined && readFileSync(join(root, file), "utf8").trimEnd() !== block.join("\n")) {
        console.error(`${name}(${start}): not what is in ${file}`)
        strangers += 1
      }
    }
  }
}

writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    extends: "../../tsconfig.base.json",
    compilerOptions: { composite: false, incremental: false, noEmit: true, types: ["node"], noUnusedLocals: false },
    include: ["*.ts", "../../packages/*/src/**/*.d.ts"]
  })
)

const tsc = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", folder, "--pretty", "false"], { encoding: "utf8" })
process.stdout.write(
  tsc.stdout.replaceAll(/^.*?([^/]+\.(?:md|ts))\.\d+\.ts/gm, (_, name) => name.replaceAll("__", "/"))
)
console.log(`${count} code blocks of ${pages.length} pages and ${sources.length} sources compiled`)
process.exitCode = count === 0 || strangers > 0 ? 1 : (tsc.status ?? 1)
