// The API reference in build/reference, and the proof that it holds every public export.
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { publicExports } from "./publicExports.ts"

interface Reflection {
  readonly name: string
  readonly children?: ReadonlyArray<Reflection>
}

const root = resolve(import.meta.dirname, "..")

const namesOf = (reflection: Reflection, path: string): ReadonlyArray<string> => [
  path,
  ...(reflection.children ?? []).flatMap((child) => namesOf(child, `${path}.${child.name}`))
]

const { status } = spawnSync(join(root, "node_modules/.bin/typedoc"), { cwd: root, stdio: "inherit" })
if (status !== 0) process.exit(status ?? 1)

const reference: Reflection = JSON.parse(readFileSync(join(root, "build/reference.json"), "utf8"))
const present = new Set(
  (reference.children ?? []).flatMap((pack) =>
    (pack.children ?? []).flatMap((module) => namesOf(module, `${pack.name}/${module.name}`))
  )
)
const all = publicExports(root)
const absent = all.filter(({ name }) => !present.has(name))
for (const { name } of absent) console.error(`${name} is not in the reference.`)
console.log(
  `${all.length - absent.length} of ${all.length} public modules and exports are in build/reference/index.html`
)
process.exitCode = absent.length === 0 ? 0 : 1
