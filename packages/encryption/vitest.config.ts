import { project } from "../../vitest.shared.ts"

export default project("encryption", {
  globalSetup: ["../core/test/setup/global.ts"],
  setupFiles: ["../core/test/setup/output.ts"]
})
