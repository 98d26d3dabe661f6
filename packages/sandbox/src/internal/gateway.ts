/** The gateway behind each transport: takes a request, works it to its end, records it. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { gzipSync } from "node:zlib"
import type { Switches } from "../Switches.ts"
import { behave, understood } from "./behaviour.ts"
import * as Faults from "./faults.ts"
import type { GatewayRequest, GatewayResponse } from "./http.ts"
import * as Record from "./record.ts"
import * as World from "./world.ts"

/** Of a gateway that runs for weeks, the last requests. */
const longestRecord = 100_000

export interface Outcome {
  readonly response: GatewayResponse
  readonly delivery: Faults.Delivery
  /** To be called when the whole answer was handed over. */
  readonly delivered: () => void
}

export interface Gateway {
  readonly world: () => World.World
  readonly faults: Faults.Faults
  readonly record: () => ReadonlyArray<Record.RecordedRequest>
  readonly handle: (request: GatewayRequest) => Effect.Effect<Outcome>
  /** The gateway's own time, which can be moved without waiting. */
  readonly now: Effect.Effect<number>
  readonly advance: (millis: number) => void
  readonly reset: () => void
}

const zipped = (world: World.World, request: GatewayRequest, response: GatewayResponse): GatewayResponse => {
  const { gzip } = world.switches
  const isWanted =
    gzip === "always" || (gzip === "offered" && /\bgzip\b/.test(request.headers["accept-encoding"] ?? ""))
  return isWanted && response.body.length > 0
    ? { ...response, headers: [...response.headers, ["content-encoding", "gzip"]], body: gzipSync(response.body) }
    : response
}

const marked = (world: World.World, response: GatewayResponse): GatewayResponse =>
  world.switches.requestId
    ? { ...response, headers: [...response.headers, ["X-REQUEST-ID", World.uuid(world.requestIds)]] }
    : response

export const make = (client: World.Client, switches: Switches): Effect.Effect<Gateway> =>
  Effect.gen(function* () {
    const seed = yield* Random.nextIntBetween(0, 2 ** 31)
    const faults = Faults.make()
    let world = World.make(client, switches, seed)
    let entries: Array<Record.Entry> = []
    let received = 0
    let moved = 0
    const now = Effect.map(Clock.currentTimeMillis, (millis) => millis + moved)

    const work = (entry: Record.Entry, fault: Faults.Planned | undefined, request: GatewayRequest, now: number) => {
      const isWorked = Faults.isWorkDone(fault)
      const own = isWorked ? behave(world, request, now) : undefined
      const instead = Faults.insteadOf(fault)
      const plain = instead ?? own ?? { status: 0, headers: [], body: new Uint8Array() }
      const response = zipped(world, request, marked(world, plain))
      Record.finish(entry, { ...response, issued: own?.issued, entered: own?.entered }, isWorked)
      return response
    }

    const handle = (wire: GatewayRequest): Effect.Effect<Outcome> =>
      Effect.gen(function* () {
        const request = understood(wire)
        const fault = faults.take(request)
        const entry = Record.receive(world, ++received, wire.method, request, yield* now)
        entries.push(entry)
        if (entries.length > longestRecord) entries.shift()
        if (fault?.kind === "hold" && fault.gate.point === "before") {
          yield* Deferred.succeed(fault.gate.reached, undefined)
          yield* Deferred.await(fault.gate.released)
        }
        const response = work(entry, fault, request, yield* now)
        const wait = world.switches.latency + (fault?.kind === "slow" ? fault.millis : 0)
        if (wait > 0) yield* Effect.sleep(wait)
        const delivered = () => {
          entry.isDelivered = true
        }
        return { response, delivery: Faults.delivery(fault), delivered }
      })

    return {
      world: () => world,
      faults,
      record: () => entries.map(Record.toRecorded),
      handle,
      now,
      advance: (millis) => {
        moved += millis
      },
      reset: () => {
        world = World.make(client, switches, seed)
        entries = []
        received = 0
        moved = 0
        faults.clear()
      }
    }
  })
