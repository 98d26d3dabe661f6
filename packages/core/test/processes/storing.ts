/** Stores texts that show whether they are whole, one after the other, and says which have been stored. */
import * as SessionStore from "@effect-ig/core/SessionStore"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { writeSync } from "node:fs"
import { textOf } from "../utils/wholeText.ts"

const [, , path = "", writer = "", times = "0"] = process.argv

const program = Effect.gen(function* () {
  const { save } = yield* SessionStore.SessionStore
  for (let count = 1; count <= Number(times); count++) {
    yield* save(Redacted.make(textOf({ writer, count })))
    writeSync(1, `${count}\n`)
  }
})

void Effect.runPromise(
  Effect.provide(program, SessionStore.layerFile({ path }).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer])))
)
