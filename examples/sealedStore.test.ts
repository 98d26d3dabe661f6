import * as IgClient from "@effect-ig/core/IgClient"
import * as Session from "@effect-ig/core/Session"
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as Sandbox from "@effect-ig/sandbox/Sandbox"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { randomBytes } from "node:crypto"
import { ClientLayer } from "./sandboxClient.ts"
import * as SealedStore from "./sealedStore.ts"

const World = Layer.merge(Sandbox.layerHttpClient(), KeyValueStore.layerMemory)

const run = (key: Uint8Array) => {
  const StoreLayer = SessionStore.layerKeyValueStore({ key: "ig-session" }).pipe(
    Layer.provide(SealedStore.layer(Redacted.make(key)))
  )
  return Effect.provide(
    Session.read(),
    IgClient.layerResumed(Session.loginV2).pipe(Layer.provide(StoreLayer), Layer.provideMerge(ClientLayer))
  )
}

it.effect("a sealed session is resumed with its key alone, and holds no token in clear", () =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const logins = Effect.map(sandbox.record, (all) => all.filter(({ method }) => method === "POST").length)
    const key = randomBytes(32)
    yield* run(key)
    yield* run(key)
    expect(yield* logins).toBe(1)

    const sealed = Option.getOrThrow(yield* (yield* KeyValueStore.KeyValueStore).get("ig-session"))
    const readable = sealed + Buffer.from(sealed, "base64").toString("latin1")
    for (const { value } of yield* sandbox.issued) expect(readable).not.toContain(value)

    yield* run(randomBytes(32))
    expect(yield* logins).toBe(2)
  }).pipe(Effect.provide(World))
)
