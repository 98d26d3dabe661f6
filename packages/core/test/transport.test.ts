/** What is made of the errors of a wire that was tried more than once at a time. */
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { describe, expect, it } from "vitest"
import { fromHttpClientError } from "../src/internal/transport.ts"

const judged = (cause: unknown) =>
  fromHttpClientError("test")(
    new HttpClientError.RequestError({ request: HttpClientRequest.get("https://x"), reason: "Transport", cause })
  )

const coded = (code: string, syscall?: string) => Object.assign(new Error(code), { code, syscall })

describe("of several tries", () => {
  it("nothing has left where each of them says so", () => {
    const both = new AggregateError([coded("ETIMEDOUT", "connect"), coded("ENETUNREACH", "connect")])
    expect(judged(both)).toMatchObject({ reason: "unreachable", mayHaveExecuted: false })
    expect(judged(new Error("failed", { cause: both }))).toMatchObject({ mayHaveExecuted: false })
  })

  it("one may have been executed where any of them may have", () => {
    const refused = coded("ECONNREFUSED", "connect")
    const lost = coded("UND_ERR_SOCKET")
    for (const errors of [
      [refused, lost],
      [lost, refused],
      [refused, new Error("whatever")]
    ]) {
      expect(judged(new AggregateError(errors))).toMatchObject({ reason: "connection-lost", mayHaveExecuted: true })
    }
  })

  it("nothing is known where none is told", () => {
    expect(judged(new AggregateError([]))).toMatchObject({ reason: "connection-lost", mayHaveExecuted: true })
  })
})
