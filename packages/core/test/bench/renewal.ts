/**
 * What a renewal costs, by how many wait for it: `NODE_OPTIONS=--max-old-space-size=14000 npx tsx
 * packages/core/test/bench/renewal.ts`. In memory, and without the throttle and spans, which have a cost of their own.
 */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as Throttle from "@effect-ig/core/Throttle"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Simulation from "@effect-ig/sandbox/Simulation"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const ClientLayer = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ apiKey, baseUrl, identifier, password }) =>
    IgClient.layer({
      environment: baseUrl,
      apiKey: Redacted.make(apiKey),
      identifier,
      password: Redacted.make(password)
    })
  )
).pipe(Layer.provideMerge(Sandbox.layerHttpClient()), Layer.merge(Throttle.off))

const atOnce = (count: number) =>
  Effect.replicateEffect(Session.read(), count, { concurrency: "unbounded", discard: true })

/** Everybody finds less than the margin left. */
const inTime = (count: number) =>
  Effect.all([Session.login, Effect.sleep("51 seconds"), atOnce(count)], { discard: true })

/** Everybody is refused. */
const refused = (count: number) =>
  Effect.all(
    [
      Session.loginV2,
      Session.read(),
      Effect.flatMap(Sandbox.Sandbox, ({ expire }) => expire("cst", "xst")),
      atOnce(count)
    ],
    { discard: true }
  )

const sides = { "OAuth, in time": inTime, "CST, refused": refused }

/** Of CPU, in ms; and renewals must have been one. */
const cost = async (side: keyof typeof sides, count: number): Promise<number> => {
  const begun = process.cpuUsage()
  // Of two sorts each time.
  const given = Effect.flatMap(Sandbox.Sandbox, ({ issued }) => Effect.map(issued, ({ length }) => length / 2))
  const program = Effect.zipRight(sides[side](count), given).pipe(Effect.provide(ClientLayer))
  const outcome = await Effect.runPromise(Simulation.run<number, unknown>(program))
  if (outcome._tag !== "Done" || outcome.exit._tag !== "Success" || outcome.exit.value !== 2) {
    throw new Error(`${side}, ${count}: not one login and one renewal`)
  }
  const { system, user } = process.cpuUsage(begun)
  return (user + system) / 1_000
}

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const rounds = Number(process.argv[2] ?? 3)

for (const side of ["OAuth, in time", "CST, refused"] as const) {
  await cost(side, 10_000)
  const pairs: Array<readonly [few: number, many: number]> = []
  for (let round = 0; round < rounds; round++) pairs.push([await cost(side, 10_000), await cost(side, 100_000)])
  const few = median(pairs.map(([one]) => one))
  const many = median(pairs.map(([, other]) => other))
  const ratio = median(pairs.map(([one, other]) => other / one))
  process.stdout.write(
    `${side}: 10,000 ${few.toFixed(0)} ms, 100,000 ${many.toFixed(0)} ms of CPU, ratio ${ratio.toFixed(1)}\n`
  )
}
