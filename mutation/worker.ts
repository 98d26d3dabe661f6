import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"
import type { Plugin } from "vitest/config"

const require = createRequire(import.meta.url)

/** Vitest ends its worker after each run, and the next one would read effect anew for each mutant. */
export const stayAwake = (): Plugin => ({
  name: "one-worker",
  async configureVitest({ vitest, project }) {
    vitest.config.pool = "forks"
    project.config.pool = "forks"
    const from = createRequire(require.resolve("vitest/package.json"))
    const { default: Tinypool } = await import(pathToFileURL(from.resolve("tinypool")).href)
    Tinypool.prototype.recycleWorkers = () => Promise.resolve()
  }
})
