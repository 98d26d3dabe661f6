import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** What is read here of a package's package.json, and where it lies. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly folder: string
  readonly private?: boolean
  readonly exports: Readonly<Record<string, string | null>>
  readonly publishConfig: { readonly exports: Readonly<Record<string, unknown>> }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** The packages that are published. */
export const manifests = (root: string): ReadonlyArray<Manifest> =>
  readdirSync(join(root, "packages"))
    .toSorted()
    .map((name) => join(root, "packages", name))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")), folder }))
    .filter((manifest) => manifest.private !== true)

/** As `pnpm@10.34.8`. */
export const packageManagerOf = (root: string): string =>
  JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager
