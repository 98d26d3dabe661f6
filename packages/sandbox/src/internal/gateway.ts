/** The gateway behind each transport: takes a request, works it to its end, records it. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MutableList from "effect/MutableList"
import * as Random from "effect/Random"
import { gzipSync } from "node:zlib"
import type { Switches } from "../Switches.ts"
import { behave, understood } from "./behaviour.ts"
import * as Faults from "./faults.ts"
import { empty, type GatewayRequest, type GatewayResponse } from "./http.ts"
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

const offersGzip = ({ headers }: GatewayRequest): boolean =>
  (headers["accept-encoding"] ?? "").split(",").some((offer) => {
    const [coding = "", ...parameters] = offer.split(";").map((part) => part.trim().toLowerCase())
    return coding === "gzip" && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
  })

const zipped = ({ switches }: World.World, request: GatewayRequest, response: GatewayResponse): GatewayResponse => {
  const isWanted = switches.gzip === "always" || (switches.gzip === "offered" && offersGzip(request))
  return isWanted && response.body.length > 0
    ? { ...response, headers: [...response.headers, ["content-encoding", "gzip"]], body: gzipSync(response.body) }
    : response
}

const marked = (world: World.World, response: GatewayResponse): GatewayResponse =>
  world.switches.requestId
    ? { ...response, headers: [...response.headers, ["X-REQUEST-ID", World.uuid(world.requestIds)]] }
    : response

/** Works under other switches for as long as it takes, which is one synchronous step. */
const withSwitches = <A>(world: World.World, patch: Partial<Switches>, work: () => A): A => {
  const own = world.switches
  world.switches = { ...own, ...patch }
  try {
    return work()
  } finally {
    world.switches = own
  }
}

const unanswered: GatewayResponse = { status: 0, headers: [], body: empty }

export const make = (
  client: World.Client,
  switches: Switches,
  longest: number = longestRecord
): Effect.Effect<Gateway> =>
  Effect.gen(function* () {
    const sources = World.makeSources(yield* Random.nextIntBetween(0, 2 ** 31))
    const faults = Faults.make()
    let world = World.make(client, switches, sources)
    let entries = MutableList.empty<Record.Entry>()
    let received = 0
    let moved = 0
    const nowBy = (clock: Clock.Clock) => Math.floor(clock.unsafeCurrentTimeMillis() + moved)
    const now = Effect.clockWith((clock) => Effect.succeed(nowBy(clock)))

    const work = (
      world: World.World,
      entry: Record.Entry,
      { fault }: Faults.Met,
      request: GatewayRequest,
      now: number
    ) => {
      const isWorked = Faults.isWorkDone(fault)
      const own = isWorked
        ? withSwitches(world, Faults.switchesOf(fault), () => behave(world, request, now))
        : undefined
      const plain = Faults.insteadOf(fault) ?? own ?? unanswered
      const dressed = { ...plain, headers: [...plain.headers, ...Faults.extraHeaders(fault)] }
      const response = zipped(world, request, marked(world, dressed))
      Record.finish(entry, { ...response, issued: own?.issued, entered: own?.entered }, isWorked)
      return response
    }

    const handle = (wire: GatewayRequest): Effect.Effect<Outcome> =>
      Effect.clockWith((clock) => {
        // Whatever is reset meanwhile, a request is worked in the world that received it.
        const here = world
        const request = understood(wire)
        const met = faults.take(request)
        const entry = Record.receive(here, ++received, wire.method, request, nowBy(clock))
        entry.fault = met.fault?.kind
        MutableList.append(entries, entry)
        if (MutableList.length(entries) > longest) MutableList.shift(entries)
        const worked = Effect.suspend(() => {
          const response = work(here, entry, met, request, nowBy(clock))
          const outcome: Outcome = {
            response,
            delivery: Faults.delivery(met),
            delivered: () => {
              entry.isDelivered = true
            }
          }
          const wait = here.switches.latency + (met.fault?.kind === "slow" ? met.fault.millis : 0)
          return wait > 0 ? Effect.delay(Effect.succeed(outcome), wait) : Effect.succeed(outcome)
        })
        return met.gate?.point === "before" ? Effect.zipRight(met.gate.pass, worked) : worked
      })

    return {
      world: () => world,
      faults,
      record: () => Array.from(entries, Record.toRecorded),
      handle,
      now,
      advance: (millis) => {
        moved += millis
      },
      reset: () => {
        // The tokens go on from where they were: one from before a reset must not come to life again.
        world = World.make(client, switches, sources)
        entries = MutableList.empty()
        received = 0
        moved = 0
        faults.clear()
      }
    }
  })
