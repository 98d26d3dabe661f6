/** Stryker adds up what each test file has covered; all of them count in one place, which would count it again and again. */
import { afterAll, inject } from "vitest"
import { stryker, worker } from "./worker.ts"

if (inject("mode") === "dry-run") {
  worker.counted.static = {}
  worker.counted.perTest = {}
  stryker.mutantCoverage = worker.counted
  // Hooks run from the last to the first, and Stryker's takes what it finds.
  afterAll(() => {
    stryker.mutantCoverage = { ...worker.counted }
  })
}
