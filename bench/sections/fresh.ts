/** What a fresh process takes: to import the library, and until its first call is answered. */
import { build } from "esbuild"
import { pathToFileURL } from "node:url"
import { external, published } from "../built.ts"
import type { SideName } from "../child.ts"
import { type Server, startImport, startSide } from "../processes.ts"
import { slow } from "../race.ts"
import { contest, type Cost } from "../samples.ts"
import type { Section } from "../section.ts"
import { inTurns, type Turn } from "../turns.ts"

const ours = ["Endpoint", "IgClient", "Session"].map((name) => published(`@effect-ig/core/${name}`))

/** The modules of effect and platform that ours import, directly or by way of each other. */
const imported = async (): Promise<ReadonlyArray<string>> => {
  const { metafile } = await build({
    entryPoints: ours,
    outdir: "build",
    write: false,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external,
    metafile: true,
    treeShaking: false,
    logLevel: "error"
  })
  const imports = Object.values(metafile.inputs).flatMap(({ imports }) => imports)
  return [...new Set(imports.filter(({ external }) => external === true).map(({ path }) => path))]
}

const importing = async (modules: ReadonlyArray<string>): Promise<Cost> => {
  const { end, first } = await startImport(modules)
  end()
  return first
}

/** Logged in and read once, from the start of the process. */
const firstCall = async (server: Server, name: SideName): Promise<Cost> => {
  const side = await startSide(name, server.address)
  const { sinceStart } = await side.ask({ task: "read", calls: 1, inFlight: 1 })
  side.end()
  return sinceStart
}

const warmed = async (turns: ReadonlyArray<Turn>): Promise<ReadonlyArray<Turn>> => {
  for (const { once } of turns) await once(0)
  return turns
}

export const fresh: Section = async ({ say, server, ...pace }) => {
  say("import")
  const theirs = await imported()
  const imports = await warmed([
    { name: "ours", once: () => importing(ours.map((path) => pathToFileURL(path).href)) },
    { name: "effect's modules that ours import", once: () => importing(theirs) }
  ])
  const importTime = contest(
    {
      title: "Import in a fresh process",
      each: "an import",
      pairs: [["ours", "effect's modules that ours import"]]
    },
    await inTurns(imports, pace.rounds)
  )
  say("first call")
  const sides = ["ours", "platform", "undici", "ig-trading-api"] as const
  const calls = await warmed(sides.map((name) => ({ name, once: () => firstCall(server, name) })))
  const first = contest(
    {
      title: "First call of a fresh process: started, logged in, answered",
      each: "a process",
      pairs: sides.slice(1).map((side) => ["ours", side])
    },
    await inTurns(calls, slow(pace).rounds)
  )
  return { contests: { import: importTime, "first call": first }, figures: {} }
}
