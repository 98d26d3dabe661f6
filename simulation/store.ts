/** Where the session is stored between the runs of a program, and what becomes of it there. */
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Tampering } from "./program.ts"
import type { Watch } from "./watch.ts"

/** One text, which outlives the runs. */
export interface Shelf {
  text: string | undefined
  /** Is a text on its way into it? */
  isWriting: boolean
}

export const makeShelf = (): Shelf => ({ text: undefined, isWriting: false })

/** In one step, at the end of the time that it takes: a crash before that leaves the old. */
const put = (shelf: Shelf, watch: Watch, writing: number, text: string | undefined): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (watch.isCut) return yield* Effect.never
    shelf.isWriting = true
    if (writing > 0) yield* Effect.sleep(writing)
    if (watch.isCut) return yield* Effect.never
    shelf.isWriting = false
    shelf.text = text
  })

/** What a run sees of it. */
export const layerStore = (shelf: Shelf, watch: Watch, writing: number): Layer.Layer<SessionStore.SessionStore> =>
  SessionStore.layerKeyValueStore({ key: "session" }).pipe(
    Layer.provide(
      Layer.succeed(
        KeyValueStore.KeyValueStore,
        KeyValueStore.makeStringOnly({
          get: () => Effect.sync(() => Option.fromNullable(shelf.text)),
          set: (_, text) => put(shelf, watch, writing, text),
          remove: () => put(shelf, watch, writing, undefined),
          clear: put(shelf, watch, writing, undefined),
          size: Effect.sync(() => (shelf.text === undefined ? 0 : 1))
        })
      )
    )
  )

/** As it would stand there if somebody else had written it. */
const withOther = (field: "baseUrl" | "apiKey" | "identifier") => (text: string) =>
  text.replace(
    new RegExp(`("${field}":".*?)(.)"`),
    (_, start: string, last: string) => `${start}${last === "0" ? "1" : "0"}"`
  )

const tamperings: Readonly<Record<Tampering, (text: string) => string>> = {
  "another environment": withOther("baseUrl"),
  "another key": withOther("apiKey"),
  "another identifier": withOther("identifier"),
  "cut short": (text) => text.slice(0, text.length / 2)
}

export const tamper = (shelf: Shelf, tampering: Tampering): void => {
  if (shelf.text !== undefined) shelf.text = tamperings[tampering](shelf.text)
}
