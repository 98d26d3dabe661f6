/** What each code of a failed connection means: by whole codes, wherever in the chain of causes they stand. */
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { describe, expect, it } from "vitest"
import { fromHttpClientError } from "../src/internal/transport.ts"

const request = HttpClientRequest.get("https://x")

const sent = (cause: unknown, reason: "Transport" | "Encode" | "InvalidUrl" = "Transport") =>
  fromHttpClientError("test")(new HttpClientError.RequestError({ request, reason, cause }))

const answered = (cause: unknown) =>
  fromHttpClientError("test")(
    new HttpClientError.ResponseError({
      request,
      response: HttpClientResponse.fromWeb(request, new Response()),
      reason: "Decode",
      cause
    })
  )

const coded = (code: unknown) => Object.assign(new Error("failed"), { code })

const codes: ReadonlyArray<readonly [code: string, reason: string, mayHaveExecuted: boolean]> = [
  ["ECONNREFUSED", "unreachable", false],
  ["UND_ERR_CONNECT_TIMEOUT", "unreachable", false],
  ["ConnectionRefused", "unreachable", false],
  ["ENOTFOUND", "dns", false],
  ["EAI_AGAIN", "dns", false],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls", false],
  ["CERT_HAS_EXPIRED", "tls", false],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls", false],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls", false],
  ["SELF_SIGNED_CERT_IN_CHAIN", "tls", false],
  ["INVALID_CA", "tls", false],
  ["INVALID_PURPOSE", "tls", false],
  ["PATH_LENGTH_EXCEEDED", "tls", false],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "tls", true],
  ["EPROTO", "tls", true],
  ["ECONNRESET", "connection-lost", true]
]

describe("a connection that fails", () => {
  for (const [code, reason, mayHaveExecuted] of codes) {
    it(`by ${code} means ${reason}${mayHaveExecuted ? "" : ", and nothing has left"}`, () => {
      expect(sent(coded(code))).toMatchObject({ _tag: "TransportError", reason, mayHaveExecuted })
    })
    it(`by what is only alike ${code} may have been executed`, () => {
      for (const other of [`X${code}`, `${code} X`]) {
        expect(sent(coded(other))).toMatchObject({ reason: "connection-lost", mayHaveExecuted: true })
      }
    })
  }

  it("is told by its code four causes deep, and no deeper", () => {
    const within = (depth: number): unknown =>
      depth === 0 ? coded("ECONNREFUSED") : new Error("failed", { cause: within(depth - 1) })
    expect(sent(within(4))).toMatchObject({ reason: "unreachable" })
    expect(sent(within(5))).toMatchObject({ reason: "connection-lost" })
    const around: Error = new Error("failed")
    around.cause = around
    expect(sent(around)).toMatchObject({ reason: "connection-lost" })
  })

  it("is lost where it is one of its own tries", () => {
    const around = new AggregateError([])
    around.errors.push(around)
    expect(sent(around)).toMatchObject({ reason: "connection-lost", mayHaveExecuted: true })
  })

  it("without any code that is a text is lost", () => {
    const others = [{ syscall: "connect" }, { code: 5, syscall: "connect" }]
    for (const cause of [coded(5), coded(undefined), "failed", undefined, { errors: "none" }, ...others]) {
      expect(sent(cause)).toMatchObject({ reason: "connection-lost", mayHaveExecuted: true })
    }
  })
})

it("a request that could not be formed was not sent", () => {
  for (const reason of ["Encode", "InvalidUrl"] as const) {
    expect(sent(undefined, reason)).toMatchObject({
      _tag: "NotSentError",
      reason: "invalid-request",
      detail: "The HttpClient could not form the request."
    })
  }
})

it("a body that cannot be unpacked is told from one that was cut", () => {
  for (const code of ["Z_DATA_ERROR", "ERR__ERROR_FORMAT_PADDING_1"]) {
    expect(answered(coded(code))).toMatchObject({ reason: "bad-encoding", mayHaveExecuted: true })
    expect(answered(coded(`X${code}`))).toMatchObject({ reason: "body-cut" })
  }
})
