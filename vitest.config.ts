import { defineConfig } from "vitest/config"
import StrictReporter from "./scripts/strict-reporter.ts"
import DearFirst from "./scripts/dear-first.ts"
import projects from "./vitest.workspace.ts"

export default defineConfig({
  test: {
    projects,
    sequence: { sequencer: DearFirst },
    globalSetup: ["scripts/bundles.ts"],
    reporters: ["default", new StrictReporter()],
    allowOnly: false,
    passWithNoTests: false,
    maxWorkers: 2,
    minWorkers: 1,
    // Reading effect anew for each file would take longer than most of the tests.
    poolOptions: { forks: { isolate: false } }
  }
})
