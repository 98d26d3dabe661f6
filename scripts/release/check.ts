// Rehearses a release in a copy of what is committed: versions, packing, publishing, and what comes with a release. Nothing
// is published, and the working tree stays as it is. `--require-audit` fails where the registry offers no audit.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { check, ensure, outcome, run, start, temporary, whole } from "../packed/run.mjs"
import { type Manifest, manifests, packageManagerOf } from "../manifests.ts"
import { packAll } from "../packed/pack.ts"
import { inWords, readAudit } from "./audit.ts"
import { type Bill, incompatible, summary, table } from "./licences.ts"

const root = resolve(import.meta.dirname, "../..")
const copy = join(temporary, "copy")
const tarballs = join(temporary, "tarballs")
const user = join(temporary, "user")
const out = join(root, "build/release")
const requireAudit = parseArgs({ options: { "require-audit": { type: "boolean", default: false } } }).values[
  "require-audit"
]

const packageManager = packageManagerOf(root)

const inCopy = (command: string, ...args: ReadonlyArray<string>) => run(command, args, { cwd: copy, seconds: 600 })
const pnpm = (...args: ReadonlyArray<string>) => inCopy("npx", "--yes", packageManager, ...args)
const tool = (name: string) => join(copy, "node_modules/.bin", name)

const clone = async (): Promise<string> => {
  await run("git", ["clone", "--quiet", "--no-hardlinks", root, copy], { cwd: temporary })
  const { stdout } = await run("git", ["status", "--porcelain"], { cwd: root })
  const head = (await inCopy("git", "rev-parse", "--short", "HEAD")).stdout.trim()
  return stdout === "" ? head : `${head}, without what is not committed yet`
}

const inBrief = (packages: ReadonlyArray<Manifest>): string =>
  packages.map(({ name, version }) => `${name} ${version}`).join(", ")

const changesets = (): ReadonlyArray<string> =>
  readdirSync(join(copy, ".changeset"))
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .map((file) => readFileSync(join(copy, ".changeset", file), "utf8"))

const majorOf = (version: string | undefined): string | undefined => version?.split(".")[0]

const version = async (): Promise<string> => {
  const before = new Map(manifests(copy).map(({ name, version }) => [name, version]))
  const waiting = changesets()
  if (waiting.length === 0) return `no change waits to be released; ${inBrief(manifests(copy))}`
  await inCopy(tool("changeset"), "version")
  const changed = manifests(copy).filter(({ name, version }) => before.get(name) !== version)
  ensure(changed.length > 0, `${waiting.length} changesets changed no version.`)
  for (const { folder, name, version } of changed) {
    const log = join(folder, "CHANGELOG.md")
    const isLogged = existsSync(log) && readFileSync(log, "utf8").includes(`\n## ${version}\n`)
    ensure(isLogged, `${name} has no entry for ${version} in its CHANGELOG.md.`)
    const isAskedFor = majorOf(before.get(name)) === majorOf(version) || waiting.some((text) => /: major$/m.test(text))
    ensure(isAskedFor, `${name} would become ${version}, and no changeset asks for a major version.`)
  }
  return `${waiting.length} changesets: ${inBrief(changed)}`
}

/** Each as the registry would be given it. */
const publish = async (): Promise<string> => {
  for (const { folder, name, version: now } of manifests(copy)) {
    const args = ["--yes", packageManager, "publish", "--dry-run", "--no-git-checks", "--json"]
    const { stdout } = await run("npx", args, { cwd: folder })
    ensure(stdout.includes(`"${name}@${now}"`), `pnpm publish says nothing of ${name}@${now}:\n${stdout}`)
  }
  return `${inBrief(manifests(copy))}, as a dry run`
}

const install = async (files: ReadonlyArray<string>): Promise<void> => {
  mkdirSync(user)
  const { version: released = "0.0.0" } = manifests(copy)[0] ?? {}
  writeFileSync(join(user, "package.json"), JSON.stringify({ name: "effect-ig", version: released, private: true }))
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", ...files], { cwd: user })
}

const bill = async (): Promise<Bill> => {
  const file = join(user, "bom.json")
  const flags = ["--omit", "dev", "--output-format", "JSON", "--output-reproducible", "--output-file", file]
  await run(tool("cyclonedx-npm"), flags, { cwd: user })
  const made: Bill = JSON.parse(readFileSync(file, "utf8"))
  for (const { name } of manifests(copy)) {
    const isListed = made.components?.some((component) => `${component.group}/${component.name}` === name) === true
    ensure(isListed, `The bill of materials lacks ${name}.`)
  }
  copyFileSync(file, join(out, "bom.json"))
  return made
}

/** `npm audit` ends with 1 both for what it found and for a registry that has no audit: what it prints tells. */
const audit = async (): Promise<string> => {
  const { stdout } = await outcome(start("npm", ["audit", "--json"], user))
  const found = readAudit(stdout)
  const isPassed = found.verdict === "none" || (found.verdict === "unavailable" && !requireAudit)
  ensure(isPassed, `audit: ${inWords(found)}`)
  return inWords(found)
}

const main = async (): Promise<void> => {
  mkdirSync(out, { recursive: true })
  await check("copy of what is committed", clone)
  await check("install by the lockfile alone", async () => {
    await pnpm("install", "--frozen-lockfile", "--ignore-scripts")
  })
  await check("version", version)
  await check("lockfile fits the new versions", async () => {
    await pnpm("install", "--frozen-lockfile", "--ignore-scripts", "--offline")
  })
  await check("build", async () => void (await inCopy(process.execPath, "scripts/build.mjs")))
  await check("packages as users get them", async () => {
    await inCopy(process.execPath, "scripts/check-packed.mjs")
  })
  let files: ReadonlyArray<string> = []
  await check("pack", async () => {
    files = await packAll(copy, tarballs)
    return `${files.length} tarballs`
  })
  await check("publish", publish)
  await check("installation from the tarballs", () => install(files))
  let components: Bill = {}
  await check("bill of materials", async () => {
    components = await bill()
    return `${components.components?.length} components in build/release/bom.json`
  })
  await check("licences", async () => {
    writeFileSync(join(out, "LICENCES.md"), table(components))
    const wrong = incompatible(components)
    ensure(wrong.length === 0, `Not to be used beside MIT: ${wrong.join(", ")}`)
    return `${summary(components)}; listed in build/release/LICENCES.md`
  })
  await check("audit", audit)
}

await whole(main)
