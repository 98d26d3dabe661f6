import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { compiled } from "./processes/compiled.ts"
import { readWhole, type Written } from "./utils/wholeText.ts"

const folder = mkdtempSync(join(tmpdir(), "ig-store-"))
const program = await compiled(join(import.meta.dirname, "processes/storing.ts"), join(folder, "trial"), "trial", "3")

afterAll(() => rmSync(folder, { recursive: true }))

interface Storing {
  /** How many it says that it has stored. */
  readonly stored: () => number
  readonly kill: () => void
  /** Ends when it has stored that many, or has ended. */
  readonly reached: (count: number) => Promise<void>
  readonly ended: Promise<number | NodeJS.Signals | null>
}

const start = (path: string, writer: string, times: number): Storing => {
  const child = spawn(process.execPath, [program, path, writer, String(times)], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  let out = ""
  const stored = () => Number(out.slice(0, out.lastIndexOf("\n")).split("\n").at(-1))
  return {
    stored,
    kill: () => void child.kill("SIGKILL"),
    reached: (count) =>
      new Promise((resolve) => {
        child.stdout.on("data", () => stored() >= count && resolve())
        child.once("close", () => resolve())
      }),
    ended: new Promise((resolve) => {
      child.stdout.on("data", (data) => (out += String(data)))
      child.once("close", (code, signal) => resolve(signal ?? code))
    })
  }
}

const readAt = (path: string): Written | undefined => readWhole(readFileSync(path, "utf8"))

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

describe("a store in a file", () => {
  it("killed 100 times in the middle of its work holds the old or the new, never a mixture", async () => {
    const outcomes: Array<"old" | "new"> = []
    const killed = async (path: string, round: number) => {
      const storing = start(path, `writer-${round}`, Infinity)
      await storing.reached(1)
      // Somewhere in one of the next writes, most of which is waiting for the disk.
      await new Promise((resolve) => void setTimeout(resolve, round % 8))
      storing.kill()
      expect(await storing.ended).toBe("SIGKILL")
      const written = readAt(path)
      expect(written).toMatchObject({ writer: `writer-${round}` })
      // What it said to be stored is there; the next may be, too, before it could say so.
      const ahead = (written?.count ?? 0) - storing.stored()
      expect([0, 1]).toContain(ahead)
      outcomes.push(ahead === 0 ? "old" : "new")
      expect(modeOf(path)).toBe("600")
    }
    const lane = async (name: string) => {
      for (let round = 1; round <= 25; round++) await killed(join(folder, name, "session"), round)
      return readdirSync(join(folder, name))
        .filter((file) => file !== "session")
        .map((file) => modeOf(join(folder, name, file)))
    }
    const leftovers = (await Promise.all(["a", "b", "c", "d"].map(lane))).flat()
    expect(outcomes).toHaveLength(100)
    // Else the kills did not come in the middle: before the rename, after it, and with a file half written.
    expect(new Set(outcomes)).toEqual(new Set(["old", "new"]))
    expect(leftovers.length).toBeGreaterThan(0)
    expect(new Set(leftovers)).toEqual(new Set(["600"]))
  }, 240_000)

  it("is whole at each moment while two processes write 1,000 times each", async () => {
    const path = join(folder, "two/session")
    const writers = [start(path, "one", 1_000), start(path, "other", 1_000)]
    const ends = Promise.all(writers.map(({ ended }) => ended))
    const pause = () => new Promise<false>((resolve) => void setTimeout(() => resolve(false), 5))
    await Promise.all(writers.map(({ reached }) => reached(1)))
    const seen = new Set<string>()
    do {
      const written = readAt(path)
      expect(written).toBeDefined()
      seen.add(written?.writer ?? "")
    } while (!(await Promise.race([ends.then(() => true), pause()])))
    expect(await ends).toEqual([0, 0])
    expect(writers.map(({ stored }) => stored())).toEqual([1_000, 1_000])
    expect([...seen].sort()).toEqual(["one", "other"])
    expect(readAt(path)?.count).toBe(1_000)
    expect(readdirSync(join(folder, "two"))).toEqual(["session"])
  }, 240_000)
})
