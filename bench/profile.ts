/**
 * Where the time of a side goes: `node --import tsx bench/profile.ts SIDE [TASK] [IN FLIGHT] [CALLS]`, after `tsc -b`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { compile } from "./built.ts"
import { type RunningSide, startServer, startSide } from "./processes.ts"

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface Profile {
  readonly nodes: ReadonlyArray<{ readonly id: number; readonly callFrame: CallFrame }>
  readonly samples: ReadonlyArray<number>
  readonly timeDeltas: ReadonlyArray<number>
}

const sourceOf = ({ functionName, url }: CallFrame): string => {
  if (url === "") return functionName.startsWith("(") ? functionName : "V8"
  const installed = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(url)?.[1]
  return installed ?? (url.startsWith("node:") ? "node" : "ours")
}

/** By what a frame is counted under, its share of the samples. */
const shares = (profile: Profile, under: (frame: CallFrame) => string): ReadonlyArray<readonly [string, number]> => {
  const frames = new Map(profile.nodes.map(({ callFrame, id }) => [id, callFrame]))
  const micros = new Map<string, number>()
  let all = 0
  for (const [index, id] of profile.samples.entries()) {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === "(idle)") continue
    const spent = profile.timeDeltas[index] ?? 0
    all += spent
    micros.set(under(frame), (micros.get(under(frame)) ?? 0) + spent)
  }
  return [...micros].map(([what, spent]) => [what, spent / all] as const).sort(([, one], [, other]) => other - one)
}

const ended = (side: RunningSide, folder: string): Promise<string> =>
  new Promise((resolve) => {
    side.end()
    const look = () => {
      const [file] = readdirSync(folder)
      const text = file === undefined ? "" : readFileSync(join(folder, file), "utf8")
      if (text.endsWith("}")) resolve(text)
      else setTimeout(look, 100)
    }
    look()
  })

const [name = "ours", task = "read", inFlight = "16", calls = "30000"] = process.argv.slice(2)

await compile("child", "server")
const server = await startServer()
const folder = mkdtempSync(join(tmpdir(), "profile-"))
const side = await startSide(name as never, server.address, "--cpu-prof", `--cpu-prof-dir=${folder}`)
await side.ask({ task: task as never, calls: Number(calls), inFlight: Number(inFlight) })
const profile: Profile = JSON.parse(await ended(side, folder))
server.end()
rmSync(folder, { recursive: true })

const percent = (share: number): string => `${(share * 100).toFixed(1).padStart(5)} %`
for (const [what, share] of shares(profile, sourceOf)) console.log(percent(share), what)
console.log()
for (const [what, share] of shares(
  profile,
  (frame) =>
    `${sourceOf(frame)}: ${frame.functionName || "(anonymous)"} ${frame.url.split("/").at(-1)}:${frame.lineNumber + 1}`
).slice(0, 45)) {
  console.log(percent(share), what)
}
