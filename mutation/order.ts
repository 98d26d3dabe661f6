/** The test file that has noticed the last mutant is likely to notice the next one, which is often on the same line. */
import { relative } from "node:path"
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from "vitest/node"

/** What takes longest comes last, as long as nothing is known. */
const slow = ["faults", "decode", "store.file", "ladder", "classify"]

/** The best comes last. */
let noticed: ReadonlyArray<string> = []

export class NoticedBy implements Reporter {
  onTestModuleEnd(module: TestModule): void {
    if (module.ok()) return
    noticed = [...noticed.filter((id) => id !== module.moduleId), module.moduleId]
  }
}

const rank = ({ moduleId }: TestSpecification): number => {
  const place = noticed.indexOf(moduleId)
  if (place !== -1) return -1 - place
  return slow.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`)) + 1
}

export class LikelyFirst extends BaseSequencer {
  override sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const named = files.map((file) => ({ file, name: relative(file.project.config.root, file.moduleId) }))
    named.sort((a, b) => rank(a.file) - rank(b.file) || (a.name < b.name ? -1 : 1))
    return Promise.resolve(named.map(({ file }) => file))
  }
}
