import { createHash } from "node:crypto"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Begun last, one of these would keep a single core busy while the other has nothing left to do. */
const dear = [
  "simulation.test.ts",
  "flight.test.ts",
  "week.test.ts",
  "store.processes.test.ts",
  "processes.test.ts",
  "flight.interrupt.test.ts",
  "secrets.test.ts",
  "classify.test.ts",
  "throttle.hour.test.ts",
  "once.renewal.test.ts",
  "ladder.test.ts",
  "rsa.test.ts",
  "malice.test.ts",
  "demo.test.ts"
]

const rank = ({ moduleId }: TestSpecification): number => {
  const place = dear.findIndex((name) => moduleId.endsWith(`/${name}`))
  return place === -1 ? dear.length : place
}

const lot =
  (seed: number) =>
  ({ moduleId }: TestSpecification): string =>
    createHash("sha256").update(`${seed} ${moduleId}`).digest("hex")

/** The order of the test files; by lot when `--sequence.shuffle` asks for that. */
export default class DearFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const { seed, shuffle } = this.ctx.config.sequence
    if (shuffle !== false && shuffle !== undefined) {
      const drawn = lot(seed)
      return files.sort((a, b) => drawn(a).localeCompare(drawn(b)))
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}
