/** A copy of the repository: Stryker writes its mutants into the sources, and packages must see those of each other. */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Copy {
  readonly folder: string
  readonly remove: () => void
}

/** What is not committed is copied, too. */
export const copy = (root: string): Copy => {
  const folder = mkdtempSync(join(tmpdir(), "mutate-"))
  const names = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
  for (const name of names.split("\0")) {
    if (name !== "" && existsSync(join(root, name))) cpSync(join(root, name), join(folder, name))
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"))
  // The links in those lead from package to package, and so to the copies.
  for (const name of readdirSync(join(root, "packages"))) {
    const modules = join("packages", name, "node_modules")
    cpSync(join(root, modules), join(folder, modules), { recursive: true, verbatimSymlinks: true })
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
