/** A run: clients at work, looked at while they rest, ten times. */
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Agent } from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import type * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Client from "./client.ts"
import type { Address } from "./gateway.ts"
import * as Load from "./load.ts"
import * as Measure from "./measure.ts"
import * as Tally from "./tally.ts"

/* ---- the other process --------------------------------------------------------- */

const started = (minutes: number): Effect.Effect<ChildProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => fork(join(import.meta.dirname, "gateway.ts"), [String(minutes)])),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

const addressOf = (child: ChildProcess): Effect.Effect<Address> =>
  Effect.async((resume) => {
    child.once("message", (address: Address) => resume(Effect.succeed(address)))
  })

const endOf = (child: ChildProcess): Effect.Effect<never> =>
  Effect.async((resume) => {
    child.once("exit", (code) => resume(Effect.dieMessage(`the sandbox ended, with ${code}`)))
  })

/* ---- the clients ------------------------------------------------------------------ */

/** Idle connections end soon, so that a client at rest has none: one that is left then is held by something. */
const keptAlive = Duration.millis(300)

const HttpLayer = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
  Layer.provide(
    Layer.scoped(
      NodeHttpClient.Dispatcher,
      Effect.acquireRelease(
        Effect.sync(() => {
          const keepAliveTimeout = Duration.toMillis(keptAlive)
          return new Agent({ keepAliveTimeout, keepAliveMaxTimeout: keepAliveTimeout })
        }),
        (agent) => Effect.promise(() => agent.destroy())
      )
    )
  )
)

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "soak-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Nothing of a call is under way any more: no renewal, no request in a queue, no idle connection. */
const atRest = (clients: ReadonlyArray<Client.Client>): Effect.Effect<void> =>
  Effect.forEach(clients, ({ isQuiet }) => isQuiet).pipe(
    Effect.delay("200 millis"),
    Effect.repeat({ until: (quiet) => quiet.every((one) => one) }),
    Effect.zipRight(Effect.sleep("1 second")),
    Effect.timeoutOption("2 minutes"),
    Effect.asVoid
  )

/* ---- what is shown ------------------------------------------------------------------ */

const row = (...cells: ReadonlyArray<string | number>): Effect.Effect<void> =>
  Console.log(cells.map((cell) => String(cell).padStart(10)).join(""))

/** The library's own counters beside what the run has counted. */
const countMetrics = (tally: Tally.Tally): Effect.Effect<void> =>
  Effect.map(Metric.snapshot, (pairs) => {
    for (const { metricKey, metricState } of pairs) {
      if (!metricKey.name.startsWith("ig_") || !MetricState.isCounterState(metricState)) continue
      const labels = metricKey.tags.map(({ key, value }) => ` ${key}=${value}`).join("")
      Tally.count(tally, `${metricKey.name}${labels}`, Number(metricState.count))
    }
  })

const callsOf = ({ counts }: Tally.Tally): number =>
  [...counts].reduce((sum, [what, count]) => (/^(session|allowance): /.test(what) ? sum : sum + count), 0)

/* ---- the run --------------------------------------------------------------------------- */

export interface Result {
  readonly tenths: ReadonlyArray<Measure.Measure>
  readonly tally: Tally.Tally
}

const tenthsOfRun = 10

const against = (
  minutes: number,
  gc: () => void,
  child: ChildProcess
): Effect.Effect<Result, IgError | ConfigError.ConfigError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const address = yield* addressOf(child)
    const tally = Tally.make()
    const clients = [
      yield* Client.open(tally, address, join(folder, "oauth"), Session.login, Load.ofOAuth),
      yield* Client.open(tally, address, join(folder, "tokens"), Session.loginV2, Load.ofTokens)
    ]
    const visit = Client.visit(tally, address, join(folder, "visits"), Session.loginV2)
    const visits = Effect.forever(Effect.zipRight(visit, Effect.sleep("2 seconds")))
    yield* row("tenth", "calls", "heap, MB", "fibers", "timers", "sockets")
    const tenths: Array<Measure.Measure> = []
    const tenth = Duration.toMillis(Duration.minutes(minutes)) / tenthsOfRun
    for (let index = 1; index <= tenthsOfRun; index++) {
      const until = (yield* Clock.currentTimeMillis) + tenth
      const work = Effect.forEach(clients, (client) => client.work(until), { concurrency: "unbounded" })
      yield* Effect.raceFirst(work, visits)
      yield* atRest(clients)
      const measured = yield* Measure.measure(gc)
      tenths.push(measured)
      const { fibers, heap, sockets, timers } = measured
      yield* row(index, callsOf(tally), (heap / 1_000_000).toFixed(2), fibers, timers, sockets)
    }
    yield* countMetrics(tally)
    return { tenths, tally }
  })

export const run = (minutes: number, gc: () => void): Effect.Effect<Result, IgError | ConfigError.ConfigError> =>
  Effect.gen(function* () {
    yield* Measure.watchSockets
    const child = yield* started(minutes)
    return yield* Effect.raceFirst(against(minutes, gc, child), endOf(child))
  }).pipe(Effect.scoped, Effect.provide(HttpLayer))
