/** What Stryker tells of a shard, as far as it is needed. */
import * as Schema from "effect/Schema"

const Position = Schema.Struct({ line: Schema.Number, column: Schema.Number })

const Mutant = Schema.Struct({
  mutatorName: Schema.String,
  replacement: Schema.optional(Schema.String),
  status: Schema.Literal(
    "Killed",
    "Survived",
    "NoCoverage",
    "CompileError",
    "RuntimeError",
    "Timeout",
    "Ignored",
    "Pending"
  ),
  statusReason: Schema.optional(Schema.String),
  static: Schema.optional(Schema.Boolean),
  location: Schema.Struct({ start: Position, end: Position })
})

export type Mutant = typeof Mutant.Type

export const Report = Schema.Struct({
  files: Schema.Record({
    key: Schema.String,
    value: Schema.Struct({ source: Schema.String, mutants: Schema.Array(Mutant) })
  }),
  testFiles: Schema.Record({ key: Schema.String, value: Schema.Struct({ tests: Schema.Array(Schema.Unknown) }) })
})

export type Report = typeof Report.Type

export const decode: (json: string) => Report = Schema.decodeUnknownSync(Schema.parseJson(Report))

/** How many tests the first run had. */
export const testsOf = ({ testFiles }: Report): number =>
  Object.values(testFiles).reduce((sum, { tests }) => sum + tests.length, 0)

/** What stood where the mutant is. */
export const original = (source: string, { location: { end, start } }: Mutant): string => {
  const lines = source.split("\n").slice(start.line - 1, end.line)
  return lines
    .map((line, index) =>
      line.slice(index === 0 ? start.column - 1 : 0, index === lines.length - 1 ? end.column - 1 : undefined)
    )
    .join("\n")
}
