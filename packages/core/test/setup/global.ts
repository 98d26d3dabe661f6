import { randomBytes } from "node:crypto"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    readonly planted: { readonly apiKey: string; readonly password: string }
  }
}

/** New for each run, and none of the sandbox's own: what leaks must not be a constant that happens to be printed. */
export default (project: TestProject): void => {
  project.provide("planted", {
    apiKey: `key-${randomBytes(20).toString("hex")}`,
    password: `pa55-${randomBytes(15).toString("base64url")}-ü"\\<>`
  })
}
