/** Paths with holes: `/markets/{epic}`. */

type Segments = ReadonlyArray<string>

interface Route<A> {
  readonly segments: Segments
  readonly value: A
}

const split = (path: string): Segments => path.split("/").slice(1)

/** Ids may have blanks, so they come percent-encoded; what is no encoding is taken as it is. */
const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const match = (pattern: Segments, path: Segments): ReadonlyArray<string> | undefined => {
  if (pattern.length !== path.length) return undefined
  const found: Array<string> = []
  for (const [index, segment] of path.entries()) {
    const expected = pattern[index]
    if (expected?.startsWith("{") === true) found.push(decode(segment))
    else if (expected !== segment) return undefined
  }
  return found
}

export interface Router<A> {
  /** The route's value, and what stands in the holes; literal paths come before those with holes. */
  readonly find: (path: string) => { readonly value: A; readonly holes: ReadonlyArray<string> } | undefined
}

export const make = <A>(routes: Readonly<Record<string, A>>): Router<A> => {
  const all = Object.entries(routes).map(([path, value]): Route<A> => ({ segments: split(path), value }))
  const ordered = [...all].sort(
    (a, b) => Number(a.segments.join().includes("{")) - Number(b.segments.join().includes("{"))
  )
  return {
    find: (path) => {
      const segments = split(path)
      for (const route of ordered) {
        const holes = match(route.segments, segments)
        if (holes !== undefined) return { value: route.value, holes }
      }
      return undefined
    }
  }
}
