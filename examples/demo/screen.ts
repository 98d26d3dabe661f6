import type { Session as AnySession } from "@effect-ig/core/SessionState"
import type * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { createColors } from "picocolors"

const pc = createColors(Boolean(process.stdout.isTTY) && !process.env["NO_COLOR"])

/** How long to pause after each step, so that a person can follow. */
export class Pace extends Context.Reference<Pace>()("examples/demo/Pace", {
  defaultValue: () => Duration.zero
}) {}

export const pause: Effect.Effect<void> = Effect.flatMap(Pace, Effect.sleep)

export const title = (text: string, below: string): Effect.Effect<void> =>
  Console.log(`\n${pc.bold(text)}\n${pc.dim(below)}`)

let count = 0

export const step = (text: string): Effect.Effect<void> =>
  Effect.suspend(() => Console.log(`\n${pc.bold(`${String(++count).padStart(2)}  ${text}`)}`))

export const say = (text: string): Effect.Effect<void> => Console.log(`    ${pc.dim(text)}`)

export const hint = (text: string): Effect.Effect<void> => Console.log(`    ${pc.yellow(text)}`)

const query = (request: Sandbox.RecordedRequest): string => {
  const pairs = Object.entries(request.query).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`
}

const carried = ({ headers }: Sandbox.RecordedRequest): string =>
  [headers["authorization"], headers["ig-account-id"], headers["cst"], headers["x-security-token"]]
    .filter((value) => value !== undefined)
    .join(", ")

const answered = (request: Sandbox.RecordedRequest): string => {
  const status = String(request.status)
  const code = request.errorCode === undefined ? "" : ` ${request.errorCode}`
  return request.status < 300 ? pc.green(status) : pc.red(`${status}${code}`)
}

/** What the sandbox received, and what it answered; tokens by the names that its record gives them. */
export const wire = (request: Sandbox.RecordedRequest): Effect.Effect<void> => {
  const call = `${request.method.padEnd(6)} ${`${request.path}${query(request)}`.padEnd(34)}`
  const version = `Version ${request.version ?? 1}`
  const tokens = carried(request)
  const issued = request.issued.length === 0 ? "" : `  issues ${request.issued.join(", ")}`
  return Console.log(
    `    ${pc.cyan("→")} ${call} ${pc.dim(version)}${tokens === "" ? "" : pc.dim(`  with ${tokens}`)}\n` +
      `    ${pc.cyan("←")} ${answered(request)}${pc.dim(issued)}`
  )
}

const isSame = (one: Sandbox.RecordedRequest) => (other: Sandbox.RecordedRequest) =>
  one.method === other.method &&
  one.path === other.path &&
  one.status === other.status &&
  one.errorCode === other.errorCode &&
  carried(one) === carried(other)

/**
 * The same for many at once: equal ones are drawn as one, in the order in which their first came, with a square for each.
 * A renewal may be under way before the last call of the old bearer has arrived, so equal ones need not be neighbours.
 */
export const crowd = (record: ReadonlyArray<Sandbox.RecordedRequest>): Effect.Effect<void> =>
  Effect.forEach(
    record.filter((request, index) => record.findIndex(isSame(request)) === index),
    (request) => {
      const count = record.filter(isSame(request)).length
      const squares = (request.status < 300 ? pc.green : pc.red)("■".repeat(count))
      return Effect.zipRight(wire(request), Console.log(`      ${squares} × ${count}`))
    },
    { discard: true }
  )

/** How an allowance stands. */
export interface Frame {
  /** In seconds from the start. */
  readonly at: number
  /** Since the frame before. */
  readonly sent: number
  readonly waiting: number
  readonly left: number
  readonly limit: number
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`

/** A square for each request that was sent, for each that waits, and for each place that is left. */
export const gauge = ({ at, left, limit, sent, waiting }: Frame): Effect.Effect<void> => {
  const places = pc.cyan("□".repeat(left)) + pc.dim("·".repeat(limit - left))
  const gone = pc.green("■".repeat(sent)) + " ".repeat(Math.max(0, limit - sent))
  const queue = waiting === 0 ? pc.dim("nobody waits") : `${pc.yellow("■".repeat(waiting))} ${waiting} wait`
  return Effect.zipRight(
    Console.log(`    ${pc.dim(clock(at))}  left ${places}  sent ${gone}  ${queue}`),
    Effect.flatMap(Pace, (pace) => Effect.sleep(Duration.times(pace, 0.3)))
  )
}

const seconds = (millis: number): string => `${Math.max(0, Math.round(millis / 1000))} s`

/** What is signed in now, and for how long. */
export const session = (current: AnySession): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    switch (current._tag) {
      case "SignedOut":
        return say("Signed out.")
      case "TokenSession":
        return say(`On ${current.accountId} by CST and X-SECURITY-TOKEN, 6 hours, up to 72 while used.`)
      case "OAuthSession": {
        const streaming = Option.isSome(current.streamingTokens) ? ", with streaming tokens beside it" : ""
        return say(
          `On ${current.accountId} by a bearer that lives ${seconds(current.expiresAt - now)} more${streaming}.`
        )
      }
    }
  })
