import { defineProject, type UserWorkspaceConfig } from "vitest/config"

/** What every package's tests share: a test that asserts nothing fails. */
export const project = (name: string, test: UserWorkspaceConfig["test"] = {}): UserWorkspaceConfig =>
  defineProject({
    test: {
      name,
      include: ["test/**/*.test.ts"],
      expect: { requireAssertions: true },
      testTimeout: 30_000,
      ...test
    }
  })
