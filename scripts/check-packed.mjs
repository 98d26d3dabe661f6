// Packs every package as it would be published, installs the tarballs into an empty project outside the repository, and
// uses them there: types, imports, sessions, the executable. Needs a POSIX system with `tar`, and npm's registry.
import { build } from "esbuild"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { serveAndEnd } from "./packed/executable.mjs"
import { check, ensure, node, run, temporary, whole } from "./packed/run.mjs"

const root = resolve(import.meta.dirname, "..")
const project = join(temporary, "project")
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"))
const tool = (name) => join(root, "node_modules/.bin", name)

const { packageManager } = readJson(join(root, "package.json"))
const catalog = new Map(
  [...readFileSync(join(root, "pnpm-workspace.yaml"), "utf8").matchAll(/^ {2}"?([@\w/-]+)"?: (\S+)$/gm)].map(
    ([, name, version]) => [name, version]
  )
)

/** What a user installs beside our packages; without `effect@3` npm brings the next major version. */
const companions = () => {
  const names = ["platform", "platform-node", "cluster", "rpc", "sql"].map((name) => `@effect/${name}`)
  const missing = names.find((name) => !catalog.has(name))
  ensure(missing === undefined, `The catalog of pnpm-workspace.yaml lacks ${missing}.`)
  return ["effect@3", ...[...names, "@types/node"].map((name) => `${name}@${catalog.get(name)}`)]
}

const pack = async (folder) => {
  const cwd = join(root, "packages", folder)
  const command = ["--yes", packageManager, "pack", "--json", "--pack-destination", temporary]
  const { filename: tarball } = JSON.parse((await run("npx", command, { cwd })).stdout)
  const unpacked = join(temporary, "unpacked", folder)
  mkdirSync(unpacked, { recursive: true })
  await run("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components", "1"], { cwd })
  const manifest = readJson(join(unpacked, "package.json"))
  const files = readdirSync(unpacked, { recursive: true }).map((file) => file.replaceAll("\\", "/"))
  const isModule = ([path, target]) => target !== null && path !== "./package.json"
  const modules = Object.entries(manifest.exports).filter(isModule)
  return { name: manifest.name, tarball, unpacked, manifest, files, modules: modules.map(([path]) => path.slice(2)) }
}

const checkContents = ({ name, unpacked, manifest, files, modules }) => {
  ensure(files.includes("LICENSE"), `${name} is packed without a LICENSE.`)
  ensure(modules.length > 0, `${name} exports no module.`)
  const pattern = modules.find((path) => path.includes("*"))
  ensure(pattern === undefined, `${name} exports "${pattern}": name each module, no tool checks a pattern.`)
  const internal = modules.find((path) => /(^|\/)internal\//.test(path))
  ensure(internal === undefined, `${name} exports "${internal}", which is internal.`)
  const local = Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies }).find(([, range]) =>
    /^(workspace|catalog|file|link):/.test(range)
  )
  ensure(local === undefined, `${name} asks for ${local?.join(" ")}, which exists in this repository only.`)
  const hooks = ["preinstall", "install", "postinstall", "prepare"].filter((hook) => hook in (manifest.scripts ?? {}))
  ensure(hooks.length === 0, `${name} runs ${hooks.join(", ")} at its users'.`)
  for (const file of files) {
    ensure(!/\.tsbuildinfo|\.test\.|node_modules/.test(file), `${name} is packed with ${file}.`)
    if (!/^build\/.*\.map$/.test(file)) continue
    for (const source of readJson(join(unpacked, file)).sources) {
      const exists = existsSync(resolve(unpacked, file, "..", source))
      ensure(exists, `${name} is packed with ${file}, whose source ${source} is gone: remove build/ and build again.`)
    }
  }
}

/** Paths that exist in the tarball, or would without `exports`, and that nobody may import. */
const privatePaths = ({ name, files }) => [
  name,
  ...files
    .map((file) => /^build\/(internal\/.*)\.js$/.exec(file)?.[1])
    .filter((path) => path !== undefined)
    .flatMap((path) => [`${name}/${path}`, `${name}/${path}.js`, `${name}/build/${path}.js`])
]

const programs = (packages) => [
  "session",
  ...(packages.some(({ name }) => name.endsWith("/encryption")) ? ["encryption"] : [])
]

const install = async (packages) => {
  mkdirSync(project)
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module", scripts: { sandbox: "ig-sandbox" } })
  )
  // None of our packages has an install script; those of native accelerators would only be warned about.
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--strict-peer-deps"]
  const tarballs = packages.map(({ tarball }) => tarball)
  const others = companions()
  // A setting of the machine's own that npm does not know says nothing about the packages.
  const { stderr } = await run("npm", ["install", ...flags, ...tarballs, ...others], { cwd: project })
  const warnings = stderr.split("\n").filter((line) => /^npm warn/i.test(line) && !/Unknown .* config/.test(line))
  ensure(warnings.length === 0, `npm warns about the installation:\n${warnings.join("\n")}`)
  return [...packages.map(({ name }) => name), ...others].join(", ")
}

const oneEffect = async () => {
  const { stdout } = await run("npm", ["ls", "effect", "--all", "--parseable"], { cwd: project })
  const copies = new Set(stdout.split("\n").filter((path) => /[\\/]node_modules[\\/]effect$/.test(path)))
  ensure(copies.size === 1, `There are ${copies.size} copies of effect in the tree:\n${stdout}`)
  return readJson(join(...copies, "package.json")).version
}

const writePrograms = (packages) => {
  for (const name of programs(packages))
    copyFileSync(join(root, `scripts/packed/${name}.mts`), join(project, `${name}.mts`))
  const open = packages.flatMap(({ name, modules }) => modules.map((path) => `${name}/${path}`))
  const closed = packages.flatMap(privatePaths)
  writeFileSync(
    join(project, "paths.mts"),
    [
      ...open.map((path, index) => `import * as Open${index} from "${path}"`),
      `export const open: ReadonlyArray<object> = [${open.map((_, index) => `Open${index}`).join(", ")}]`,
      ...closed.map((path) => `// @ts-expect-error\nexport type * from "${path}"`)
    ].join("\n")
  )
  writeFileSync(
    join(project, "import.mjs"),
    `for (const path of ${JSON.stringify(open)}) await import(path)
for (const path of ${JSON.stringify(closed)}) {
  const answer = await import(path).then(() => "loaded", (error) => error.code)
  if (answer !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(path + " is not refused: " + answer)
}`
  )
  return { open, closed }
}

const typeCheck = async (name, compilerOptions) => {
  const options = { target: "es2022", strict: true, skipLibCheck: false, types: ["node"], ...compilerOptions }
  const config = join(project, `tsconfig.${name}.json`)
  writeFileSync(config, JSON.stringify({ compilerOptions: options, include: ["*.mts"] }))
  await run(tool("tsc"), ["-p", config, "--pretty", "false"], { cwd: project })
}

const runProgram = async (name, expected) => {
  const { stdout, stderr } = await node(["--throw-deprecation", `${name}.mjs`], { cwd: project, seconds: 60 })
  ensure(stdout === expected && stderr === "", `The program ${name} printed:\n${stdout}${stderr}`)
  return stdout.trim().replaceAll("\n", ", ")
}

/** The bundle of a program that uses this much of the session. */
const bundleOf = async (uses) => {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${uses} } from "@effect-ig/core/Session"`, resolveDir: project },
    bundle: true,
    write: false,
    platform: "browser",
    format: "esm",
    logLevel: "error"
  })
  return outputFiles[0].text
}

/** Of the store nothing is there but in the bundle of who resumes. */
const bundlesLeaveOut = async () => {
  const isStoreIn = (text) => text.includes("Session store ")
  const [login, resumed] = await Promise.all(["login, refresh, logout", "login, resumed"].map(bundleOf))
  ensure(isStoreIn(resumed), "What stands in the bundle of a program that resumes is not known any more.")
  ensure(!isStoreIn(login), "The bundle of a program that resumes nothing holds the session store.")
}

const checkExecutable = async () => {
  const args = ["--port", "0"]
  const direct = { command: join(project, "node_modules/.bin/ig-sandbox"), args, cwd: project }
  const throughNpm = { command: "npm", args: ["run", "--silent", "sandbox", "--", ...args], cwd: project }
  for (const signal of ["SIGINT", "SIGTERM"]) {
    await check(`ig-sandbox takes a login and ends on ${signal}`, async () => {
      const ended = await serveAndEnd({ ...direct, signal })
      ensure(ended.signal === null, `ig-sandbox does not handle ${signal}: it was killed by it.`)
      return `exit code ${ended.code}`
    })
    // To the whole group, as a terminal does: npm hands SIGTERM to its shell alone, which dies of it and tells nobody.
    await check(`npm run … ig-sandbox takes a login and ends on ${signal}`, async () => {
      await serveAndEnd({ ...throughNpm, signal, toGroup: true })
    })
  }
}

const main = async () => {
  await check("build", async () => void (await node(["scripts/build.mjs"], { cwd: root })))

  const packages = []
  for (const folder of readdirSync(join(root, "packages")).toSorted()) {
    const manifest = join(root, "packages", folder, "package.json")
    if (!existsSync(manifest) || readJson(manifest).private === true) continue
    await check(`pack ${folder}`, async () => {
      const packed = await pack(folder)
      checkContents(packed)
      packages.push(packed)
      return `${packed.name} ${packed.manifest.version}, ${packed.files.length} files`
    })
  }
  ensure(packages.length > 0, "There is no package to publish in packages/.")

  for (const { name, tarball, modules } of packages) {
    await check(`publint ${name}`, async () => void (await run(tool("publint"), ["--strict", tarball], { cwd: root })))
    await check(`attw ${name}`, async () => {
      await run(tool("attw"), [tarball, "--profile", "esm-only", "--entrypoints", ...modules], { cwd: root })
      return modules.join(", ")
    })
  }

  await check("npm install", () => install(packages))
  await check("one effect", oneEffect)

  const { open, closed } = writePrograms(packages)
  const counts = `${open.length} public paths, ${closed.length} private ones refused`
  await check("types under module nodenext", async () => {
    await typeCheck("nodenext", { module: "nodenext", exactOptionalPropertyTypes: true })
    return counts
  })
  await check("types under moduleResolution bundler", async () => {
    await typeCheck("bundler", { module: "esnext", moduleResolution: "bundler", noEmit: true })
    return counts
  })
  await check("imports at run time", async () => {
    await runProgram("import", "")
    return counts
  })
  await check("bundles leave out what is not used", bundlesLeaveOut)
  const expected = { session: "login SBX01\nloginV2 SBX01\n", encryption: "loginV2WithEncryption SBX01\n" }
  for (const name of programs(packages)) await check(`program ${name}`, () => runProgram(name, expected[name]))

  if (packages.some(({ manifest }) => manifest.bin?.["ig-sandbox"] !== undefined)) await checkExecutable()
}

await whole(main)
