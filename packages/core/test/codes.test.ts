/** The table of codes by itself: what a code says counts whatever the status, and what only its beginning says, too. */
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { advise } from "../src/internal/codes.ts"

const Row = Schema.Tuple([Schema.String, Schema.Array(Schema.Int), Schema.String, Schema.String], Schema.Unknown)

const sections = ["session", "account", "allowances", "generic", "validation"] as const

const table = Schema.decodeUnknownSync(
  Schema.parseJson(Schema.Struct(Object.fromEntries(sections.map((section) => [section, Schema.Array(Row)]))))
)(readFileSync(new URL("./codes.json", import.meta.url), "utf8"))

const webPlatform = "Log in to IG's web platform: something there waits for you."
const askIg = "Only IG can change this; contact their support."

describe("a code that is known says what is to be done, whatever the status", () => {
  for (const [code, , read, mutation] of Object.values(table).flat()) {
    // A switch to the account in use is none that failed.
    const owed = mutation === "already-active" ? "fix" : mutation
    it(code, () => {
      for (const status of [400, 500]) expect(advise(status, code)).toMatchObject({ read, mutation: owed })
    })
  }
})

describe("of a code that is not known, its beginning does", () => {
  for (const [beginning, action, hint] of [
    ["error.public-api.exceeded-", "wait", undefined],
    ["error.public-api.failure.", "human", webPlatform],
    ["error.security.api-key-", "human", undefined],
    ["error.security.account-", "human", askIg],
    ["error.switch.", "fix", undefined],
    ["authentication.failure.", "human", askIg],
    ["unauthorised.", "human", askIg],
    ["validation.", "fix", undefined],
    ["invalid.request.", "fix", "A wrong type, a value that IG does not know, or a field whose name is unknown to it."],
    ["invalid.", "fix", undefined],
    ["Invalid parameter", "fix", undefined]
  ] as const) {
    it(`${beginning}…`, () => {
      expect(advise(500, `${beginning}something-new`)).toEqual({ read: action, mutation: action, hint })
    })
  }
})

describe("where there is no code, the status does", () => {
  const human = (hint: string) => ({ read: "human", mutation: "human", hint })
  const fix = (hint?: string) => ({ read: "fix", mutation: "fix", hint })
  const unknown = { read: "retry", mutation: "query", hint: undefined }
  const redirect = "Redirects are never followed; check the environment's URL."

  for (const [status, advice] of [
    [0, fix(redirect)],
    [199, unknown],
    [300, fix(redirect)],
    [399, fix(redirect)],
    [400, fix()],
    [401, human("IG refuses this client; renewing the session will not help.")],
    [403, human("IG's gateway refuses access; this is not an allowance.")],
    [404, fix()],
    [405, fix("Wrong verb; a leftover _method header does this too.")],
    [408, unknown],
    [429, { read: "wait", mutation: "wait", hint: undefined }],
    [499, fix()],
    [500, unknown]
  ] as const) {
    it(`${status}`, () => {
      expect(advise(status, undefined)).toEqual(advice)
    })
  }
})

it("a hint says what a code alone does not", () => {
  expect(advise(400, "error.security.api-key-missing").hint).toBe("No API key was sent.")
  expect(advise(400, "error.security.authentication.timeout").hint).toBe("The login timed out at IG.")
})
