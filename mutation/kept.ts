/** Reports of shards, so that a run that was stopped goes on where it was. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { Report } from "./report.ts"
import type { Shard } from "./shards.ts"

/** What a report depends on: all that is mutated, that tests it, and that is installed. */
const inputs = [
  "packages/*/src",
  "packages/*/test",
  "mutation/*.ts",
  "mutation/setup",
  "docs/encryption.md",
  "pnpm-lock.yaml"
]

export const fingerprint = (root: string): string => {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...inputs]
  const hash = createHash("sha256")
  for (const name of execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0").sort()) {
    if (name !== "" && existsSync(join(root, name))) hash.update(`${name}\0`).update(readFileSync(join(root, name)))
  }
  return hash.digest("hex")
}

const Kept = Schema.Struct({
  inputs: Schema.String,
  files: Schema.Array(Schema.String),
  seconds: Schema.Number,
  report: Report
})

export type Kept = typeof Kept.Type

const decode = Schema.decodeUnknownSync(Schema.parseJson(Kept))

const fileOf = (folder: string, { name }: Shard): string => join(folder, `${name}.json`)

export const keep = (folder: string, shard: Shard, kept: Kept): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(folder, shard), JSON.stringify(kept))
}

/** The report of these very sources; nothing when something it depends on has changed since. */
export const kept = (folder: string, shard: Shard, inputs: string): Kept | undefined => {
  const file = fileOf(folder, shard)
  if (!existsSync(file)) return undefined
  const found = decode(readFileSync(file, "utf8"))
  return found.inputs === inputs && found.files.join() === shard.files.join() ? found : undefined
}
