/**
 * Stryker counts tests that fail. A test file that cannot be imported has none, so a mutant that breaks its imports would
 * count as one that nobody notices.
 */
import type { RunnerTestCase, RunnerTestFile } from "vitest"
import type { Reporter, TestModule } from "vitest/node"

export class ImportedOrFailed implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    for (const module of modules) {
      const errors = module.errors()
      const file = module.project.vitest.state.getFiles().find(({ id }) => id === module.id)
      if (errors.length > 0 && file?.tasks.length === 0) file.tasks.push(notImported(file, errors))
    }
  }
}

/** Nothing will run it, so that it needs nothing to be run with. */
const notImported = (file: RunnerTestFile, errors: ReturnType<TestModule["errors"]>): RunnerTestCase => {
  const test: Partial<RunnerTestCase> = {
    type: "test",
    id: `${file.id}_imported`,
    name: "can be imported",
    mode: "run",
    file,
    meta: {},
    result: { state: "fail", errors: [...errors] }
  }
  return test as RunnerTestCase
}
