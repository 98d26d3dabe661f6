/** What the command was asked for. */
import { parseArgs } from "node:util"

export interface Options {
  /** Sources to look at, in place of all. */
  readonly only: ReadonlyArray<string>
  /** Reports of before are thrown away. */
  readonly fresh: boolean
  /** Only judges the reports that there are. */
  readonly judge: boolean
}

export class UsageError extends Error {}

export const usage = "pnpm mutate [--fresh] [--judge] [--only FILE[,FILE]]"

export const options = (args: ReadonlyArray<string>): Options => {
  try {
    const { values } = parseArgs({
      args: args.filter((arg) => arg !== "--"),
      options: {
        only: { type: "string", default: "" },
        fresh: { type: "boolean", default: false },
        judge: { type: "boolean", default: false }
      }
    })
    const only = values.only.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]))
    return { ...values, only }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
