import type { Reporter, TestModule } from "vitest/node"

/** Fails the run for a test that did not run, and closes with one plain line that any machine can read. */
export default class StrictReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        counts[state] += 1
        if (state === "skipped" || state === "pending") process.stdout.write(`not run: ${test.fullName}\n`)
      }
      if (module.state() === "failed" && module.errors().length > 0) counts.failed += 1
    }
    const failed = counts.failed + counts.skipped + counts.pending + unhandled.length
    if (failed > 0) process.exitCode = 1
    process.stdout.write(`\n${counts.passed} passed, ${failed} failed\n`)
  }
}
