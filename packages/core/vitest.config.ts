import { project } from "../../vitest.shared.ts"

export default project("core", { globalSetup: ["test/setup/global.ts"], setupFiles: ["test/setup/output.ts"] })
