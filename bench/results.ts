/** What all runs have found so far, each section by itself: a run of some leaves the others as they are. */
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import type { Contest } from "./samples.ts"
import type { Figure, Found } from "./section.ts"

/** When and on what a section was measured. */
export interface Taken {
  readonly on: string
  readonly machine: string
  readonly versions: string
}

export type Results = Readonly<Record<string, Found & { readonly taken: Taken }>>

const file = join(import.meta.dirname, "results.json")

export const read = (): Results => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {})

export const write = (results: Results): void => writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`)

export const contestsOf = (results: Results): Readonly<Record<string, Contest>> =>
  Object.assign({}, ...Object.values(results).map(({ contests }) => contests))

export const figuresOf = (results: Results): Readonly<Record<string, Figure>> =>
  Object.assign({}, ...Object.values(results).map(({ figures }) => figures))

const installed = join(import.meta.dirname, "node_modules")

const versionIn = (folder: string): string => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version

const versions = (): string => {
  const own = ["effect", "@effect/platform", "@effect/platform-node", "ig-trading-api", "esbuild"]
  const undici = join(realpathSync(join(installed, "@effect/platform-node")), "../../undici")
  return [
    `Node ${process.versions.node}`,
    ...own.map((name) => `${name} ${versionIn(join(installed, name))}`),
    `undici ${versionIn(undici)}`
  ].join(", ")
}

export const taken = (): Taken => {
  const [cpu, ...more] = cpus()
  const cores = more.length + 1
  return {
    on: new Date().toISOString().slice(0, 10),
    machine: `${cpu?.model.trim() || process.arch}, ${cores} core${cores === 1 ? "" : "s"}, ${process.platform}`,
    versions: versions()
  }
}
