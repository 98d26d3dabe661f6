import { defineConfig } from "vitest/config"
import StrictReporter from "./scripts/strict-reporter.ts"
import projects from "./vitest.workspace.ts"

export default defineConfig({
  test: {
    projects,
    reporters: ["default", new StrictReporter()],
    allowOnly: false,
    passWithNoTests: false,
    maxWorkers: 2,
    minWorkers: 1,
    // Effect makes much that lives for a moment.
    poolOptions: { forks: { execArgv: ["--max-semi-space-size=64"] } }
  }
})
