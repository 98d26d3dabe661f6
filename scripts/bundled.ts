import { build, type BuildOptions, context, type Plugin } from "esbuild"
import { copyFile, mkdtemp } from "node:fs/promises"
import { dirname, join } from "node:path"
import { inject } from "vitest"

declare module "vitest" {
  export interface ProvidedContext {
    /** See `bundles.ts`. */
    readonly bundles: string
  }
}

const folder = (): Promise<string> => mkdtemp(join(inject("bundles"), "program-"))

const options = (entry: string, outfile: string) =>
  ({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: false,
    logLevel: "error",
    define: { "import.meta.dirname": JSON.stringify(dirname(entry)) },
    // What is CommonJS inside of it asks for Node's own modules in that way.
    banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` }
  }) satisfies BuildOptions

/**
 * A program of ours in one file, for tests that start it as a process: by itself it would read some hundred modules, and
 * compile ours, each time. The file is there for as long as the tests run.
 */
export const bundled = async (entry: string): Promise<string> => {
  const outfile = join(await folder(), "program.mjs")
  await build(options(entry, outfile))
  return outfile
}

/** The same program in many variants, one after the other: what they have in common is read once. */
export const bundledVariants = async (
  entry: string,
  count: number,
  plugin: (current: () => number) => Plugin
): Promise<ReadonlyArray<string>> => {
  const into = await folder()
  const outfile = join(into, "program.mjs")
  const variants: Array<string> = []
  const builder = await context({ ...options(entry, outfile), plugins: [plugin(() => variants.length)] })
  while (variants.length < count) {
    await builder.rebuild()
    const variant = join(into, `variant-${variants.length}.mjs`)
    await copyFile(outfile, variant)
    variants.push(variant)
  }
  await builder.dispose()
  return variants
}
