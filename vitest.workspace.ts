import { project } from "./vitest.shared.ts"

/**
 * The projects of the workspace; `vitest.config.ts` hands the list to vitest, which finishes one before it begins the next
 * and reads effect anew: so what is no package is one.
 */
export default [
  "packages/*",
  project("others", {
    include: ["bench", "examples", "mutation", "scripts", "simulation", "soak"].map(
      (folder) => `${folder}/**/*.test.ts`
    )
  })
]
