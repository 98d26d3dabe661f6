/** Texts of a few kB that name their writer from the first word to the last. */
export interface Written {
  readonly writer: string
  readonly count: number
}

export const textOf = ({ count, writer }: Written): string => `${writer} ${count} `.repeat(200 + (count % 50))

/** Who wrote it, if every word is theirs. */
export const readWhole = (text: string): Written | undefined => {
  const [writer = "", count = ""] = text.split(" ", 2)
  const written = { writer, count: Number(count) }
  return text === textOf(written) ? written : undefined
}
