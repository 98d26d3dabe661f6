/** Two clients in one program: each has a session, credentials and allowances of its own. */
import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import { expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { describe } from "vitest"
import { clientLayer, inMemory } from "./utils/ig.ts"
import { count, liveSessions } from "./utils/state.ts"

interface Side {
  readonly session: Effect.Effect<SessionState.Session>
  readonly limit: Effect.Effect<number>
}

class One extends Context.Tag("One")<One, Side>() {}
class Other extends Context.Tag("Other")<Other, Side>() {}

/** What a service sees that stands on a client of its own. */
const side = Effect.gen(function* () {
  const { get } = yield* SessionState.SessionState
  const throttle = yield* Throttle.Throttle
  return {
    session: get,
    limit: Effect.map(Option.getOrThrow(throttle).status, (status) => status.key.limit)
  }
})

const client = (environment: string) =>
  IgClient.layer({ environment, apiKey: Redacted.make("key"), identifier: "user", password: Redacted.make("pass") })

describe("two clients of one program", () => {
  it.effect("keep to the allowances of their own gateways", () =>
    Effect.gen(function* () {
      expect(yield* (yield* One).limit).toBe(8)
      expect(yield* (yield* Other).limit).toBe(60)
    }).pipe(
      Effect.provide(
        Layer.merge(
          Layer.provide(Layer.effect(One, side), client("demo")),
          Layer.provide(Layer.effect(Other, side), client("live"))
        )
      )
    )
  )

  it.effect("have a session each", () =>
    Effect.gen(function* () {
      expect(yield* (yield* One).session).toMatchObject({ _tag: "OAuthSession" })
      expect(yield* (yield* Other).session).toMatchObject({ _tag: "SignedOut" })
    }).pipe(
      Effect.provide(
        Layer.merge(
          Layer.provide(Layer.scoped(One, Effect.zipRight(Session.scoped(Session.login), side)), clientLayer()),
          Layer.provide(Layer.effect(Other, side), clientLayer())
        )
      ),
      Effect.provide(inMemory())
    )
  )
})

it.effect("one client that several services stand on has one session", () =>
  Effect.gen(function* () {
    const shared = clientLayer()
    yield* Effect.gen(function* () {
      expect(yield* (yield* Other).session).toMatchObject({ _tag: "OAuthSession" })
      expect(yield* liveSessions).toBe(1)
    }).pipe(
      Effect.provide(
        Layer.merge(
          Layer.provide(Layer.scoped(One, Effect.zipRight(Session.scoped(Session.login), side)), shared),
          Layer.provide(Layer.effect(Other, side), shared)
        )
      )
    )
    expect(yield* count).toBe(2)
  }).pipe(Effect.provide(inMemory()))
)
