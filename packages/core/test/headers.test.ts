/** Headers of ours, however they are printed. */
import { expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import { concealed } from "../src/internal/headers.ts"

const headers = concealed({
  accept: "application/json",
  version: "3",
  "x-ig-api-key": "a-key",
  cst: "a-cst",
  "x-security-token": "an-xst",
  authorization: "Bearer a-token"
})

const printed = {
  accept: "application/json",
  version: "3",
  "x-ig-api-key": "<redacted>",
  cst: "<redacted>",
  "x-security-token": "<redacted>",
  authorization: "<redacted>"
}

it("print which they are, and no secret", () => {
  expect(JSON.parse(JSON.stringify({ headers }))).toEqual({ headers: printed })
  expect(inspect(headers)).toBe(inspect(printed))
})

it("are what a client needs", () => {
  expect([headers["cst"], Object.keys(headers).length]).toEqual(["a-cst", 6])
})
