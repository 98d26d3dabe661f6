/**
 * `pnpm bench [--only reads,expiry] [--rounds 30]`: measures, and writes what it finds into `docs/benchmarks.md`. Without
 * `--only` it leaves out what takes longer than all the rest. `--render` writes the page anew from what is known.
 */
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { compile } from "./built.ts"
import { judged } from "./goals.ts"
import { options, UsageError } from "./options.ts"
import { page } from "./page.ts"
import { picture } from "./picture.ts"
import { startServer } from "./processes.ts"
import * as Results from "./results.ts"
import type { Found, Section } from "./section.ts"
import { bundles } from "./sections/bundles.ts"
import { crowds } from "./sections/crowds.ts"
import { expiry, refusal } from "./sections/expiry.ts"
import { fresh } from "./sections/fresh.ts"
import { heap } from "./sections/heap.ts"
import { others } from "./sections/others.ts"
import { many, reads } from "./sections/reads.ts"

const root = resolve(import.meta.dirname, "..")

/** In the order of the page. */
const sections: Readonly<Record<string, Section>> = {
  reads,
  many,
  expiry,
  refusal,
  others,
  fresh,
  bundles,
  crowds,
  heap
}

const usual = ["reads", "many", "expiry", "refusal", "others", "fresh", "bundles"]

const publish = (results: Results.Results): void => {
  const written = join(root, "docs/benchmarks.md")
  Results.write(results)
  writeFileSync(written, page(results))
  const read = Results.contestsOf(results)["read 16"]
  if (read !== undefined) writeFileSync(join(root, "docs/benchmarks.svg"), picture(read))
  spawnSync(join(root, "node_modules/.bin/prettier"), ["--write", written, join(import.meta.dirname, "results.json")])
}

const show = (found: Found): void => {
  for (const { ratios, title } of Object.values(found.contests)) {
    console.log(`  ${title}`)
    for (const { cpu, of, to, wall } of ratios) {
      const [walls, cpus] = [wall, cpu].map(
        ({ high, low, median }) => `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
      )
      console.log(`    ${of} ÷ ${to}: wall ${walls}, CPU ${cpus}`)
    }
  }
  for (const { name, unit, value } of Object.values(found.figures)) {
    console.log(`  ${name}: ${value.toFixed(1)} ${unit}`)
  }
}

const inOrder = (results: Results.Results): Results.Results =>
  Object.fromEntries(Object.keys(sections).flatMap((name) => (results[name] ? [[name, results[name]]] : [])))

const run = async (): Promise<void> => {
  const { isWritten, millis, only, rounds } = options(process.argv.slice(2), Object.keys(sections), usual)
  if (only.length === 0) return publish(inOrder(Results.read()))
  await compile("child", "server", "importing", "crowd")
  const server = await startServer()
  try {
    for (const [name, section] of Object.entries(sections)) {
      if (!only.includes(name)) continue
      console.log(`${name}:`)
      const found = await section({ server, rounds, millis, say: (what) => console.log(`  … ${what}`) })
      show(found)
      if (isWritten) publish(inOrder({ ...Results.read(), [name]: { ...found, taken: Results.taken() } }))
    }
  } finally {
    server.end()
  }
  for (const { bound, measured, verdict, what } of judged(Results.read())) {
    console.log(`${verdict.padEnd(12)}  ${what}${measured && `: ${measured} (${bound})`}`)
  }
}

try {
  await run()
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
