/** Which code it is that programs run: what one has found says nothing of another. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

const filesBelow = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })

/** Of the library, of the gateway, of the search itself, and of what they depend on. */
export const hashOfSources = (simulation: string): string => {
  const root = join(simulation, "..")
  const own = readdirSync(simulation).map((name) => join(simulation, name))
  const files = [
    ...filesBelow(join(root, "packages/core/src")),
    ...filesBelow(join(root, "packages/sandbox/src")),
    ...own.filter((path) => path.endsWith(".ts")),
    join(root, "pnpm-lock.yaml")
  ].sort()
  const hash = createHash("sha256")
  for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file)).update("\0")
  return hash.digest("hex").slice(0, 12)
}
