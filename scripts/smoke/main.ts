// Installs the packed packages from scratch in a folder of their own, and lives a session's life with them on each runtime
// against the packed sandbox. Ends with 2 where a runtime is missing, and with 1 where one fails.
import { buildSync, transformSync } from "esbuild"
import { once } from "node:events"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { delimiter, join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { packAll } from "../packed/pack.ts"
import { check, ensure, Failure, run, start, temporary, whole } from "../packed/run.mjs"
import runtimes from "./runtimes.json" with { type: "json" }

const root = resolve(import.meta.dirname, "../..")
const user = join(temporary, "user")
const installed = (folder: string, name: string) => join(folder, "node_modules/.bin", name)

/** What every runtime must come to, to the letter. */
const expected = [
  "encrypted login: TokenSession SBX01",
  "login: OAuthSession SBX01",
  "refresh under 20 calls: 20 answered",
  "read: client 100000001",
  "switch: SwitchedByHeader SBX02, then SBX02",
  "logout: SignedOut, then AuthError"
]

const install = async (folder: string, packages: ReadonlyArray<string>, ...flags: ReadonlyArray<string>) => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "user", private: true, type: "module" }))
  await run("npm", ["install", "--no-audit", "--no-fund", ...flags, ...packages], { cwd: folder })
}

/** As JavaScript, so that each runtime reads the packages as they were installed, and nothing else. */
const writePrograms = (): void => {
  for (const name of ["life", "undici", "fetch", "page"]) {
    const source = readFileSync(join(import.meta.dirname, `${name}.ts`), "utf8")
    const { code } = transformSync(source, { loader: "ts", format: "esm", target: "es2022" })
    writeFileSync(join(user, `${name}.js`), code)
  }
}

interface Served {
  readonly gateway: string
  readonly control: (path: string, init?: RequestInit) => Promise<unknown>
}

const serve = async (): Promise<Served> => {
  const child = start(installed(user, "ig-sandbox"), ["--port", "0", "--cors"], user)
  const [line]: ReadonlyArray<unknown> = await once(createInterface({ input: child.stdout }), "line")
  const gateway = /http:\S+/.exec(String(line))?.[0]
  ensure(gateway !== undefined, `The sandbox did not begin with its address: ${String(line)}`)
  const control = async (path: string, init?: RequestInit): Promise<unknown> => {
    const answer = await fetch(new URL(`/_sandbox/${path}`, gateway), init)
    ensure(answer.ok, `The sandbox answered /_sandbox/${path} with ${answer.status}.`)
    return answer.json()
  }
  return { gateway, control }
}

const expireWith = { method: "POST", body: JSON.stringify({ kinds: ["access"] }) }

/** One life, which must be told as expected, and have taken one refresh, two logins and left no session behind. */
const lived = async ({ control }: Served, live: () => Promise<unknown>): Promise<string> => {
  await control("reset", { method: "POST" })
  const told = JSON.stringify(await live(), undefined, 2)
  ensure(told === JSON.stringify(expected, undefined, 2), `It came to:\n${told}`)
  const { liveSessions, logins, refreshes } = Object(await control("counters"))
  const counted = `${logins} logins, ${refreshes} refresh, ${liveSessions} sessions left open`
  ensure(counted === "2 logins, 1 refresh, 0 sessions left open", `The sandbox counts ${counted}.`)
  return counted
}

const inProgram = (served: Served, command: string, args: ReadonlyArray<string>) =>
  lived(served, async () => {
    const expiry = new URL("/_sandbox/expire", served.gateway).href
    const { stderr, stdout } = await run(command, [...args, served.gateway, expiry], { cwd: user, seconds: 60 })
    ensure(stderr === "", `It wrote to stderr:\n${stderr}`)
    return JSON.parse(stdout)
  })

/* ---- the browser --------------------------------------------------------------- */

const chromium = (process.env["PATH"] ?? "")
  .split(delimiter)
  .flatMap((folder) => ["chromium", "chromium-browser", "google-chrome"].map((name) => join(folder, name)))
  .find((path) => existsSync(path))

const bundlePage = (): void => {
  buildSync({
    entryPoints: [join(user, "page.js")],
    outfile: join(user, "page.bundle.js"),
    absWorkingDir: user,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error"
  })
}

/** The page's own origin: hands out the page, kills bearers for it, and takes what it came to. */
const inBrowser = (served: Served, browser: string) =>
  lived(served, async () => {
    bundlePage()
    let done: (outcome: unknown) => void = () => {}
    const outcome = new Promise<unknown>((resolve) => (done = resolve))
    const server = createServer((request, to) => {
      const respond = async (): Promise<void> => {
        if (request.method === "POST") {
          const chunks: Array<Buffer> = []
          for await (const chunk of request) chunks.push(chunk)
          if (request.url === "/expiry") await served.control("expire", expireWith)
          else done(JSON.parse(Buffer.concat(chunks).toString()))
          to.end()
        } else if (request.url === "/page.js") {
          to.setHeader("content-type", "text/javascript").end(readFileSync(join(user, "page.bundle.js")))
        } else {
          to.setHeader("content-type", "text/html").end(`<!doctype html><script type="module" src="/page.js"></script>`)
        }
      }
      respond().catch((error: unknown) => done(String(error)))
    })
    await once(server.listen(0, "127.0.0.1"), "listening")
    const address: AddressInfo | string | null = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    const page = `http://127.0.0.1:${port}/?gateway=${encodeURIComponent(served.gateway)}`
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    const child = start(browser, [...flags, `--user-data-dir=${join(temporary, "profile")}`, page], user)
    const late = setTimeout(() => done("nothing within 60 s"), 60_000)
    try {
      return await Promise.race([
        outcome,
        once(child, "close").then(([code]: ReadonlyArray<unknown>) => `the browser ended with ${String(code)}`)
      ])
    } finally {
      clearTimeout(late)
      child.kill("SIGKILL")
      server.close()
      server.closeAllConnections()
    }
  })

/* ---- all of them ------------------------------------------------------------------- */

const failed: Array<string> = []

/** One that fails does not keep the others from being tried. */
const row = async (name: string, work: () => Promise<string>): Promise<void> => {
  try {
    await check(name, work)
  } catch (error) {
    failed.push(name)
    console.error(`failed  ${name}: ${error instanceof Failure ? error.message.trimEnd() : String(error)}`)
  }
}

const main = async (): Promise<void> => {
  await check("build", async () => void (await run(process.execPath, ["scripts/build.mjs"], { cwd: root })))
  let served: Served | undefined
  await check("installation from tarballs", async () => {
    const tarballs = await packAll(root, join(temporary, "tarballs"))
    await install(user, [...tarballs, "effect@3"], "--ignore-scripts")
    writePrograms()
    served = await serve()
    return served.gateway
  })
  if (served === undefined) return
  const { gateway } = served
  const here = served
  for (const { args, name, packaged, version } of runtimes) {
    await row(`${name} ${version}`, async () => {
      const folder = join(temporary, "runtimes", `${packaged}-${version}`)
      await install(folder, [`${packaged}@${version}`])
      const command = installed(folder, packaged)
      const said = (await run(command, ["--version"], { cwd: folder })).stdout
      ensure(said.includes(version), `It calls itself ${said.trim()}.`)
      return inProgram(
        here,
        command,
        args.map((arg) => arg.replace("$HOST", new URL(gateway).host))
      )
    })
  }
  if (chromium === undefined) {
    console.error("SKIPPED  Chromium: none of chromium, chromium-browser, google-chrome is installed")
    process.exitCode = 2
  } else {
    const { stdout } = await run(chromium, ["--version"], { cwd: temporary })
    await row(stdout.trim(), () => inBrowser(here, chromium))
  }
  if (failed.length > 0) process.exitCode = 1
}

await whole(main)
