import { readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { manifests } from "../manifests.ts"
import { publicExports } from "../publicExports.ts"
import { folderOf } from "./folder.ts"

const root = resolve(import.meta.dirname, "../..")

const header = "/**\n * A module.\n *\n * @since 0.1.0\n */\nimport {} from 'effect'\n"
const whole = "/**\n * One thing.\n *\n * @since 0.1.0\n * @category models\n */\n"

/** What is lacking in a package of the module `A`, by name. */
const lacking = (module: string, internal = ""): Readonly<Record<string, ReadonlyArray<string>>> => {
  const folder = folderOf({
    "packages/a/package.json": JSON.stringify({ name: "a", exports: { "./A": "./src/A.ts", "./internal/*": null } }),
    "packages/a/src/A.ts": module,
    "packages/a/src/internal/b.ts": internal
  })
  return Object.fromEntries(publicExports(folder).map(({ lacks, name }) => [name, lacks]))
}

describe("the packages", () => {
  it("document every public module and export", () => {
    const all = publicExports(root)
    expect(all.filter(({ lacks }) => lacks.length > 0)).toEqual([])
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        "@effect-ig/core/Session",
        "@effect-ig/core/Session.login",
        "@effect-ig/core/Throttle.Event",
        "@effect-ig/encryption/PasswordEncryption.layer",
        "@effect-ig/sandbox/Sandbox.Sandbox.Service"
      ])
    )
  })

  it("export what lies in src and nothing else, in the repository as when published", () => {
    for (const { exports, folder, publishConfig } of manifests(root)) {
      const files = readdirSync(join(folder, "src")).filter((file) => file.endsWith(".ts") && file !== "bin.ts")
      const names = files.map((file) => file.slice(0, -".ts".length))
      expect(exports).toEqual({
        "./package.json": "./package.json",
        ...Object.fromEntries(names.map((name) => [`./${name}`, `./src/${name}.ts`])),
        "./internal/*": null
      })
      expect(publishConfig.exports).toEqual({
        "./package.json": "./package.json",
        ...Object.fromEntries(
          names.map((name) => [`./${name}`, { types: `./build/${name}.d.ts`, default: `./build/${name}.js` }])
        ),
        "./internal/*": null
      })
    }
  })
})

describe("the check of documentation", () => {
  it("is content with a sentence, a version and a category", () => {
    expect(lacking(`${header}${whole}export const a = 1`)).toEqual({ "a/A": [], "a/A.a": [] })
  })

  it("misses each of them", () => {
    const module = `${header}
      export const none = 1
      /** @since 0.1.0
       * @category models */
      export const sentence = 1
      /** A thing.
       * @category models */
      export interface Since {}
      /** A thing.
       * @since 0.1.0 */
      export class Category {}`
    expect(lacking(module)).toEqual({
      "a/A": [],
      "a/A.none": ["a description", "@since", "@category"],
      "a/A.sentence": ["a description"],
      "a/A.Since": ["@since"],
      "a/A.Category": ["@category"]
    })
  })

  it("asks a module what it is", () => {
    expect(lacking(`import {} from "effect"\n${whole}export const a = 1`)["a/A"]).toEqual(["a description", "@since"])
  })

  it("follows what is exported from elsewhere in the package", () => {
    const internal = `${whole}export const good = 1\nexport const bad = 1\nexport type Bad = 1`
    expect(lacking(`${header}export { good, bad as worse, type Bad } from "./internal/b.ts"`, internal)).toEqual({
      "a/A": [],
      "a/A.good": [],
      "a/A.worse": ["a description", "@since", "@category"],
      "a/A.Bad": ["a description", "@since", "@category"]
    })
    expect(lacking(`${header}export * from "./internal/b.ts"`, internal)["a/A.bad"]).toHaveLength(3)
  })

  it("does not let through what it cannot read", () => {
    expect(lacking(`${header}export { a } from "elsewhere"`)["a/A.a"]).toEqual(["a declaration of ours"])
  })

  it("takes the first overload for all, one sentence for a schema and its type, and looks into namespaces", () => {
    const tags = "/** @since 0.1.0\n * @category models */\n"
    const module = `${header}
      ${whole}export function f(a: string): string
      export function f(a: number): number
      export function f(a: any) { return a }
      ${whole}export const S = 1
      ${tags}export type S = 1
      ${whole}export const T = 1
      export type T = 1
      ${whole}export class C {}
      export declare namespace C {
        ${whole}interface Good {}
        interface Bad {} }`
    expect(lacking(module)).toEqual({
      "a/A": [],
      "a/A.f": [],
      "a/A.S": [],
      "a/A.T": ["@since", "@category"],
      "a/A.C": [],
      "a/A.C.Good": [],
      "a/A.C.Bad": ["a description", "@since", "@category"]
    })
  })
})
