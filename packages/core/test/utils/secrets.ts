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

/** Of texts, which of them hold these 8 characters; made when it is first needed, and as far as it has to be. */
class Index<A extends { readonly text: string }> {
  private readonly holders = new Map<string, Set<A>>()
  private indexed = 0
  readonly texts: Array<A> = []
  length = 0

  constructor(texts: ReadonlyArray<A> = []) {
    this.add(texts)
  }

  add(texts: ReadonlyArray<A>): void {
    for (const one of texts) {
      this.texts.push(one)
      this.length += one.text.length
    }
  }

  of(piece: string): Iterable<A> {
    if (this.indexed < this.texts.length) this.read()
    return this.holders.get(piece) ?? []
  }

  private read(): void {
    for (const one of this.texts.slice(this.indexed)) {
      for (let i = 0; i + half <= one.text.length; i++) {
        const part = one.text.slice(i, i + half)
        const holders = this.holders.get(part)
        if (holders === undefined) this.holders.set(part, new Set([one]))
        else holders.add(one)
      }
    }
    this.indexed = this.texts.length
  }
}

const spelt = (secret: string): ReadonlyArray<Spelling> =>
  Array.from(new Set(spellings(secret)), (text) => ({ secret, text }))

const known = new Set<string>()
let speltKnown = new Index<Spelling>()

/** Secrets that this test file has planted or been given, to be looked for from now on. */
export const remember = (...secrets: ReadonlyArray<string>): void => {
  for (const secret of secrets) {
    if (secret.length < width || known.has(secret)) continue
    known.add(secret)
    speltKnown.add(spelt(secret))
  }
}

export const forgetAll = (): void => {
  known.clear()
  speltKnown = new Index()
}

/** Do any 16 characters in a row around here stand in the other text? */
const holds = (text: string, at: number, other: string): boolean => {
  for (let start = Math.max(0, at - half); start <= at; start++) {
    const part = text.slice(start, start + width)
    if (part.length === width && other.includes(part)) return true
  }
  return false
}

/**
 * Tells of each pair that has 16 characters in a row in common. Of 16 in a row 8 begin at a multiple of 8, so of the
 * longer side only every eighth place has to be looked up in the shorter.
 */
const inCommon = <A extends { readonly text: string }, B extends { readonly text: string }>(
  shorter: Index<A>,
  longer: Index<B>,
  found: (shorter: A, longer: B) => void
): void => {
  for (const other of longer.texts) {
    for (let at = 0; at + half <= other.text.length; at += half) {
      for (const one of shorter.of(other.text.slice(at, at + half))) {
        if (holds(other.text, at, one.text)) found(one, other)
      }
    }
  }
}

/** The secrets of which any 16 characters in a row, in any spelling, stand in what was printed. */
export const leaksIn = (
  printed: string | ReadonlyArray<string>,
  secrets?: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const texts = new Index(Array.from(new Set(typeof printed === "string" ? [printed] : printed), (text) => ({ text })))
  const sought = secrets === undefined ? speltKnown : new Index(secrets.flatMap(spelt))
  const leaks = new Set<string>()
  if (texts.length < sought.length) inCommon(texts, sought, (_, { secret }) => leaks.add(secret))
  else inCommon(sought, texts, ({ secret }) => leaks.add(secret))
  return [...leaks]
}
