/** Looks for secrets in whatever was printed, however it was spelt. */

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
const half = width / 2

interface Spelling {
  readonly secret: string
  readonly text: string
}

/** Which spellings hold these 8 characters. */
type Index = Map<string, Array<Spelling>>

const add = (index: Index, secret: string): void => {
  for (const text of new Set(spellings(secret))) {
    for (let i = 0; i + half <= text.length; i++) {
      const piece = text.slice(i, i + half)
      const holders = index.get(piece)
      if (holders === undefined) index.set(piece, [{ secret, text }])
      else holders.push({ secret, text })
    }
  }
}

const known = new Set<string>()
const indexOfKnown: Index = new Map()

/** Secrets that this run has planted or been given, to be looked for from now on. */
export const remember = (...secrets: ReadonlyArray<string>): void => {
  for (const secret of secrets) {
    if (secret.length < width || known.has(secret)) continue
    known.add(secret)
    add(indexOfKnown, secret)
  }
}

/** Does any 16 characters in a row around here stand in the spelling? */
const holds = (spelling: string, printed: string, at: number): boolean => {
  for (let start = Math.max(0, at - half); start <= at; start++) {
    const part = printed.slice(start, start + width)
    if (part.length === width && spelling.includes(part)) return true
  }
  return false
}

/**
 * The secrets of which any 16 characters in a row, in any spelling, stand in what was printed. Of 16 in a row 8 begin at
 * a multiple of 8, so only every eighth place has to be looked up.
 */
export const leaksIn = (
  printed: string | ReadonlyArray<string>,
  secrets?: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const index: Index = secrets === undefined ? indexOfKnown : new Map()
  for (const secret of secrets ?? []) add(index, secret)
  const leaks = new Set<string>()
  for (const text of new Set(typeof printed === "string" ? [printed] : printed)) {
    for (let at = 0; at + half <= text.length; at += half) {
      for (const spelling of index.get(text.slice(at, at + half)) ?? []) {
        if (holds(spelling.text, text, at)) leaks.add(spelling.secret)
      }
    }
  }
  return [...leaks]
}
