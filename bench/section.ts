/** A part of the benchmark that can be run by itself. */
import type { Server } from "./processes.ts"
import type { Pace } from "./race.ts"
import type { Contest } from "./samples.ts"

/** What is counted or weighed and not compared in time. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
}

export interface Found {
  readonly contests: Readonly<Record<string, Contest>>
  readonly figures: Readonly<Record<string, Figure>>
}

export interface Tools extends Pace {
  readonly server: Server
  readonly say: (what: string) => void
}

export type Section = (tools: Tools) => Promise<Found>
