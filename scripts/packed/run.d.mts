import type { ChildProcessByStdio } from "node:child_process"
import type { Readable } from "node:stream"

type Child = ChildProcessByStdio<null, Readable, Readable>

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

interface Options {
  readonly cwd: string
  readonly seconds?: number
}

export class Failure extends Error {}
export function ensure(condition: boolean, sentence: string): asserts condition
export const temporary: string
export const environment: Readonly<Record<string, string>>
export const start: (command: string, args: ReadonlyArray<string>, cwd: string) => Child
export const signalGroup: (child: Child, signal: NodeJS.Signals | 0) => boolean
export const cleanUp: () => void
export const outcome: (child: Child) => Promise<Ended>
export const run: (command: string, args: ReadonlyArray<string>, options: Options) => Promise<Ended>
export const node: (args: ReadonlyArray<string>, options: Options) => Promise<Ended>
export const check: (what: string, work: () => Promise<string | undefined | void>) => Promise<void>

export const whole: (main: () => Promise<void>) => Promise<void>
