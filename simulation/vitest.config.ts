import { project } from "../vitest.shared.ts"

export default project("simulation", { include: ["**/*.test.ts"], testTimeout: 240_000 })
