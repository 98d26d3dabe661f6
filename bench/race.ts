/** Sides in processes of their own that make calls, many a round. */
import type { Round, SideName } from "./child.ts"
import { fewest } from "./options.ts"
import { type RunningSide, type Server, startSide } from "./processes.ts"
import { type Contest, contest, type Cost, type Question } from "./samples.ts"
import type { Counts, Order } from "./gateway.ts"
import type { Task } from "./side.ts"
import { inTurns } from "./turns.ts"

export interface Entrant {
  /** In the results; the side's own name if there is no other. */
  readonly name?: string
  readonly side: SideName
  readonly task: Task
  readonly inFlight: number
  /** In a round; by default as many as fill it. */
  readonly calls?: number
  /** What is done before each round, not measured: how long one is expected to last is known by then, in ms. */
  readonly before?: (expected: number) => { readonly order: Order; readonly task: Task; readonly pause?: number }
  /** What the server must have seen in a round, what came before included. */
  readonly seen?: Partial<Counts>
}

export interface Pace {
  readonly rounds: number
  /** How long a side is to work in each round, in ms. */
  readonly millis: number
}

/** Where a round takes seconds, half as many will do; of no fewer than a median needs, if so many are asked for. */
export const slow = ({ millis, rounds }: Pace): Pace => ({
  millis,
  rounds: Math.max(Math.min(rounds, fewest), Math.floor(rounds / 2))
})

/** Until everything is compiled that is called often. */
const warmUp = 6_000

/** Of a round, before it: a process that has slept while the others worked finds its caches, and some of its code, gone. */
const waking = 1 / 3

const nameOf = ({ name, side }: Entrant): string => name ?? side

class Running {
  readonly entrant: Entrant
  readonly #side: RunningSide
  readonly #server: Server
  /** How long a call takes, in ms. */
  #usual = 1

  constructor(entrant: Entrant, side: RunningSide, server: Server) {
    this.entrant = entrant
    this.#side = side
    this.#server = server
  }

  async #cost(calls: number, before: Pick<Round, "before" | "pause"> = {}): Promise<Cost> {
    const { inFlight, task } = this.entrant
    const { cpu, wall } = await this.#side.ask({ task, calls, inFlight, ...before })
    this.#usual = wall / calls
    return { wall: wall / calls, cpu: cpu / calls }
  }

  #check(counts: Counts): void {
    for (const [what, expected] of Object.entries(this.entrant.seen ?? {})) {
      const count = Object.entries(counts).find(([name]) => name === what)?.[1]
      if (count !== expected) throw new Error(`${nameOf(this.entrant)}: ${count} ${what}, expected ${expected}`)
    }
  }

  #callsIn(millis: number): number {
    const { calls, inFlight } = this.entrant
    // Whole rounds of all that are in flight.
    return calls ?? Math.max(1, Math.round(millis / this.#usual / inFlight)) * inFlight
  }

  async warmUp(): Promise<void> {
    const { inFlight } = this.entrant
    await this.#cost(Math.max(inFlight, this.entrant.task === "read" ? warmUp : warmUp / 10))
    if (inFlight < warmUp) await this.#cost(Math.max(inFlight, this.entrant.task === "read" ? warmUp / 3 : warmUp / 30))
  }

  async #wake(millis: number): Promise<void> {
    const { inFlight, task } = this.entrant
    const few = Math.min(inFlight, 16)
    const calls = Math.max(few, Math.round((waking * millis) / this.#usual))
    await this.#side.ask({ task, calls, inFlight: few })
  }

  async round(millis: number): Promise<Cost> {
    const calls = this.#callsIn(millis)
    await this.#wake(millis)
    const { before } = this.entrant
    if (before === undefined) return this.#cost(calls)
    const { order, pause = 0, task } = before(this.#usual * calls)
    await this.#server.ask(order)
    const cost = await this.#cost(calls, { before: task, pause })
    this.#check(await this.#server.ask({}))
    return cost
  }

  end(): void {
    this.#side.end()
  }
}

export const race = async (
  server: Server,
  question: Question,
  entrants: ReadonlyArray<Entrant>,
  { millis, rounds }: Pace
): Promise<Contest> => {
  const running: Array<Running> = []
  try {
    for (const entrant of entrants) {
      running.push(new Running(entrant, await startSide(entrant.side, server.address), server))
    }
    for (const side of running) await side.warmUp()
    const turns = running.map((side) => ({ name: nameOf(side.entrant), once: () => side.round(millis) }))
    return contest(question, await inTurns(turns, rounds))
  } finally {
    for (const side of running) side.end()
  }
}
