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

const windows = (text: string, size: number): ReadonlyArray<string> =>
  text.length <= size ? [text] : Array.from({ length: text.length - size + 1 }, (_, i) => text.slice(i, i + size))

const half = width / 2

/** Every 16 characters in a row hold 8 that begin at a multiple of 8; only where such 8 are known is it worth a look. */
const isSuspect = (text: string, pieces: ReadonlySet<string>): boolean => {
  for (let i = 0; i + half <= text.length; i += half) if (pieces.has(text.slice(i, i + half))) return true
  return false
}

/** The secrets of which any spelling, or any 16 characters in a row of one, stand in what was printed. */
export const leaksIn = (
  printed: string | ReadonlyArray<string>,
  secrets: Iterable<string> = known
): ReadonlyArray<string> => {
  const texts = [...new Set(typeof printed === "string" ? [printed] : printed)]
  const all = [...secrets].map((secret) => ({ secret, spelt: spellings(secret) }))
  const isShort = all.some(({ spelt }) => spelt.some((text) => text.length < width))
  const pieces = new Set(all.flatMap(({ spelt }) => spelt.flatMap((text) => windows(text, half))))
  const suspects = isShort ? texts : texts.filter((text) => isSuspect(text, pieces))
  return all
    .filter(({ spelt }) =>
      spelt.some((whole) => windows(whole, width).some((part) => suspects.some((text) => text.includes(part))))
    )
    .map(({ secret }) => secret)
}
