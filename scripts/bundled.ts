import { build, type Plugin } from "esbuild"
import { mkdtemp } from "node:fs/promises"
import { dirname, join } from "node:path"
import { inject } from "vitest"

declare module "vitest" {
  export interface ProvidedContext {
    /** See `bundles.ts`. */
    readonly bundles: string
  }
}

/**
 * A program of ours in one file, for tests that start it as a process: by itself it would read some hundred modules, and
 * compile ours, each time. The file is there for as long as the tests run.
 */
export const bundled = async (entry: string, ...plugins: ReadonlyArray<Plugin>): Promise<string> => {
  const outfile = join(await mkdtemp(join(inject("bundles"), "program-")), "program.mjs")
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: false,
    logLevel: "error",
    plugins: [...plugins],
    define: { "import.meta.dirname": JSON.stringify(dirname(entry)) },
    // What is CommonJS inside of it asks for Node's own modules in that way.
    banner: { js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);` }
  })
  return outfile
}
