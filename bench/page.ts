/** The page of all results. */
import { judged } from "./goals.ts"
import type { Results, Taken } from "./results.ts"
import type { Contest, Cost } from "./samples.ts"
import type { Figure, Found } from "./section.ts"
import type { Estimate } from "./statistics.ts"

const row = (...cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => [
  row(...head),
  row(...head.map((_, index) => (index === 0 ? "---" : "--:"))),
  ...rows.map((cells) => row(...cells)),
  ""
]

const time = (millis: number): string =>
  millis < 1 ? `${(millis * 1_000).toFixed(0)} µs` : `${millis.toPrecision(3)} ms`

const ratio = ({ high, low, median }: Estimate): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`

const sideRow = ([name, { cpu, wall }]: readonly [string, Cost]) => [name, time(wall), time(cpu)]

const contestPart = ({ each, ratios, rounds, sides, title }: Contest): ReadonlyArray<string> => [
  `### ${title}`,
  "",
  `${rounds} rounds.`,
  "",
  ...table(["", `wall, ${each}`, `CPU, ${each}`], Object.entries(sides).map(sideRow)),
  ...table(
    ["", "wall", "CPU"],
    ratios.map(({ cpu, of, to, wall }) => [`**${of}** ÷ ${to}`, ratio(wall), ratio(cpu)])
  )
]

const figureRow = ({ name, unit, value }: Figure): ReadonlyArray<string> => [name, `${value.toFixed(1)} ${unit}`]

const takenLine = ({ machine, on, versions }: Taken): string => `${on}, ${machine}; ${versions}.`

const sectionPart = ([name, { contests, figures, taken }]: readonly [
  string,
  Found & { readonly taken: Taken }
]): ReadonlyArray<string> => [
  `## \`pnpm bench --only ${name}\``,
  "",
  takenLine(taken),
  "",
  ...Object.values(contests).flatMap(contestPart),
  ...(Object.keys(figures).length === 0 ? [] : table(["", ""], Object.values(figures).map(figureRow)))
]

const intro = [
  "# What it costs",
  "",
  "Written by `pnpm bench`, from `bench/results.json`. Each side runs in a process of its own against one server that answers from memory, over 64 connections at most, and only one at a time. A ratio is that of two sides in the same round: the median of all rounds and, by the bootstrap, the interval in which it lies with 95 %. Why it is built so: [D37](decisions/D37-benchmarks.md).",
  "",
  "![What a read costs beside other clients](benchmarks.svg)",
  "",
  "- **ours** has everything on that `IgClient.layer` turns on: schema, session, renewal, allowances, read retry, a time limit. Its allowances are so high that each call is counted and none waits; with _unlimited_ they are what `IgClient.layer` has for a gateway that is not IG's, with _unthrottled_ they are off.",
  "- **platform** is the bare client of `@effect/platform` over undici with the same schema; with _timeout_ under `Effect.timeout` of the same length, with _no spans_ told not to make the span that nobody sees; with _Node http_ over that.",
  "- **undici** and **fetch** parse JSON and do nothing else.",
  "- **ig-trading-api** has no schema, no allowances and no time limit.",
  "",
  "## Goals",
  "",
  "A goal counts as reached when the whole interval is within its bound.",
  ""
]

export const page = (results: Results): string =>
  [
    ...intro,
    ...table(
      ["What", "At most", "Measured", ""],
      judged(results).map(({ bound, measured, verdict, what }) => [
        what,
        bound,
        measured,
        verdict === "reached" ? verdict : `**${verdict}**`
      ])
    ),
    ...Object.entries(results).flatMap(sectionPart)
  ].join("\n")
