/** A picture of the read: what each client costs, beside ours. */
import type { Contest, Ratio } from "./samples.ts"

const width = 760
const left = 190
const right = 90
const bar = 16
const step = 2 * bar + 16
const top = 64

const colours = { wall: "#2563a8", cpu: "#e0872e" } as const

const text = (x: number, y: number, content: string, more = ""): string =>
  `<text x="${x}" y="${y}" ${more}>${content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</text>`

interface Length {
  readonly name: string
  readonly wall: number
  readonly cpu: number
}

/** Ratios are of ours to theirs: the other way round they say how long a bar is. */
const lengths = (ratios: ReadonlyArray<Ratio>): ReadonlyArray<Length> =>
  [
    { name: "ours", wall: 1, cpu: 1 },
    ...ratios.map(({ cpu, to, wall }) => ({ name: to, wall: 1 / wall.median, cpu: 1 / cpu.median }))
  ].sort((one, other) => one.cpu - other.cpu)

export const picture = ({ ratios, title }: Contest): string => {
  const bars = lengths(ratios)
  const scale = (width - left - right) / Math.max(...bars.flatMap(({ cpu, wall }) => [cpu, wall]))
  const height = top + bars.length * step + 20
  const one = left + scale
  const drawn = bars.flatMap(({ cpu, name, wall }, index) => {
    const y = top + index * step
    const isOurs = name === "ours"
    return [
      text(left - 10, y + bar + 5, name, `text-anchor="end"${isOurs ? ` font-weight="bold"` : ""}`),
      ...[["wall", wall, 0] as const, ["cpu", cpu, bar] as const].flatMap(([what, length, down]) => [
        `<rect x="${left}" y="${y + down}" width="${(length * scale).toFixed(1)}" height="${bar - 1}" fill="${colours[what]}"${isOurs ? "" : ` opacity="0.65"`}/>`,
        text(left + length * scale + 6, y + down + 12, `${length.toFixed(2)} ×`, `font-size="11"`)
      ])
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img" aria-label="${title}: cost of each client beside ours">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(20, 26, `${title}: a call of each client beside one of ours`, `font-size="15" font-weight="bold"`),
    `<rect x="20" y="38" width="12" height="12" fill="${colours.wall}"/>`,
    text(38, 49, "wall time"),
    `<rect x="120" y="38" width="12" height="12" fill="${colours.cpu}"/>`,
    text(138, 49, "CPU time"),
    text(220, 49, "shorter is cheaper", `fill="#666"`),
    ...drawn,
    `<line x1="${one}" y1="${top - 6}" x2="${one}" y2="${height - 16}" stroke="#222" stroke-dasharray="3 3"/>`,
    "</svg>",
    ""
  ].join("\n")
}
