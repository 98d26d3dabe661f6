import { build, type Plugin } from "esbuild"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll } from "vitest"

/**
 * A program of ours in one file, for tests that start it as a process: by itself it would read some hundred modules, and
 * compile ours, each time. To be called where a test file is read, after which the file is removed again.
 */
export const bundled = async (entry: string, ...plugins: ReadonlyArray<Plugin>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "bundled-"))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const outfile = join(folder, "program.mjs")
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
