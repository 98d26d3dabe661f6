import { getGlobalDispatcher, setGlobalDispatcher } from "@effect/platform-node/Undici"
import { createServer } from "node:http"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { base, obey, respond } from "./gateway.ts"
import { judged } from "./goals.ts"
import { options } from "./options.ts"
import { page } from "./page.ts"
import { picture } from "./picture.ts"
import { slow } from "./race.ts"
import type { Results } from "./results.ts"
import { contest } from "./samples.ts"
import type { Open, Task } from "./side.ts"
import * as Fetch from "./sides/fetch.ts"
import * as IgTradingApi from "./sides/igTradingApi.ts"
import * as Ours from "./sides/ours.ts"
import * as Platform from "./sides/platform.ts"
import * as Undici from "./sides/undici.ts"
import { estimate, median } from "./statistics.ts"
import { inTurns } from "./turns.ts"

const server = createServer(respond)
const dispatcher = getGlobalDispatcher()
let address = ""

beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const at = server.address()
  address = `http://127.0.0.1:${typeof at === "string" || at === null ? "" : at.port}${base}`
})

beforeEach(() => void obey({ isSpoilt: false, lifetime: 86_400 }))

afterAll(() => {
  setGlobalDispatcher(dispatcher)
  server.closeAllConnections()
  server.close()
})

const run = async (open: Open, task: Task, calls: number): Promise<void> => {
  const side = await open(address)
  await side[task]?.(calls, 2)
}

const bare = { undici: Undici.open, fetch: Fetch.open, "ig-trading-api": IgTradingApi.open }
const decoding = {
  ours: Ours.open,
  "ours, unlimited": Ours.openUnlimited,
  "ours, unthrottled": Ours.openUnthrottled,
  platform: Platform.overUndici,
  "platform, timeout": Platform.overUndiciTimed,
  "platform, no spans": Platform.overUndiciSpanless,
  "platform, Node http": Platform.overNode
}

describe("a side", () => {
  it.each(Object.entries({ ...bare, ...decoding }))("reads as often as it is told to: %s", async (name, open) => {
    await run(open, "read", 5)
    const { logins, reads, refusals } = obey({})
    expect({ logins, reads, refusals }).toEqual({ logins: 1, reads: name === "ig-trading-api" ? 6 : 5, refusals: 0 })
  })

  it.each(Object.entries(decoding))("decodes what it has read: %s", async (_, open) => {
    obey({ isSpoilt: true })
    await expect(run(open, "read", 1)).rejects.toThrow(/bid|markets\.get/)
  })

  it.each(["large", "refused"] as const)("does what else it is asked for: %s", async (task) => {
    for (const open of [Ours.open, Platform.overUndici]) {
      await run(open, task, 2)
      expect(obey({})).toMatchObject({ reads: 2, refusals: 0 })
    }
  })

  it("logs in each time", async () => {
    for (const task of ["login", "loginV2", "encryptedV2"] as const) {
      await run(Ours.open, task, 2)
      expect(obey({})).toMatchObject({ logins: 3, reads: 0 })
    }
  })

  it("renews once before a bearer dies, and logs in once when a CST has died", async () => {
    obey({ lifetime: 0.2 })
    const oauth = await Ours.open(address)
    await new Promise((resolve) => setTimeout(resolve, 150))
    await oauth.read?.(20, 4)
    expect(obey({})).toMatchObject({ logins: 1, refreshes: 1, refusals: 0, reads: 20 })
    const cst = await Ours.openByTokens(address)
    obey({ expireAfter: 10 })
    await cst.read?.(20, 1)
    expect(obey({})).toEqual({ logins: 1, refreshes: 0, refusals: 1, reads: 21 })
  })
})

describe("statistics", () => {
  it("know a median", () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })

  it("give the same interval each time, around the median and within what was measured", () => {
    const values = Array.from({ length: 21 }, (_, index) => 1 + index / 10)
    const { high, low, median } = estimate(values)
    expect(estimate(values)).toEqual({ high, low, median })
    expect(median).toBe(2)
    // By hand, from the binomial distribution: the 7th and the 15th of 21.
    expect(low).toBeCloseTo(1.6, 5)
    expect(high).toBeCloseTo(2.4, 5)
    expect(estimate([2, 2, 2])).toEqual({ high: 2, low: 2, median: 2 })
  })

  it("compare what was measured in the same round", async () => {
    const costs = [1, 10, 100]
    const turn = (name: string, times: number) => ({
      name,
      once: async (round: number) => ({ wall: times * (costs[round] ?? 0), cpu: 1 })
    })
    const samples = await inTurns([turn("one", 3), turn("other", 1)], costs.length)
    const { ratios, sides } = contest({ title: "", each: "", pairs: [["one", "other"]] }, samples)
    expect(ratios[0]?.wall).toEqual({ high: 3, low: 3, median: 3 })
    expect(sides).toEqual({ one: { wall: 30, cpu: 1 }, other: { wall: 10, cpu: 1 } })
  })
})

const estimated = (high: number) => ({ median: 1, low: 1, high })

const resultsWith = (high: number): Results => ({
  reads: {
    taken: { on: "2026-01-01", machine: "a machine", versions: "Node 20" },
    figures: {},
    contests: {
      "read 16": {
        title: "Authenticated read",
        each: "a call",
        rounds: 15,
        sides: { ours: { wall: 0.1, cpu: 0.1 } },
        ratios: [{ of: "ours", to: "platform", wall: estimated(high), cpu: estimated(1) }]
      }
    }
  }
})

describe("the page", () => {
  const verdicts = (results: Results) => judged(results).map(({ verdict }) => verdict)

  it("says of each goal whether it is reached, by the whole interval", () => {
    expect(verdicts(resultsWith(1.4))).toContain("reached")
    expect(verdicts(resultsWith(1.4))).not.toContain("missed")
    expect(verdicts(resultsWith(1.41))).toContain("missed")
    expect(new Set(verdicts({}))).toEqual(new Set(["not measured"]))
    expect(page(resultsWith(1.41))).toContain("**missed**")
  })

  it("has each section that was ever measured, and when that was", () => {
    const { reads } = resultsWith(1)
    const both = page({ ...resultsWith(1), ...(reads && { expiry: { ...reads, contests: {} } }) })
    expect(both).toContain("--only reads")
    expect(both).toContain("--only expiry")
    expect(both.match(/2026-01-01, a machine/g)).toHaveLength(2)
  })

  it("has a picture with a bar for each client", () => {
    const [read] = Object.values(resultsWith(1)["reads"]?.contests ?? {})
    expect(read && picture(read).match(/>(ours|platform)</g)).toEqual([">ours<", ">platform<"])
  })
})

describe("the command", () => {
  const parsed = (...args: ReadonlyArray<string>) => options(args, ["reads", "heap"], ["reads"])

  it("runs what is usual, and writes no fewer than 15 rounds", () => {
    expect(parsed()).toEqual({ only: ["reads"], rounds: 30, millis: 150, isWritten: true })
    expect(parsed("--only", "heap", "--rounds", "14")).toMatchObject({ only: ["heap"], isWritten: false })
  })

  it("makes half as many rounds where one takes seconds, and no fewer than 15 of those that were asked for", () => {
    const rounds = [3, 15, 30, 31, 60].map((rounds) => slow({ rounds, millis: 150 }).rounds)
    expect(rounds).toEqual([3, 15, 15, 15, 30])
  })

  it("says what it expected", () => {
    expect(() => parsed("--only", "x")).toThrow(`--only: there is reads, heap, and no "x"`)
    expect(() => parsed("--rounds", "0")).toThrow(`--rounds: expected a whole number, 1 or more, and got "0"`)
  })
})
