import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

/** A folder for what a run of all tests bundles: test files that one worker reads share modules, and so their bundles. */
export default async (root: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), "bundles-"))
  root.provide("bundles", folder)
  return () => rm(folder, { recursive: true, force: true })
}
