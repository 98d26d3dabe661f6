/** The executable, as a user starts it. */
import { spawn } from "node:child_process"
import { createConnection } from "node:net"
import { join } from "node:path"
import { bundled } from "../../../../scripts/bundled.ts"

export interface Running {
  readonly firstLine: Promise<string>
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>
  readonly kill: (signal: NodeJS.Signals) => void
}

const main = await bundled(join(import.meta.dirname, "../../src/bin.ts"))

export const start = (...args: ReadonlyArray<string>): Running => {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] })
  let out = ""
  let err = ""
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString()
  })
  const firstLine = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
      if (out.includes("\n")) resolve(out.slice(0, out.indexOf("\n")))
    })
    child.once("close", () => resolve(out))
  })
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.once("close", (code) => resolve({ code, out, err }))
  )
  return { firstLine, ended, kill: (signal) => void child.kill(signal) }
}

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(false)
    })
    socket.once("error", () => resolve(true))
  })
