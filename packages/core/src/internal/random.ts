import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** 16 hexadecimal digits: enough to be told apart, not to be kept secret. */
export const randomHex: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 2 ** 32), Random.nextIntBetween(0, 2 ** 32)]),
  (halves) => halves.map((half) => half.toString(16).padStart(8, "0")).join("")
)
