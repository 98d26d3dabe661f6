import { project } from "../vitest.shared.ts"

export default project("soak", { include: ["**/*.test.ts"] })
