// A lint rule that is never seen red may be misspelt. Each of these files breaks one rule, and must be reported for it.
import { spawnSync } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"

const imports = "no-restricted-imports"
const globals = "no-restricted-globals"
const properties = "no-restricted-properties"

/** @type {ReadonlyArray<readonly [file: string, rule: string, code: string]>} */
const bad = [
  ["packages/core/src/node.ts", imports, `import * as fs from "node:fs"\nexport const a = fs`],
  ["packages/core/src/typeOnly.ts", imports, `import type { Stats } from "node:fs"\nexport type A = Stats`],
  ["packages/core/src/dynamic.ts", imports, `export const a = () => import("node:fs")`],
  ["packages/core/src/platformNode.ts", imports, `export * from "@effect/platform-node/NodeHttpClient"`],
  ["packages/core/src/forge.ts", imports, `import * as forge from "node-forge"\nexport const a = forge`],
  ["packages/core/src/sandbox.ts", imports, `import * as S from "@effect-ig/sandbox/Sandbox"\nexport const a = S`],
  ["packages/core/src/relative.ts", imports, `import * as S from "../../sandbox/src/Sandbox.ts"\nexport const a = S`],
  [
    "packages/core/src/encryption.ts",
    imports,
    `import * as E from "@effect-ig/encryption/PasswordEncryption"\nexport const a = E`
  ],
  ["packages/core/src/barrel.ts", imports, `import { Effect } from "effect"\nexport const a = Effect`],
  ["packages/core/src/schema.ts", imports, `import * as S from "@effect/schema"\nexport const a = S`],
  ["packages/encryption/src/node.ts", imports, `import * as c from "node:crypto"\nexport const a = c`],
  [
    "packages/encryption/src/sandbox.ts",
    imports,
    `import * as S from "@effect-ig/sandbox/Sandbox"\nexport const a = S`
  ],
  [
    "packages/encryption/src/internal.ts",
    imports,
    `import * as S from "@effect-ig/core/internal/send"\nexport const a = S`
  ],
  ["packages/encryption/src/forge.ts", imports, `import forge from "node-forge"\nexport const a = forge`],
  ["packages/sandbox/src/core.ts", imports, `import * as C from "@effect-ig/core/IgError"\nexport const a = C`],
  ["packages/sandbox/src/relative.ts", imports, `import * as C from "../../core/src/IgError.ts"\nexport const a = C`],
  ["examples/barrel.ts", imports, `import { Effect } from "effect"\nexport const a = Effect`],
  ["packages/core/src/date.ts", globals, `export const a = Date.now()`],
  ["packages/core/src/timer.ts", globals, `setTimeout(() => {}, 1)`],
  ["packages/core/src/process.ts", globals, `export const a = process.env`],
  ["packages/encryption/src/buffer.ts", globals, `export const a = Buffer.from("a")`],
  [
    "packages/core/src/defect.ts",
    properties,
    `import * as Effect from "effect/Effect"\nexport const a = Effect.catchAllDefect`
  ],
  [
    "packages/core/src/cause.ts",
    properties,
    `import * as Effect from "effect/Effect"\nexport const a = Effect.catchAllCause`
  ],
  [
    "packages/encryption/src/run.ts",
    properties,
    `import * as Effect from "effect/Effect"\nexport const a = Effect.runPromise`
  ],
  ["packages/core/src/random.ts", properties, `export const a = Math.random()`],
  ["packages/core/src/any.ts", "no-explicit-any", `export const a = (b: any) => b`],
  ["packages/core/src/nonNull.ts", "no-non-null-assertion", `export const a = (b: string | undefined) => b!.length`],
  ["packages/core/src/ignore.ts", "ban-ts-comment", `// @ts-ignore\nexport const a: string = 1`],
  ["packages/core/src/console.ts", "no-console", `console.log(1)`],
  ["packages/core/test/only.test.ts", "no-focused-tests", `import { it } from "vitest"\nit.only("a", () => {})`],
  ["packages/core/test/skip.test.ts", "no-disabled-tests", `import { it } from "vitest"\nit.skip("a", () => {})`]
]

const root = resolve(import.meta.dirname, "..")
const folder = mkdtempSync(join(tmpdir(), "lint-rules-"))
try {
  cpSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"))
  for (const [file, , code] of bad) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), `${code}\n`)
  }
  const lint = spawnSync(join(root, "node_modules/.bin/oxlint"), ["--format", "json"], {
    cwd: folder,
    encoding: "utf8"
  })
  const { diagnostics } = JSON.parse(lint.stdout)
  const silent = bad.filter(
    ([file, rule]) => !diagnostics.some((found) => found.filename.endsWith(file) && found.code.includes(rule))
  )
  for (const [file, rule] of silent) console.error(`${rule} says nothing about ${file}`)
  if (silent.length > 0) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
