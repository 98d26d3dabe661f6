import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { cycleIn, type Import, importGraph } from "../importGraph.ts"
import { manifests } from "../manifests.ts"
import { folderOf } from "./folder.ts"

const root = resolve(import.meta.dirname, "../..")
const page = readFileSync(join(root, "docs/architecture.md"), "utf8")
const packages = manifests(root).map((manifest) => ({ ...manifest, path: manifest.folder.slice(root.length + 1) }))
const sources = packages.flatMap(({ path }) => importGraph(root, join(path, "src")))

/** The arrows of a Mermaid flowchart, between the names that its boxes show. */
const arrowsOf = (picture: string): ReadonlyArray<string> => {
  const names = new Map([...picture.matchAll(/(\w+)\["([^"]+)"\]/g)].map(([, id = "", name = ""]) => [id, name]))
  return [...picture.matchAll(/^ *(\w+)\S* --> (\w+)/gm)]
    .map(([, from = "", to = ""]) => `${names.get(from) ?? from} -> ${names.get(to) ?? to}`)
    .toSorted()
}

const pictures = [...page.matchAll(/^```mermaid\n(.*?)^```/gms)].map(([, picture = ""]) => arrowsOf(picture))

const packageOf = (specifier: string): string =>
  specifier.startsWith("node:") ? "node:*" : (/^(@[^/]+\/[^/]+|[^@/]+)/.exec(specifier)?.[0] ?? specifier)

const isFile = (to: string): boolean => to.endsWith(".ts")

const drawn = (imports: ReadonlyArray<readonly [from: string, to: string]>): ReadonlyArray<string> =>
  [...new Set(imports.map(([from, to]) => `${from} -> ${to}`))].toSorted()

describe("the pictures of docs/architecture.md", () => {
  it("are three", () => {
    expect(pictures.map(({ length }) => length > 0)).toEqual([true, true, true])
  })

  it("show which package imports which, and so do the manifests", () => {
    const imports = packages.flatMap(({ name, path }) =>
      sources
        .filter(({ from, to }) => from.startsWith(`${path}/`) && !isFile(to))
        .map(({ to }): [string, string] => [name, packageOf(to)])
    )
    expect(pictures[0]).toEqual(drawn(imports))
    const asked = packages.flatMap(({ dependencies, name, peerDependencies }) =>
      Object.keys({ ...dependencies, ...peerDependencies }).map((to): [string, string] => [name, to])
    )
    expect(pictures[0]?.filter((arrow) => !arrow.endsWith("node:*"))).toEqual(drawn(asked))
  })

  it("show all imports between the modules that they show", () => {
    const moduleOf = (path: string): string => /^packages\/core\/src\/(.*)\.ts$/.exec(path)?.[1] ?? path
    const values = sources.filter(({ isType }) => !isType)
    for (const picture of pictures.slice(1)) {
      const shown = new Set(picture.flatMap((arrow) => arrow.split(" -> ")))
      const between = values
        .map(({ from, to }): [string, string] => [moduleOf(from), moduleOf(to)])
        .filter(([from, to]) => shown.has(from) && shown.has(to))
      expect(picture).toEqual(drawn(between))
    }
  })
})

describe("the modules", () => {
  it("never import themselves by way of others", () => {
    expect(cycleIn(sources)).toBeUndefined()
  })

  it("keep what is internal to their package", () => {
    const folders = [...packages.map(({ path }) => path), "examples", "simulation", "scripts"]
    const all = folders.flatMap((folder) => importGraph(root, folder, "internal/"))
    const ownerOf = (path: string): string => /^packages\/[^/]+/.exec(path)?.[0] ?? ""
    const isForeign = ({ from, to }: Import): boolean =>
      /(^|\/)internal(\/|$)/.test(to) && !(isFile(to) && ownerOf(from) === ownerOf(to))
    expect(all.filter(isForeign)).toEqual([])
    expect(isForeign({ from: "packages/a/src/A.ts", to: "packages/b/src/internal/c.ts", isType: true })).toBe(true)
    expect(isForeign({ from: "examples/a.ts", to: "@effect-ig/core/internal/send", isType: true })).toBe(true)
  })
})

describe("the graph of imports", () => {
  const graphOf = (text: string): ReadonlyArray<string> =>
    importGraph(folderOf({ "src/deep/a.ts": text }), "src").map(
      ({ from, isType, to }) => `${from} ${isType ? "knows" : "needs"} ${to}`
    )

  it("tells what a program needs from what the compiler knows", () => {
    expect(
      graphOf(`
        import * as A from "effect/Effect"
        import type { B } from "../b.ts"
        import { type C } from "../c.ts"
        import { type D, d } from "./d.ts"
        import "./e.ts"
        export { type F } from "./f.ts"
        export { g } from "./g.ts"
        export * from "./h.ts"
        export const i = () => import("./i.ts")
        export type J = import("./j.ts").J`)
    ).toEqual([
      "src/deep/a.ts needs effect/Effect",
      "src/deep/a.ts knows src/b.ts",
      "src/deep/a.ts knows src/c.ts",
      "src/deep/a.ts needs src/deep/d.ts",
      "src/deep/a.ts needs src/deep/e.ts",
      "src/deep/a.ts knows src/deep/f.ts",
      "src/deep/a.ts needs src/deep/g.ts",
      "src/deep/a.ts needs src/deep/h.ts",
      "src/deep/a.ts needs src/deep/i.ts",
      "src/deep/a.ts knows src/deep/j.ts"
    ])
  })

  it("finds a cycle wherever it begins, and none that types alone would close", () => {
    const imports = (...pairs: ReadonlyArray<readonly [string, string]>) =>
      pairs.map(([from, to]) => ({ from, to, isType: false }))
    expect(cycleIn(imports(["a", "b"], ["b", "c"], ["c", "b"]))).toEqual(["b", "c", "b"])
    expect(cycleIn(imports(["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"]))).toBeUndefined()
    expect(cycleIn([...imports(["a", "b"]), { from: "b", to: "a", isType: true }])).toBeUndefined()
  })
})
