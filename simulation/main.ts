/**
 * `pnpm simulate --runs N --seed S`: random programs by the thousand, over all cores. Goes on where it was stopped; what
 * it finds it shrinks, prints and keeps in `regressions/`, which the tests run.
 */
import { fork } from "node:child_process"
import { createHash } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { add, emptyTally, shortcomings, table } from "./distribution.ts"
import { type Batch, search, type Searched } from "./search.ts"
import { hashOfSources } from "./sources.ts"

const here = import.meta.dirname

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    batch: { type: "string", default: "250" },
    cores: { type: "string", default: String(availableParallelism()) },
    retries: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
    "no-shrink": { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    worker: { type: "boolean", default: false }
  }
})

/** Errors by the thousand, whose stacks nobody reads. */
const quick = ["--stack-trace-limit=0"]

const worker = (): void => {
  process.on("message", (batch: Batch) => {
    void search(batch).then((searched) => process.send?.(searched))
  })
}

const batches = (): ReadonlyArray<Batch> => {
  const runs = Number(values.runs)
  const size = Number(values.batch)
  return Array.from({ length: Math.ceil(runs / size) }, (_, index) => ({
    seed: Number(values.seed) * 1_000_003 + index,
    runs: Math.min(size, runs - index * size),
    retries: values.retries,
    small: values.small,
    shrink: !values["no-shrink"]
  }))
}

const keep = ({ batch, finding }: Searched): void => {
  if (finding === undefined) return
  const text = `${JSON.stringify(finding.program, undefined, 2)}\n`
  const name = createHash("sha256").update(text).digest("hex").slice(0, 12)
  console.log(`\nFound, in the batch with seed ${batch.seed}:\n  ${finding.violations.join("\n  ")}\n${text}`)
  if (values["no-shrink"]) return
  mkdirSync(join(here, "regressions"), { recursive: true })
  writeFileSync(join(here, "regressions", `${name}.json`), text)
}

/** What an earlier run of the same command over the same code has done already. */
const progress = (file: string): ReadonlyArray<Searched> => {
  if (values.fresh) rmSync(file, { force: true })
  if (!existsSync(file)) return []
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Searched => JSON.parse(line))
}

const parent = async (): Promise<void> => {
  const all = batches()
  mkdirSync(join(here, "build"), { recursive: true })
  const kind = [values.retries ? "-retries" : "", values.small ? "-small" : ""].join("")
  const name = [hashOfSources(here), values.seed, values.runs, values.batch].join("-")
  const file = join(here, "build", `progress-${name}${kind}.jsonl`)
  const before = progress(file)
  const tally = emptyTally()
  let found = 0
  const take = (searched: Searched) => {
    add(tally, searched.tally)
    if (searched.finding !== undefined) found += 1
    keep(searched)
  }
  before.forEach(take)
  const done = new Set(before.map(({ batch }) => batch.seed))
  const todo = all.filter(({ seed }) => !done.has(seed))
  if (before.length > 0) console.log(`Going on: ${before.length} of ${all.length} batches are done.`)

  const begun = Date.now()
  const drive = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(import.meta.filename, ["--worker"], { execArgv: [...process.execArgv, ...quick] })
      const next = () => {
        const batch = found > 0 ? undefined : todo.shift()
        if (batch === undefined) child.disconnect()
        else child.send(batch)
      }
      child.on("message", (searched: Searched) => {
        appendFileSync(file, `${JSON.stringify(searched)}\n`)
        take(searched)
        process.stderr.write(`\r${tally.programs} programs, ${Math.round((Date.now() - begun) / 1000)} s `)
        next()
      })
      child.on("error", reject)
      child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))))
      next()
    })
  await Promise.all(Array.from({ length: Math.min(Number(values.cores), Math.max(1, todo.length)) }, drive))

  // Small ones add to what others have met.
  const missed = found > 0 || values.small ? [] : shortcomings(tally)
  console.log(
    `\n${tally.programs} programs, seed ${values.seed}, in ${Math.round((Date.now() - begun) / 1000)} s\n\n${table(tally)}`
  )
  for (const miss of missed) console.log(`Too seldom: ${miss}`)
  console.log(
    found > 0
      ? "\nAn invariant does not hold."
      : missed.length > 0
        ? "\nThe search is too narrow."
        : "\nAll invariants hold."
  )
  process.exitCode = found > 0 || missed.length > 0 ? 1 : 0
}

if (values.worker) worker()
else await parent()
