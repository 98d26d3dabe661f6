/** What a caller costs who waits, among 10,000 and among 100,000. */
import type { Kind } from "../crowd.ts"
import { startCrowd } from "../processes.ts"
import { slow } from "../race.ts"
import { type Contest, contest } from "../samples.ts"
import type { Figure, Section } from "../section.ts"
import { median } from "../statistics.ts"
import { inTurns } from "../turns.ts"

const few = 10_000
const many = 100_000

const titles: Readonly<Record<Kind, string>> = {
  inTime: "Callers of one renewal, before the bearer dies",
  refused: "Callers of one renewal, refused with a dead CST",
  calls: "Calls that wait for an allowance",
  governor: "Waiting in the throttle alone",
  accounts: "Waiting in the throttle alone, each with an account of its own"
}

const names = ["100,000 callers", "10,000 callers"] as const

const crowded = async (
  kind: Kind,
  rounds: number
): Promise<{ readonly contest: Contest; readonly kept: number | undefined }> => {
  const crowd = await startCrowd(kind)
  const kept: Array<number> = []
  const callers = (count: number) => async () => {
    const { cpu, kept: each, wall } = await crowd.ask({ count })
    if (each !== undefined) kept.push(each)
    return { wall: wall / count, cpu: cpu / count }
  }
  await callers(few)()
  const turns = [
    { name: names[0], once: callers(many) },
    { name: names[1], once: callers(few) }
  ]
  const samples = await inTurns(turns, rounds)
  crowd.end()
  return {
    contest: contest({ title: titles[kind], each: "a caller", pairs: [names] }, samples),
    kept: kept.length === 0 ? undefined : median(kept)
  }
}

export const crowds: Section = async ({ say, ...pace }) => {
  const { rounds } = slow(pace)
  const contests: Record<string, Contest> = {}
  const figures: Record<string, Figure> = {}
  for (const kind of ["inTime", "refused", "calls", "governor", "accounts"] as const) {
    say(kind)
    const { contest, kept } = await crowded(kind, rounds)
    contests[`crowd ${kind}`] = contest
    if (kept !== undefined) {
      figures[`kept ${kind}`] = { name: `${titles[kind]}: kept by each`, value: kept / 1_000, unit: "kB" }
    }
  }
  return { contests, figures }
}
