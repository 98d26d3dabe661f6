/**
 * The sandbox and the troubles that it makes, in a process of its own: its memory is not the client's. Ends with its
 * parent.
 */
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import type { Fault } from "@effect-ig/sandbox/Fault"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** What the parent needs to know. */
export interface Address {
  readonly baseUrl: string
  readonly apiKey: string
  readonly identifier: string
  readonly password: string
}

type Trouble = (sandbox: Sandbox.Sandbox.Service) => Effect.Effect<void>

const fault =
  (...faults: ReadonlyArray<Fault>): Trouble =>
  ({ inject }) =>
    Effect.forEach(faults, inject, { discard: true })

const expired =
  (...kinds: ReadonlyArray<Sandbox.TokenKind>): Trouble =>
  ({ expire }) =>
    expire(...kinds)

/** What the calls of the load use, logins and refreshes left out: those have troubles of their own. */
const paths = ["/positions", "/accounts", "/watchlists", "/positions/otc"]

const onPaths = (kind: Fault): ReadonlyArray<Trouble> => paths.map((path) => fault({ ...kind, path }))

const refresh = { method: "POST", path: "/session/refresh-token" }
const login = { method: "POST", path: "/session" }

const troubles: ReadonlyArray<Trouble> = [
  ...onPaths({ kind: "slow", millis: 300, times: 2 }),
  ...onPaths({ kind: "never" }),
  ...onPaths({ kind: "cutHeaders" }),
  ...onPaths({ kind: "cutBody" }),
  ...onPaths({ kind: "answer", status: 503, errorCode: "error.service.unavailable" }),
  ...onPaths({ kind: "answer", status: 500, text: "<html>" }),
  fault({ kind: "nonJson403", path: "/positions" }),
  fault({ kind: "doubledTokenHeader", ...login }),
  expired("access"),
  expired("access"),
  expired("access"),
  expired("cst", "xst"),
  expired("access", "refresh"),
  expired("access", "refresh", "cst", "xst"),
  (sandbox) => Effect.zipRight(fault({ kind: "cutHeaders", ...refresh })(sandbox), sandbox.expire("access")),
  (sandbox) => Effect.zipRight(fault({ kind: "slow", millis: 500, ...refresh })(sandbox), sandbox.expire("access")),
  (sandbox) => Effect.zipRight(fault({ kind: "slow", millis: 500, ...login })(sandbox), sandbox.purge)
]

/** Only the first client reads from there: what the other needs for its sessions of other accounts would have to wait. */
const refusals: ReadonlyArray<Trouble> = [
  fault({ kind: "allowance", allowance: "account", path: "/watchlists" }),
  fault({ kind: "allowance", allowance: "account-trading", path: "/positions/otc" })
]

/** Each in its turn, so that a short run meets all of them; refusals, which close an allowance for a minute, seldom. */
const making = (minutes: number) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const round = Effect.forEach(troubles, (trouble) => Effect.zipRight(Effect.sleep("500 millis"), trouble(sandbox)), {
      discard: true
    })
    const refusal = Effect.forEach(refusals, (refuse) => refuse(sandbox), { discard: true })
    const refusing = Effect.forever(Effect.zipRight(refusal, Effect.sleep("2 minutes")))
    yield* Effect.all([Effect.forever(round), Effect.delay(refusing, Duration.minutes(minutes * 0.4))], {
      concurrency: "unbounded",
      discard: true
    })
  })

const program = (minutes: number) =>
  Effect.gen(function* () {
    const { apiKey, baseUrl, identifier, password } = yield* Sandbox.Sandbox
    const address: Address = { apiKey, baseUrl, identifier, password }
    process.send?.(address)
    yield* making(minutes)
  }).pipe(Effect.provide(Sandbox.layer({ switches: { accessTtl: 15_000, refreshTtl: 120_000, latency: 5 } })))

// A terminal's Ctrl-C goes to the whole group; the parent, which logs out first, says when it is over.
process.on("SIGINT", () => {})
process.on("disconnect", () => process.exit(0))

NodeRuntime.runMain(program(Number(process.argv[2])))
