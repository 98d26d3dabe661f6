import { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import { beforeAll, describe, inject } from "vitest"
import { printed, shown } from "./utils/output.ts"
import { expectNoLeaks, stacks } from "./utils/life.ts"
import { leaksIn } from "./utils/secrets.ts"
import { makeLogs, makeSpans, metrics, printings } from "./utils/sinks.ts"

type Operation = Effect.Effect<unknown, IgError, Session.Ig | Credentials>

const wrongPassword: Operation = Effect.gen(function* () {
  const { identifier } = yield* yield* Credentials
  const password = Redacted.make(`wrong-${inject("planted").password}`)
  yield* Effect.provideService(Session.login, Credentials, Effect.succeed({ identifier, password }))
})

const operations: ReadonlyArray<Operation> = [
  Session.login,
  Session.loginV2,
  Session.refresh,
  Session.read(),
  Session.read({ fetchTokens: true }),
  Session.switchAccount("SBX02"),
  Session.switchAccount("not an id"),
  Session.encryptionKey,
  wrongPassword,
  Session.logout
]

beforeAll(() => {
  shown.isOn = false
})

describe("no secret comes out", () => {
  for (const [name, stack] of stacks) {
    const spans = makeSpans()
    const logs = makeLogs()
    it.live(name, () =>
      expectNoLeaks(operations, spans, logs).pipe(
        Effect.provide(Layer.provideMerge(stack, Layer.merge(spans.layer, logs.layer)))
      )
    )
  }
})

describe("the check itself turns red for a leak", () => {
  const secret = "s3cret-Token/with+signs=0123456789abcdef"
  const found = (text: string) => leaksIn(text, [secret])

  it("however it is spelt", () => {
    const base64 = (prefix: string) => Buffer.from(`${prefix}${secret}|1`).toString("base64")
    for (const text of [
      secret,
      `x${secret.slice(3, 19)}y`,
      base64(""),
      base64("a"),
      base64("ab"),
      base64("ab").replaceAll("+", "-").replaceAll("/", "_"),
      encodeURIComponent(secret),
      JSON.stringify({ secret: `${secret}"` })
    ]) {
      expect(found(text)).toEqual([secret])
      // Far more text than there are secrets is searched the other way round.
      expect(found(`${"-".repeat(5_001)}${text}${"-".repeat(5_001)}`)).toEqual([secret])
    }
    expect(found("nothing of the kind")).toEqual([])
    expect(found("nothing of the kind".repeat(500))).toEqual([])
  })

  it.effect("in an error, a defect, a log, a span, an event and a metric", () => {
    const spans = makeSpans()
    const logs = makeLogs()
    return Effect.gen(function* () {
      const prints = [...printings(new Error(secret)), ...printings({ token: secret })]
      expect(prints.filter((text) => found(text).length > 0)).toEqual(prints.filter((text) => text.includes(secret)))
      expect(prints.filter((text) => text.includes(secret)).length).toBeGreaterThan(8)
      yield* Effect.logTrace("oh", { token: secret })
      expect(logs.printed.map(found)).toEqual(logs.printed.map(() => [secret]))
      yield* Effect.void.pipe(Effect.withSpan("leaky", { attributes: { token: secret } }))
      expect(found(spans.printed())).toEqual([secret])
      const other = `other-${secret}`
      yield* Effect.currentSpan.pipe(
        Effect.flatMap((span) => Effect.sync(() => span.event(other, 0n))),
        Effect.withSpan("eventful")
      )
      expect(leaksIn(spans.printed(), [other])).toEqual([other])
      yield* Metric.tagged(Metric.counter("leaky"), "token", secret)(Effect.succeed(1))
      expect(found(yield* metrics)).toEqual([secret])
    }).pipe(Effect.provide(Layer.merge(spans.layer, logs.layer)))
  })

  it("on standard output, on standard error and on the console", () => {
    const before = printed.length
    process.stdout.write(`${secret} 1\n`)
    process.stderr.write(`${secret} 2\n`)
    console.info({ secret: [secret] })
    const after = printed.splice(before)
    expect(after.filter((text) => found(text).length > 0).length).toBeGreaterThanOrEqual(3)
  })
})
