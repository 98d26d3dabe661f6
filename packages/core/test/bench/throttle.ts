/**
 * What it costs to wait, by how many wait, of the governor alone and of whole calls, and what one that waits keeps:
 * `NODE_OPTIONS=--expose-gc npx tsx packages/core/test/bench/throttle.ts`. A hundredth of them is let through at a time.
 */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { constTrue } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { makeGovernor, makeTicket } from "../../src/internal/throttleGovernor.ts"
import { read } from "../utils/positions.ts"

const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** Begins so many, looks at what they keep while they wait, and waits for them. */
const crowd = <A, E, R>(one: Effect.Effect<A, E, R>, count: number): Effect.Effect<number, E, R> =>
  Effect.gen(function* () {
    const before = heap()
    const fibers = yield* Effect.replicateEffect(Effect.fork(one), count)
    yield* Effect.sleep(1)
    const kept = (heap() - before) / count
    for (const fiber of fibers) yield* Fiber.join(fiber)
    return kept
  })

const numbers = (count: number): Throttle.Allowances => ({ key: count / 50, account: count / 100, trading: 1 })

const governor = (count: number) =>
  Effect.gen(function* () {
    const { run } = yield* makeGovernor(numbers(count))
    const one = Effect.suspend(() =>
      run(
        {
          operation: "bench",
          allowance: "non-trading",
          accountId: "ABC12",
          ticket: makeTicket(),
          limit: undefined,
          exchange: undefined,
          isReady: constTrue,
          prepare: Effect.void,
          sender: undefined
        },
        ({ leave }) => leave
      )
    )
    return yield* crowd(one, count)
  }).pipe(Effect.scoped)

const ClientLayer = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier, password }) =>
    IgClient.layer({
      environment: baseUrl,
      apiKey: Redacted.make(apiKey),
      identifier,
      password: Redacted.make(password)
    })
  )
).pipe(Layer.provideMerge(Sandbox.layerHttpClient()))

const calls = (count: number) =>
  Effect.zipRight(Session.loginV2, crowd(read, count)).pipe(
    Effect.provide(Layer.merge(ClientLayer, Throttle.layer(numbers(count))))
  )

const sides = { governor, "whole calls": calls }

interface Figures {
  readonly millis: number
  readonly kept: number
}

const figures = async (side: keyof typeof sides, count: number): Promise<Figures> => {
  const begun = performance.now()
  const outcome = await Effect.runPromise(Simulation.run<number, unknown>(sides[side](count)))
  if (outcome._tag !== "Done" || outcome.exit._tag !== "Success") throw new Error("it did not come to its end")
  return { millis: performance.now() - begun, kept: outcome.exit.value }
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const rounds = Number(process.argv[2] ?? 3)

for (const side of ["governor", "whole calls"] as const) {
  await figures(side, 10_000)
  const few: Array<Figures> = []
  const many: Array<Figures> = []
  for (let round = 0; round < rounds; round++) {
    few.push(await figures(side, 10_000))
    many.push(await figures(side, 100_000))
  }
  const [short, long] = [few, many].map((side) => median(side.map(({ millis }) => millis)))
  const ratio = median(many.map(({ millis }, round) => millis / (few[round]?.millis ?? NaN)))
  const kept = globalThis.gc === undefined ? "" : `, ${median(few.map((one) => one.kept)).toFixed(0)} bytes each`
  process.stdout.write(
    `${side}: 10,000 ${short?.toFixed(0)} ms, 100,000 ${long?.toFixed(0)} ms, ratio ${ratio.toFixed(1)}${kept}\n`
  )
}
