import { mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { manifests, packageManagerOf } from "../manifests.ts"
import { ensure, run } from "./run.mjs"

/** Packs every public package below a root, as it would be published, and answers with the tarballs. */
export const packAll = async (root: string, folder: string): Promise<ReadonlyArray<string>> => {
  mkdirSync(folder)
  const args = ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder]
  await run("npx", ["--yes", packageManagerOf(root), ...args], { cwd: root })
  const files = readdirSync(folder).toSorted()
  ensure(files.length === manifests(root).length, `Packed were ${files.join(", ")}.`)
  return files.map((file) => join(folder, file))
}
