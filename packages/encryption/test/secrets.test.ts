import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as PasswordEncryption from "@effect-ig/encryption/PasswordEncryption"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { beforeAll, describe } from "vitest"
import { shown } from "../../core/test/utils/output.ts"
import { expectNoLeaks, stacks } from "../../core/test/utils/life.ts"
import { remember } from "../../core/test/utils/secrets.ts"
import { makeLogs, makeSpans } from "../../core/test/utils/sinks.ts"

/** The encrypted password is a secret, too. */
const remembering = Layer.succeed(PasswordCipher, {
  encrypt: (input) =>
    Effect.tap(PasswordEncryption.encryptPassword(input), (sealed) =>
      Effect.sync(() => remember(Redacted.value(sealed)))
    )
})

const malformedKey = Effect.zipRight(
  Effect.flatMap(Sandbox, ({ inject }) =>
    inject({
      kind: "answer",
      path: "/session/encryptionKey",
      status: 200,
      text: JSON.stringify({ encryptionKey: "AAAA", timeStamp: 1 })
    })
  ),
  Session.loginV2WithEncryption
)

const operations = [Session.loginWithEncryption, Session.loginV2WithEncryption, malformedKey]

beforeAll(() => {
  shown.isOn = false
})

describe("no secret comes out of an encrypted login", () => {
  for (const [name, stack] of stacks) {
    const spans = makeSpans()
    const logs = makeLogs()
    it.live(name, () =>
      expectNoLeaks(operations, spans, logs).pipe(
        Effect.provide(Layer.merge(stack, remembering).pipe(Layer.provideMerge(Layer.merge(spans.layer, logs.layer))))
      )
    )
  }
})
