/** The programs of the benchmark as users would run them: our packages as they are published, and nothing compiled on the way. */
import { build, type Plugin } from "esbuild"
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")

/** Where a public module of ours is once it is published. */
export const published = (specifier: string): string => {
  const [, name = "", module = ""] = /^@effect-ig\/([^/]+)\/(.+)$/.exec(specifier) ?? []
  const folder = join(root, "packages", name)
  const { publishConfig } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  return join(folder, publishConfig.exports[`./${module}`].default)
}

/** Reads our packages as they are published. */
export const asPublished: Plugin = {
  name: "as published",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^@effect-ig\// }, ({ path }) => ({ path: published(path), sideEffects: false }))
  }
}

export const folder = join(import.meta.dirname, "build")

export const program = (name: string): string => join(folder, `${name}.mjs`)

/** What is not ours stays where it is installed. */
export const external = ["effect/*", "@effect/*", "ig-trading-api"]

export const compile = async (...names: ReadonlyArray<string>): Promise<void> => {
  await build({
    entryPoints: names.map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    external,
    plugins: [asPublished],
    logLevel: "error"
  })
}
