/**
 * `pnpm mutate`: whether the tests would notice, by changing the source in thousands of places, one at a time. Ends with 1
 * where too few of the changes are noticed, or where one is not that nobody has explained.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { merged, ranges } from "./again.ts"
import { copy } from "./copy.ts"
import * as Kept from "./kept.ts"
import { options, type Options, usage, UsageError } from "./options.ts"
import { decode, type Report, testsOf } from "./report.ts"
import { percent, row, type Score, scores, sum } from "./score.ts"
import { type Mutated, mutated, type Shard, shards, sources } from "./shards.ts"
import { mutate, stop, tests } from "./stryker.ts"
import { explained, inWords, missing } from "./survivors.ts"
import { broken } from "./verdict.ts"

const root = resolve(import.meta.dirname, "..")
const reports = join(root, "build/mutation")

const asked = (only: ReadonlyArray<string>): ReadonlyArray<Shard> =>
  mutated.flatMap((of): ReadonlyArray<Shard> => {
    const all = sources(root, of)
    if (only.length === 0) return shards(of, all)
    const files = all.map(({ file }) => file).filter((file) => only.some((name) => `/${file}`.endsWith(`/${name}`)))
    return files.length === 0 ? [] : [{ name: `only-${of}`, of, files }]
  })

const say = (line: string): void => console.log(line)

const time = (): string => new Date().toISOString().slice(11, 19)

interface Task {
  readonly shard: Shard
  /** What is known of it, but for tests that are new. */
  readonly before: Kept.Kept | undefined
  /** Files, or ranges of them. */
  readonly mutants: ReadonlyArray<string>
}

/** What there is no report of; and what survived, where there are more tests now. */
const tasks = (wanted: ReadonlyArray<Shard>, inputs: Kept.Inputs, fresh: boolean): ReadonlyArray<Task> =>
  wanted
    .map((shard): Task => {
      const before = fresh ? undefined : Kept.kept(reports, shard, inputs)
      if (before === undefined) return { shard, before, mutants: shard.files }
      return { shard, before, mutants: Kept.isOld(before.inputs, inputs) ? ranges(before.report) : [] }
    })
    .filter(({ mutants }) => mutants.length > 0)

const work = async (todo: ReadonlyArray<Task>, inputs: Kept.Inputs): Promise<void> => {
  const { folder, remove } = copy(root)
  const scratch = mkdtempSync(join(tmpdir(), "mutate-report-"))
  const end = () => {
    stop()
    remove()
    rmSync(scratch, { recursive: true, force: true })
  }
  const interrupted = () => {
    end()
    process.exit(130)
  }
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted)
  try {
    const expected = new Map<Mutated, number>()
    for (const { before, mutants, shard } of todo) {
      const begun = performance.now()
      const all = expected.get(shard.of) ?? (await tests(folder, shard.of))
      expected.set(shard.of, all)
      const file = join(scratch, `${shard.name}.json`)
      await mutate(folder, shard.of, mutants, file)
      const found = decode(readFileSync(file, "utf8"))
      const had = testsOf(found)
      if (had !== all) throw new Error(`${shard.name}: the first run had ${had} tests, and vitest has ${all}`)
      const report = before === undefined ? found : merged(before.report, found)
      const seconds = Math.round((performance.now() - begun) / 1000) + (before?.seconds ?? 0)
      Kept.keep(reports, shard, { inputs, files: shard.files, seconds, report })
      const counts = sum(scores(report))
      say(
        `${time()} ${shard.name}: ${counts.all} mutants by ${had} tests in ${seconds} s, ${percent(counts).toFixed(1)} %`
      )
    }
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted)
    end()
  }
}

const tell = (all: ReadonlyArray<Score>): void => {
  say("")
  for (const score of all) say(row(score.file, score))
  for (const of of mutated) {
    const own = all.filter(({ file }) => file.startsWith(`packages/${of}/`))
    if (own.length > 0) say(row(of, sum(own)))
  }
  const { all: count, ignored } = sum(all)
  say(`${ignored} of ${count} ignored`)
}

const main = async ({ fresh, judge, only }: Options): Promise<boolean> => {
  const wanted = asked(only)
  if (wanted.length === 0) throw new UsageError(`no such source: ${only.join(", ")}`)
  const inputs = Kept.inputs(root)
  const known = explained(join(root, "mutation/survivors.json"))
  const todo = judge ? [] : tasks(wanted, inputs, fresh)
  if (todo.length > 0) await work(todo, inputs)
  const kept = wanted.flatMap((shard) => Kept.kept(reports, shard, inputs) ?? [])
  const all = kept.flatMap(({ report }: { readonly report: Report }) => scores(report))
  tell(all)
  if (only.length > 0) {
    const unknown = missing(
      all.flatMap(({ survivors }) => survivors),
      known
    )
    for (const one of unknown) say(inWords(one))
    return true
  }
  const complaints = [
    ...(kept.length < wanted.length
      ? [`${wanted.length - kept.length} of ${wanted.length} shards have no report`]
      : []),
    ...broken(all, known)
  ]
  const seconds = kept.reduce((total, one) => total + one.seconds, 0)
  say(`${(seconds / 60).toFixed(1)} minutes in ${kept.length} shards`)
  for (const one of complaints) console.error(one)
  return complaints.length === 0
}

try {
  process.exitCode = (await main(options(process.argv.slice(2)))) ? 0 : 1
} catch (error) {
  console.error(`mutate: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof UsageError) console.error(usage)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
