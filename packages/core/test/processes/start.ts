/** Starts the service as a process of its own, against the sandbox of the test. */
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { bundled } from "../../../../scripts/bundled.ts"

export interface Settings {
  readonly LOGIN: "login" | "loginV2"
  readonly HTTP: "undici" | "node" | "fetch"
  /** By which the session is bound to the program's life. */
  readonly BY: "layer" | "scoped" | "store"
  readonly WORK: "end" | "accounts" | "fail" | "wait" | "refresh" | "call"
  /** How often somebody supplies the credentials. */
  readonly CREDENTIALS: "always" | "once"
  /** The file of the store. */
  readonly STORE?: string
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Of the process's own clock, in ms. */
  readonly at: number
  readonly out: string
}

export interface Running {
  /** Ends when the process has printed this line. */
  readonly said: (line: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ended>
  /** Answers with when it was sent. */
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<number>
}

const main = await bundled(join(import.meta.dirname, "service.ts"))

export const start = (settings: Settings): Effect.Effect<Running, never, Sandbox | Scope.Scope> =>
  Effect.gen(function* () {
    const { apiKey, baseUrl, identifier, password } = yield* Sandbox
    const ended = yield* Deferred.make<Ended>()
    const waiting = new Set<() => void>()
    let out = ""
    let over: Omit<Ended, "out"> | undefined
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [main], {
          stdio: ["ignore", "pipe", "pipe"],
          env: {
            ...process.env,
            ...settings,
            BASE_URL: baseUrl,
            API_KEY: apiKey,
            IDENTIFIER: identifier,
            PASSWORD: password
          }
        })
      ),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    const heard = (chunk: Buffer) => {
      out += chunk.toString()
      for (const look of waiting) look()
    }
    child.stdout.on("data", heard)
    child.stderr.on("data", heard)
    child.once("exit", (code, signal) => {
      over = { code, signal, at: performance.now() }
    })
    child.once("close", (code, signal) => {
      Deferred.unsafeDone(ended, Effect.succeed({ ...(over ?? { code, signal, at: performance.now() }), out }))
      for (const look of waiting) look()
    })
    const said = (line: string): Effect.Effect<void> =>
      Effect.async<void>((resume) => {
        const look = () => {
          if (out.split("\n").includes(line)) resume(Effect.void)
          else if (over !== undefined) resume(Effect.die(`it ended before it said "${line}":\n${out}`))
        }
        waiting.add(look)
        look()
        return Effect.sync(() => void waiting.delete(look))
      })
    const kill = (signal: NodeJS.Signals) =>
      Effect.sync(() => {
        child.kill(signal)
        return performance.now()
      })
    return { said, kill, ended: Deferred.await(ended) }
  })
