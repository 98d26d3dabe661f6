/** The projects of the workspace; `vitest.config.ts` hands the list to vitest. */
export default ["packages/*", "examples", "scripts", "simulation", "soak"]
