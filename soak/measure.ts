/** What the process holds while it does nothing. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import { subscribe } from "node:diagnostics_channel"
import { Socket } from "node:net"

export interface Measure {
  /** In bytes, after garbage collection. */
  readonly heap: number
  readonly fibers: number
  readonly timers: number
  readonly sockets: number
}

let sockets = 0

/** Idle ones, too, which keep no process alive and so are no active resource. */
export const watchSockets: Effect.Effect<void> = Effect.sync(() =>
  subscribe("net.client.socket", (message) => {
    if (!Predicate.hasProperty(message, "socket") || !(message.socket instanceof Socket)) return
    sockets += 1
    message.socket.once("close", () => (sockets -= 1))
  })
)

/** Each fiber is a root, or a child of another. */
const withDescendants = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<number> =>
  Effect.flatMap(fiber.children, (children) =>
    Effect.reduce(children, 1, (count, child) => Effect.map(withDescendants(child), (more) => count + more))
  )

const fibers: Effect.Effect<number> = Effect.flatMap(Fiber.roots, (roots) =>
  Effect.reduce(roots, 0, (count, root) => Effect.map(withDescendants(root), (more) => count + more))
)

/** What finalizers let go of is garbage of the next round. */
const rounds = 4

const collected = (gc: () => void): Effect.Effect<number> =>
  Effect.gen(function* () {
    for (let round = 0; round < rounds; round++) {
      gc()
      yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
    }
    gc()
    return process.memoryUsage().heapUsed
  })

export const measure = (gc: () => void): Effect.Effect<Measure> =>
  Effect.gen(function* () {
    const alive = yield* fibers
    const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length
    return { heap: yield* collected(gc), fibers: alive, timers, sockets }
  })
