/** Does the heap grow over many calls? Looked at after each tenth of them, when all garbage is collected. */
import { startSide } from "../processes.ts"
import type { Section } from "../section.ts"

const calls = 1_000_000
const tenths = 10

/** What `IgClient.layer` comes with: numbers as high as those of other races would be a minute's calls to remember. */
const side = "ours, unlimited"

export const heap: Section = async ({ say, server }) => {
  const running = await startSide(side, server.address, "--expose-gc")
  const heaps: Array<number> = []
  for (let tenth = 1; tenth <= tenths; tenth++) {
    const { heap = Number.NaN } = await running.ask({ task: "read", calls: calls / tenths, inFlight: 16 })
    heaps.push(heap / 1_000_000)
    say(`tenth ${tenth}: ${(heap / 1_000_000).toFixed(2)} MB`)
  }
  running.end()
  const [, second = Number.NaN] = heaps
  const last = heaps.at(-1) ?? Number.NaN
  return {
    contests: {},
    figures: {
      "heap second": { name: "Heap after 200,000 calls", value: second, unit: "MB" },
      "heap last": { name: "Heap after 1,000,000 calls", value: last, unit: "MB" }
    }
  }
}
