// Compiles every TypeScript block of the README and of docs/ in one program, so that none of them can rot. A block that
// names a file (```ts examples/telemetry/otlp.ts) must be that file, which is tested.
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
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

let count = 0
let strangers = 0
for (const page of pages) {
  const lines = readFileSync(join(root, page), "utf8").split("\n")
  for (let start = 0; start < lines.length; start++) {
    if (!/^```(ts|typescript)\b/.test(lines[start])) continue
    const end = lines.indexOf("```", start)
    // As many empty lines before the code as stand before it on the page: an error's line is the page's.
    const code = [...Array(start + 1).fill(""), ...lines.slice(start + 1, end), "export {}", ""]
    writeFileSync(join(folder, `${page.replaceAll("/", "__")}.${start + 1}.ts`), code.join("\n"))
    count += 1
    const [, file] = lines[start].split(" ")
    if (
      file !== undefined &&
      readFileSync(join(root, file), "utf8").trimEnd() !== lines.slice(start + 1, end).join("\n")
    ) {
      console.error(`${page}(${start + 1}): not what is in ${file}`)
      strangers += 1
    }
    start = end
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
process.stdout.write(tsc.stdout.replaceAll(/^.*?([^/]+\.md)\.\d+\.ts/gm, "$1"))
console.log(`${count} code blocks of ${pages.length} pages compiled`)
process.exitCode = count === 0 || strangers > 0 ? 1 : (tsc.status ?? 1)
