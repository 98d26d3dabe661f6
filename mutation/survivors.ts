/** Mutants that no test notices, and why none could or should. */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { type Mutant, original } from "./report.ts"

/** Names a mutant for as long as its line stays what it is, wherever that line moves. */
const fields = {
  file: Schema.String,
  line: Schema.String,
  mutator: Schema.String,
  original: Schema.String,
  replacement: Schema.String
}

const Survivor = Schema.Struct(fields)

export type Survivor = typeof Survivor.Type

const Explained = Schema.Struct({ ...fields, reason: Schema.NonEmptyTrimmedString })

export type Explained = typeof Explained.Type

export const explained = (file: string): ReadonlyArray<Explained> =>
  Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Explained)))(readFileSync(file, "utf8"))

const inOneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

export const survivor = (file: string, source: string, mutant: Mutant): Survivor => ({
  file,
  line: inOneLine(source.split("\n")[mutant.location.start.line - 1] ?? ""),
  mutator: mutant.mutatorName,
  original: inOneLine(original(source, mutant)),
  replacement: inOneLine(mutant.replacement ?? "")
})

const key = ({ file, line, mutator, original, replacement }: Survivor): string =>
  JSON.stringify([file, line, mutator, original, replacement])

/** What is in the first and not in the second. */
export const missing = <A extends Survivor>(
  from: ReadonlyArray<A>,
  other: ReadonlyArray<Survivor>
): ReadonlyArray<A> => {
  const known = new Set(other.map(key))
  return from.filter((one) => !known.has(key(one)))
}

export const inWords = ({ file, line, mutator, original, replacement }: Survivor): string =>
  `${file}: ${line}\n    ${mutator}: ${original} → ${replacement}`
