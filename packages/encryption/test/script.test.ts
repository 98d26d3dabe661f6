import { spawn, type ChildProcessByStdio } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { describe, expect, it } from "vitest"
import { bundled } from "../../../scripts/bundled.ts"

const root = join(import.meta.dirname, "../../..")

const sandbox = await bundled(join(root, "packages/sandbox/src/bin.ts"))

/** The script as it stands on the page. */
const script = /```bash\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/encryption.md"), "utf8"))?.[1] ?? ""

type Child = ChildProcessByStdio<null, Readable, Readable>

const start = (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Child =>
  spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } })

const firstLine = (child: Child): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")))
    })
    child.once("close", () => reject(new Error(`the sandbox ended: ${text}`)))
  })

const ended = (child: Child): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> =>
  new Promise((resolve) => {
    let out = ""
    let err = ""
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.once("close", (code) => resolve({ code, out, err }))
  })

const withSandbox = async <A>(use: (baseUrl: string) => Promise<A>): Promise<A> => {
  const child = start(process.execPath, [sandbox, "--port", "0"])
  try {
    return await use((await firstLine(child)).replace("IG sandbox listening on ", ""))
  } finally {
    child.kill("SIGTERM")
  }
}

describe("the script of the documentation, by bash, curl, openssl and coreutils alone", () => {
  it("logs in encrypted, reads, switches and logs out", () =>
    withSandbox(async (baseUrl) => {
      const { code, err, out } = await ended(start("bash", ["-c", script], { IG_BASE_URL: baseUrl }))
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(out.trim().split("\n")).toEqual(["logged in on SBX01", "read SBX01", "switched to SBX02", "logged out"])
    }))

  it("fails where a password without the inner base64 is taken", () =>
    withSandbox(async (baseUrl) => {
      // Whatever is encrypted now has the inner base64, so what must be refused is taken.
      const lenient = script.replace(
        `'%s|%s' "$password" "$timestamp" | seal`,
        `'%s|%s' "$password" "$timestamp" | openssl base64 -A | seal`
      )
      expect(lenient).not.toBe(script)
      const { code, err } = await ended(start("bash", ["-c", lenient], { IG_BASE_URL: baseUrl }))
      expect(code).toBe(1)
      expect(err).toContain("expected 401, got 200")
    }))
})
