import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { ImportedOrFailed } from "./imported.ts"
import { LikelyFirst, NoticedBy } from "./order.ts"
import { stayAwake } from "./worker.ts"

/** Of which package the mutants are. */
const mutated = process.env["MUTATED"] ?? "core"

const root = join(import.meta.dirname, "..")

/** What takes a socket, a child process or seconds; that none of it is missed the score shows. */
const dear = [
  "bundle",
  "flight",
  "flight.interrupt",
  "once.renewal",
  "processes",
  "script",
  "secrets",
  "secrets.renewal",
  "sockets",
  "sockets.clients",
  "sockets.interrupt",
  "sockets.once",
  "store.processes",
  "throttle.hour",
  "week"
]

export default defineConfig({
  root,
  plugins: [stayAwake()],
  test: {
    name: mutated,

    include: [`packages/${mutated}/test/**/*.test.ts`],
    exclude: dear.map((name) => `packages/*/test/${name}.test.ts`),
    globalSetup: ["packages/core/test/setup/global.ts"],
    setupFiles: [
      "mutation/setup/modules.ts",
      "mutation/setup/coverage.ts",
      "mutation/setup/soon.ts",
      "packages/core/test/setup/output.ts"
    ],
    expect: { requireAssertions: true },
    env: { MUTATED: mutated, CLASSIFY_SEED: "1" },
    testTimeout: 5_000,
    watch: false,
    maxWorkers: 1,
    minWorkers: 1,
    pool: "forks",
    poolOptions: { forks: { isolate: false, maxForks: 1, minForks: 1 } },
    sequence: { sequencer: LikelyFirst },
    reporters: [new NoticedBy(), new ImportedOrFailed()]
  }
})
