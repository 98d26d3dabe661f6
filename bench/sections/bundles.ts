/** What a page has to load: bundles of esbuild, minified, and packed by gzip. */
import { build } from "esbuild"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { asPublished } from "../built.ts"
import type { Figure, Section } from "../section.ts"

const folder = join(import.meta.dirname, "../bundled")

const gzipped = async (entry: string): Promise<number> => {
  const { outputFiles } = await build({
    entryPoints: [join(folder, `${entry}.ts`)],
    bundle: true,
    minify: true,
    write: false,
    platform: "browser",
    format: "esm",
    target: "es2022",
    plugins: [asPublished],
    logLevel: "error"
  })
  return gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length
}

const names = {
  floor: "effect with HttpClient, fetch and Schema",
  call: "login and one call",
  encrypted: "login and one call, encrypted",
  everything: "everything"
} as const

export const bundles: Section = async () => {
  const figures: Record<string, Figure> = {}
  for (const [entry, name] of Object.entries(names)) {
    figures[`bundle ${entry}`] = { name: `Bundle: ${name}`, value: (await gzipped(entry)) / 1_000, unit: "kB" }
  }
  return { contests: {}, figures }
}
