import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { bundled } from "../../scripts/bundled.ts"

const main = await bundled(join(import.meta.dirname, "main.ts"))
const spy = join(import.meta.dirname, "spy.cjs")

interface Run {
  readonly code: number | null
  readonly out: string
  readonly err: string
  /** What the server received, as the server's own process saw it. */
  readonly record: ReadonlyArray<string>
}

interface Options {
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** Sends SIGINT as soon as this has been printed. */
  readonly interruptAt?: string
  readonly signal?: NodeJS.Signals
}

const demo = ({ args = [], env = {}, interruptAt, signal = "SIGINT" }: Options = {}): Promise<Run> => {
  const folder = mkdtempSync(join(tmpdir(), "demo-"))
  const file = join(folder, "record")
  const child = spawn(process.execPath, ["--require", spy, main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, SPY_FILE: file, ...env }
  })
  let out = ""
  let err = ""
  let isInterrupted = false
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString()
    if (interruptAt !== undefined && !isInterrupted && out.includes(interruptAt)) {
      isInterrupted = true
      child.kill(signal)
      child.kill(signal)
    }
  })
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString()
  })
  return new Promise((resolve) =>
    child.on("close", (code) => {
      const record = readFileSync(file, "utf8").trim().split("\n")
      rmSync(folder, { recursive: true })
      resolve({ code, out, err, record })
    })
  )
}

let whole: Promise<Run> | undefined

/** One that nothing disturbs, for all who look at it. */
const undisturbed = (): Promise<Run> => (whole ??= demo({ env: { CI: "true" } }))

let longer: Promise<Run> | undefined

const resuming = (): Promise<Run> => (longer ??= demo({ args: ["--resume"], env: { NO_COLOR: "1", CI: "true" } }))

const isPortFree = (out: string): Promise<boolean> => {
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(out)?.[1])
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(false)
    })
    socket.once("error", () => resolve(true))
  })
}

const login = "POST /gateway/deal/session 3 200"
const refresh = "POST /gateway/deal/session/refresh-token 1"
const read = "GET /gateway/deal/session 1"
const positions = "GET /gateway/deal/positions 2"

const life = [
  login,
  "GET /gateway/deal/session?fetchSessionTokens=true 1 200",
  "PUT /gateway/deal/session 1 200",
  "POST /gateway/deal/session 2 200",
  "GET /gateway/deal/session/encryptionKey 1 200",
  "POST /gateway/deal/session 3 401",
  "DELETE /gateway/deal/session 1 204"
]

const countOf = (record: ReadonlyArray<string>, request: string): number =>
  record.filter((other) => other === request).length

describe("the demo", () => {
  it("lives through a whole session over real HTTP and exits 0", async () => {
    const { code, err, out, record } = await undisturbed()
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(life.filter((request) => !record.includes(request))).toEqual([])
    expect(record.slice(-8)).toEqual([
      "GET /gateway/deal/session/encryptionKey 1 200",
      "POST /gateway/deal/session 3 401",
      "GET /gateway/deal/session/encryptionKey 1 200",
      "POST /gateway/deal/session 3 200",
      "DELETE /gateway/deal/session 1 204",
      "GET /gateway/deal/session/encryptionKey 1 200",
      "POST /gateway/deal/session 2 200",
      "DELETE /gateway/deal/session 1 204"
    ])
    expect(await isPortFree(out)).toBe(true)
  })

  it("renews a dead bearer for whoever finds it, once for fifty, and logs in again when the refresh token is dead", async () => {
    const { out, record } = await undisturbed()
    const crowd = record.slice(
      record.indexOf(`${positions} 401`),
      record.findLastIndex((request) => request.startsWith(positions)) + 1
    )
    const before = record.slice(0, record.indexOf(`${positions} 401`))
    const after = record.slice(before.length + crowd.length)

    expect(before.slice(-3)).toEqual([`${read} 401`, `${refresh} 200`, `${read} 200`])

    expect(crowd.length).toBe(101)
    expect(countOf(crowd, `${positions} 401`)).toBe(50)
    expect(countOf(crowd, `${refresh} 200`)).toBe(1)
    expect(countOf(crowd, `${positions} 200`)).toBe(50)
    expect(out).toContain("50 refused, 1 renewal, 50 answered.")

    expect(after.slice(0, 4)).toEqual([`${read} 401`, `${refresh} 401`, login, `${read} 200`])
    // With renewal off the next one is refused, and that is all; the refresh after it was asked for.
    expect(after.slice(4, 6)).toEqual([`${read} 401`, `${refresh} 200`])
  })

  it("brings a dead CST session back to the account that it was on", async () => {
    const { record } = await undisturbed()
    const second = record.indexOf("POST /gateway/deal/session 2 200")
    expect(record.slice(second, second + 7)).toEqual([
      "POST /gateway/deal/session 2 200",
      "PUT /gateway/deal/session 1 200",
      `${read} 200`,
      `${read} 401`,
      "POST /gateway/deal/session 2 200",
      "PUT /gateway/deal/session 1 200",
      `${read} 200`
    ])
  })

  it("with --resume ends with runs that take up each other's session", async () => {
    const { code, err, out, record } = await resuming()
    expect({ code, err }).toEqual({ code: 0, err: "" })
    expect(record.slice(-5)).toEqual([
      "POST /gateway/deal/session 2 200",
      `${read} 200`,
      "PUT /gateway/deal/session 1 200",
      `${read} 200`,
      "DELETE /gateway/deal/session 1 204"
    ])
    expect(out).toContain("Nothing is left of it.")
  })

  it("is plain text in a pipe and with NO_COLOR, whatever else the environment says", async () => {
    const { out } = await resuming()
    expect(out).not.toContain("\u001b")
    expect((await undisturbed()).out).not.toContain("\u001b")
  })

  it("shows an allowance being spent, the queue that builds, and how it drains", async () => {
    const { out } = await undisturbed()
    const queue = [...out.matchAll(/^ +\d:\d\d .* (nobody|\d+) waits?$/gm)].map(([, count]) => Number(count) || 0)
    const longest = Math.max(...queue)
    const peak = queue.indexOf(longest)
    expect(longest).toBeGreaterThan(8)
    expect(queue.slice(0, peak)).toEqual(queue.slice(0, peak).sort((one, other) => one - other))
    expect(queue.slice(peak)).toEqual(queue.slice(peak).sort((one, other) => other - one))
    expect([queue[0], queue.at(-1)]).toEqual([0, 0])
    expect(out).toContain("sent after 0 s, before all of those reads")
    expect(out).toContain("would-wait")
    expect(out).toMatch(/18 read, 0 refused; the longest wait was \d\d s/)
  })

  it("says in one sentence what went wrong when the server is taken away", async () => {
    // Under the first login, which is not sent twice: anything later is tried again for seconds.
    const { code, err } = await demo({ env: { SPY_LAST: "1" } })
    expect(code).toBe(1)
    expect(err.trim().split("\n").length).toBe(1)
    expect(err).toContain("The demo stopped: session.login: connection-lost")
  })

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`logs out, frees the port and exits 130 on ${signal}, also when it comes twice`, async () => {
      const { code, out, record } = await demo({ args: ["--pace", "60"], interruptAt: "50 answered", signal })
      expect(code).toBe(130)
      expect(record.at(-1)).toBe("DELETE /gateway/deal/session 1 204")
      expect(out).not.toContain("That was all of it.")
      expect(await isPortFree(out)).toBe(true)
    })
  }
})
