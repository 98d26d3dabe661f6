/** What a failed exchange of bytes means. Nothing of the foreign error is kept: it holds the request. */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Predicate from "effect/Predicate"
import { NotSentError, TransportError } from "../IgError.ts"

type Reason = TransportError["reason"]

/** Codes that Node, undici and Bun give before a connection stands, when no byte of the request can have left. */
const beforeTheRequest: ReadonlyArray<readonly [pattern: RegExp, reason: Reason]> = [
  [/^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/, "unreachable"],
  [/^(ENOTFOUND|EAI_\w+)$/, "dns"],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/,
    "tls"
  ]
]

/** The codes of an error and of what caused it; fetch hides them three levels deep. */
const codesOf = (error: unknown, depth = 0): ReadonlyArray<string> => {
  if (depth > 4 || !Predicate.isObject(error)) return []
  const own = "code" in error && typeof error.code === "string" ? [error.code] : []
  const causes = "cause" in error ? codesOf(error.cause, depth + 1) : []
  const several = "errors" in error && Array.isArray(error.errors) ? codesOf(error.errors[0], depth + 1) : []
  return [...own, ...causes, ...several]
}

const beforeTheHeaders = (cause: unknown): { readonly reason: Reason; readonly mayHaveExecuted: boolean } => {
  const codes = codesOf(cause)
  for (const [pattern, reason] of beforeTheRequest) {
    if (codes.some((code) => pattern.test(code))) return { reason, mayHaveExecuted: false }
  }
  // A TLS alert can also come after the request has left, so nothing is known then.
  const tls = codes.some((code) => code.startsWith("ERR_SSL_") || code === "EPROTO")
  return { reason: tls ? "tls" : "connection-lost", mayHaveExecuted: true }
}

const inTheBody = (cause: unknown): Reason =>
  codesOf(cause).some((code) => code.startsWith("Z_") || code.startsWith("ERR__ERROR_FORMAT"))
    ? "bad-encoding"
    : "body-cut"

export const fromHttpClientError =
  (operation: string) =>
  (error: HttpClientError.HttpClientError): TransportError | NotSentError => {
    if (error._tag === "ResponseError") {
      return new TransportError({ operation, reason: inTheBody(error.cause), mayHaveExecuted: true })
    }
    return error.reason === "Transport"
      ? new TransportError({ operation, ...beforeTheHeaders(error.cause) })
      : new NotSentError({ operation, reason: "invalid-request", detail: "The HttpClient could not form the request." })
  }
