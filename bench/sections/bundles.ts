/** What a page has to load: bundles of esbuild, minified, and packed by gzip. */
import { build } from "esbuild"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { asPublished } from "../built.ts"
import type { Figure, Section } from "../section.ts"

const folder = join(import.meta.dirname, "../bundled")
const root = join(import.meta.dirname, "../..")

/** Of a file's path: whose it is. */
const ownerOf = (path: string): string =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(path)?.[1] ??
  (path.startsWith("packages/") ? "ours" : "the program")

interface Bundle {
  readonly gzip: number
  /** Minified, not packed, by whose it is. */
  readonly parts: ReadonlyMap<string, number>
}

const bundle = async (entry: string): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(folder, `${entry}.ts`)],
    outdir: "build",
    absWorkingDir: root,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    plugins: [asPublished],
    logLevel: "error"
  })
  const parts = new Map<string, number>()
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      parts.set(ownerOf(path), (parts.get(ownerOf(path)) ?? 0) + bytesInOutput)
    }
  }
  return { gzip: gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length, parts }
}

const names = {
  floor: "effect with HttpClient, fetch and Schema",
  call: "login and one call",
  encrypted: "login and one call, encrypted",
  everything: "everything"
} as const

const kilobytes = (name: string, bytes: number): Figure => ({ name, value: bytes / 1_000, unit: "kB" })

export const bundles: Section = async () => {
  const figures: Record<string, Figure> = {}
  for (const [entry, name] of Object.entries(names)) {
    const { gzip, parts } = await bundle(entry)
    figures[`bundle ${entry}`] = kilobytes(`**${name}**, gzip`, gzip)
    for (const [owner, bytes] of parts) {
      figures[`bundle ${entry} ${owner}`] = kilobytes(`${name}: ${owner}, minified`, bytes)
    }
  }
  return { contests: {}, figures }
}
