/** Processes that are asked, one at a time, and answer. */
import { type ChildProcess, fork } from "node:child_process"
import { program } from "./built.ts"
import type { Report, Round, SideName } from "./child.ts"
import type { Crowd, Crowded, Kind } from "./crowd.ts"
import type { Cost } from "./samples.ts"
import type { Counts, Order } from "./gateway.ts"

export interface Asked<Question, Answer> {
  readonly ask: (question: Question) => Promise<Answer>
  readonly end: () => void
}

const answerOf = <Answer>(child: ChildProcess): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const over = (code: number | null) => reject(new Error(`${child.spawnargs.slice(1).join(" ")} ended with ${code}`))
    child.once("exit", over)
    child.once("message", (answer: Answer) => {
      child.off("exit", over)
      resolve(answer)
    })
  })

/** What it says first, and how to ask it more. */
const start = async <Question extends object, Answer, First>(
  name: string,
  args: ReadonlyArray<string>,
  execArgv: ReadonlyArray<string> = []
): Promise<Asked<Question, Answer> & { readonly first: First }> => {
  const child = fork(program(name), [...args], { execArgv: [...execArgv] })
  const first = await answerOf<First>(child)
  return {
    first,
    ask: (question) => {
      const answer = answerOf<Answer>(child)
      child.send(question)
      return answer
    },
    end: () => {
      if (child.connected) child.disconnect()
    }
  }
}

export interface Server extends Asked<Order, Counts> {
  readonly address: string
}

export const startServer = async (): Promise<Server> => {
  const { first, ...server } = await start<Order, Counts, string>("server", [])
  return { ...server, address: first }
}

export type RunningSide = Asked<Round, Report>

export const startSide = (name: SideName, address: string, ...flags: ReadonlyArray<string>): Promise<RunningSide> =>
  start<Round, Report, string>("child", [name, address], flags)

/** One that has imported modules, and says first what that took. */
export const startImport = (modules: ReadonlyArray<string>) => start<Cost, Cost, Cost>("importing", modules)

/** May collect its garbage, and keep as much as the largest crowd needs. */
export const startCrowd = (kind: Kind): Promise<Asked<Crowd, Crowded>> =>
  start<Crowd, Crowded, string>("crowd", [kind], ["--expose-gc", "--max-old-space-size=14000"])
