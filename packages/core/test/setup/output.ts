// Node's fetch and undici share the pool of whichever is loaded first, which would be by chance. Node's own opens an idle
// connection in place of one that was aborted, and a test that waits until none is left waits for 4 seconds.
import "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Redacted from "effect/Redacted"
import { formatWithOptions } from "node:util"
import { afterAll, beforeAll, expect, inject } from "vitest"
import { printed, shown } from "../utils/output.ts"
import { forgetAll, leaksIn, remember } from "../utils/secrets.ts"
import { beginMetrics } from "../utils/sinks.ts"

// By itself it takes any two of them for equal, so that sessions with other tokens would be.
expect.addEqualityTesters([
  (one: unknown, other: unknown) =>
    Redacted.isRedacted(one) && Redacted.isRedacted(other) ? Equal.equals(one, other) : undefined
])

const { apiKey, password } = inject("planted")
Effect.runSync(beginMetrics)
forgetAll()
remember(apiKey, password)

printed.length = 0
shown.isOn = true

const streams = () =>
  [process.stdout, process.stderr].map((stream) => {
    const write = stream.write
    stream.write = (chunk: string | Uint8Array, ...rest: ReadonlyArray<unknown>) => {
      printed.push(typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk))
      return shown.isOn ? Reflect.apply(write, stream, [chunk, ...rest]) : true
    }
    return () => {
      stream.write = write
    }
  })

const methods = ["log", "info", "warn", "error", "debug", "group", "trace"] as const

const consoles = () =>
  methods.map((name) => {
    const method = console[name]
    console[name] = (...values: ReadonlyArray<unknown>) => {
      printed.push(formatWithOptions({ depth: Number.POSITIVE_INFINITY, showHidden: true }, ...values))
      if (shown.isOn) Reflect.apply(method, console, values)
    }
    return () => {
      console[name] = method
    }
  })

let restores: ReadonlyArray<() => void> = []

beforeAll(() => {
  restores = [...streams(), ...consoles()]
})

/** Of every test file: nothing that it printed holds a secret. */
afterAll(() => {
  for (const restore of restores) restore()
  expect(leaksIn(printed.join("\n"))).toEqual([])
})
