/** Two clients that share a key, and so are given one throttle. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Throttle from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

class One extends Context.Tag("One")<One, typeof Throttle.Throttle.Service>() {}
class Other extends Context.Tag("Other")<Other, typeof Throttle.Throttle.Service>() {}

const client = (environment: string) =>
  IgClient.layer({ environment, apiKey: Redacted.make("key"), identifier: "user", password: Redacted.make("pass") })

it.effect("two clients that are given one layer of the throttle count together", () => {
  const shared = Throttle.layer("live")
  const on = (environment: string) => Layer.merge(client(environment), shared)
  return Effect.gen(function* () {
    expect(yield* One).toBe(yield* Other)
  }).pipe(
    Effect.provide(
      Layer.merge(
        Layer.provide(Layer.effect(One, Throttle.Throttle), on("live")),
        Layer.provide(Layer.effect(Other, Throttle.Throttle), on("demo"))
      )
    )
  )
})
