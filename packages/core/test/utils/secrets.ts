/** Looks for secrets in whatever was printed, however it was spelt. */

/** Secrets that this run has planted or been given; the same in every module of a test file. */
const known = new Set<string>()

export const remember = (...secrets: ReadonlyArray<string>): void => {
  for (const secret of secrets) if (secret.length >= 8) known.add(secret)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

/** What base64 of a text that holds the secret must hold, at each of the three alignments. */
const inBase64 = (secret: string): ReadonlyArray<string> => {
  const bytes = new TextEncoder().encode(secret)
  return [0, 1, 2].map((offset) => {
    const shifted = new Uint8Array(offset + bytes.length)
    shifted.set(bytes, offset)
    const whole = base64(shifted)
    return whole.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3))
  })
}

const spellings = (secret: string): ReadonlyArray<string> => [
  secret,
  ...inBase64(secret),
  ...inBase64(secret).map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
  encodeURIComponent(secret),
  JSON.stringify(secret).slice(1, -1)
]

const width = 16

const windows = (text: string): ReadonlyArray<string> =>
  text.length <= width ? [text] : Array.from({ length: text.length - width + 1 }, (_, i) => text.slice(i, i + width))

/** The secrets of which any spelling, or any 16 characters in a row of one, stand in the text. */
export const leaksIn = (text: string, secrets: Iterable<string> = known): ReadonlyArray<string> =>
  [...secrets].filter((secret) => spellings(secret).some((spelt) => windows(spelt).some((part) => text.includes(part))))
