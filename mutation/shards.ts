/** Which mutants are looked at together. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The packages whose sources are mutated. */
export const mutated = ["core", "encryption"] as const

export type Mutated = (typeof mutated)[number]

export interface Source {
  /** From the root of the repository. */
  readonly file: string
  readonly lines: number
}

export interface Shard {
  readonly name: string
  readonly of: Mutated
  readonly files: ReadonlyArray<string>
}

/** About as many as two cores get through in five minutes. */
const most = 400

export const sources = (root: string, of: Mutated): ReadonlyArray<Source> => {
  const folder = join("packages", of, "src")
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name))
    .sort()
    .map((file) => ({ file, lines: readFileSync(join(root, file), "utf8").split("\n").length }))
}

/** Neighbours stay together: they are run by the same tests. */
export const shards = (of: Mutated, all: ReadonlyArray<Source>): ReadonlyArray<Shard> => {
  const groups: Array<{ lines: number; readonly files: Array<string> }> = []
  for (const { file, lines } of all) {
    const last = groups.at(-1)
    if (last === undefined || last.lines + lines > most) groups.push({ lines, files: [file] })
    else {
      last.lines += lines
      last.files.push(file)
    }
  }
  return groups.map(({ files }, index) => ({ name: `${of}-${String(index + 1).padStart(2, "0")}`, of, files }))
}
