/** Reports of shards, so that a run that was stopped goes on where it was. */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Report } from "./report.ts"
import type { Shard } from "./shards.ts"

/** What a report depends on: all that is mutated, that tests it, and that is installed. For git a `*` spans folders. */
const depends = ["packages/*/src/*", "packages/*/test/*", "mutation/*.ts", "docs/encryption.md", "pnpm-lock.yaml"]

/** What is in each file. */
export type Inputs = Readonly<Record<string, string>>

export const inputs = (root: string): Inputs => {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...depends]
  const names = execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0").sort()
  const hash = (name: string) =>
    createHash("sha256")
      .update(readFileSync(join(root, name)))
      .digest("hex")
  return Object.fromEntries(
    names.flatMap((name) => (name !== "" && existsSync(join(root, name)) ? [[name, hash(name)] as const] : []))
  )
}

const isTest = (name: string): boolean => /^packages\/[^/]+\/test\/.*\.test\.ts$/.test(name)

/** Has nothing changed since but that there are more test files? They may notice more, and never less. */
export const holds = (then: Inputs, now: Inputs): boolean =>
  Object.entries(then).every(([name, hash]) => now[name] === hash) &&
  Object.keys(now).every((name) => name in then || isTest(name))

/** There are more tests now. */
export const isOld = (then: Inputs, now: Inputs): boolean => Object.keys(now).some((name) => !(name in then))

const Kept = Schema.Struct({
  inputs: Schema.Record({ key: Schema.String, value: Schema.String }),
  files: Schema.Array(Schema.String),
  seconds: Schema.Number,
  report: Report
})

export type Kept = typeof Kept.Type

const Format = Schema.parseJson(Kept)

const fileOf = (folder: string, { name }: Shard): string => join(folder, `${name}.json`)

export const keep = (folder: string, shard: Shard, kept: Kept): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(folder, shard), JSON.stringify(kept))
}

/** The report of these very sources; nothing when something it depends on has changed since. */
export const kept = (folder: string, shard: Shard, now: Inputs): Kept | undefined => {
  const file = fileOf(folder, shard)
  if (!existsSync(file)) return undefined
  const found = Schema.decodeUnknownOption(Format)(readFileSync(file, "utf8"))
  return Option.getOrUndefined(
    Option.filter(found, ({ files, inputs }) => holds(inputs, now) && files.join() === shard.files.join())
  )
}
