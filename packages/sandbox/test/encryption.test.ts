import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { encrypted } from "./utils/encrypted.ts"
import { asked, encodingFor, forms } from "./utils/raw.ts"

const refused = "401 error.security.invalid-details"

for (const [form, layer] of forms) {
  describe(`an answer ${form}`, () => {
    it.effect("is gzipped, errors too, for those who offer it and not for those who refuse it", () =>
      Effect.gen(function* () {
        expect(yield* encodingFor("deflate, GZIP;q=0.5")).toBe("gzip")
        expect(yield* encodingFor("gzip;q=0, deflate")).toBeUndefined()
        expect(yield* encodingFor("identity")).toBeUndefined()
        yield* (yield* Sandbox).setSwitches({ gzip: "always" })
        expect(yield* encodingFor("identity")).toBe("gzip")
        expect(yield* asked({})).toBe("401 error.security.client-token-missing")
      }).pipe(Effect.provide(layer()))
    )
  })

  describe(`an encrypted password ${form}`, () => {
    it.effect("is taken under Versions 1 and 2 with its inner base64, and refused without", () =>
      Effect.gen(function* () {
        expect(yield* encrypted(1)).toBe("200")
        expect(yield* encrypted(2)).toBe("200")
        expect(yield* encrypted(2, 0, false)).toBe(refused)
        expect(yield* encrypted(2, 599_999)).toBe("200")
        expect(yield* encrypted(2, 600_000)).toBe(refused)
        const record = (yield* (yield* Sandbox).record).filter(({ method }) => method === "POST")
        expect(record.map(({ body }) => body)).toMatchObject([
          { password: "encrypted:correct", encryptedPassword: true },
          { password: "encrypted:correct" },
          { password: "encrypted:unreadable" },
          { password: "encrypted:correct" },
          { password: "encrypted:correct" }
        ])
      }).pipe(Effect.provide(layer()))
    )

    it.effect("may hold bars and any Unicode", () =>
      Effect.gen(function* () {
        expect(yield* encrypted(2)).toBe("200")
      }).pipe(Effect.provide(layer({ password: "a|b|ü€😀|" })))
    )
  })
}
