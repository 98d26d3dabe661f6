/** What a failed exchange of bytes means. Nothing of the foreign error is kept: it holds the request. */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Predicate from "effect/Predicate"
import { NotSentError, TransportError } from "../IgError.ts"

type Reason = TransportError["reason"]

interface Sign {
  readonly code: string
  readonly syscall: unknown
}

const code =
  (pattern: RegExp) =>
  (sign: Sign): boolean =>
    pattern.test(sign.code)

/**
 * What Node, undici and Bun say before a connection stands, when no byte of the request can have left. `EHOSTUNREACH`
 * and its like come of a connection that stood, too; and a peer that breaks TLS may do so after it took the request.
 */
const beforeTheRequest: ReadonlyArray<readonly [says: (sign: Sign) => boolean, reason: Reason]> = [
  [({ syscall }) => syscall === "connect", "unreachable"],
  [code(/^(ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/), "unreachable"],
  [code(/^(ENOTFOUND|EAI_\w+)$/), "dns"],
  [
    code(
      /^(ERR_TLS_CERT_\w+|CERT_\w+|UNABLE_TO_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_\w+)$/
    ),
    "tls"
  ]
]

/** The signs of an error and of what caused it; fetch hides them three levels deep. */
const signsOf = (error: unknown, depth = 0): ReadonlyArray<Sign> => {
  if (depth > 4 || !Predicate.isObject(error)) return []
  const syscall = "syscall" in error ? error.syscall : undefined
  const own = "code" in error && typeof error.code === "string" ? [{ code: error.code, syscall }] : []
  const causes = "cause" in error ? signsOf(error.cause, depth + 1) : []
  const several = "errors" in error && Array.isArray(error.errors) ? error.errors : []
  return [...own, ...causes, ...worst(several.map((one) => signsOf(one, depth + 1)))]
}

const isBefore = (sign: Sign): boolean => beforeTheRequest.some(([says]) => says(sign))

/** Of several tries: that nothing has left is said only where each of them says so. */
const worst = (several: ReadonlyArray<ReadonlyArray<Sign>>): ReadonlyArray<Sign> =>
  several.find((signs) => !signs.some(isBefore)) ?? several[0] ?? []

const beforeTheHeaders = (cause: unknown): { readonly reason: Reason; readonly mayHaveExecuted: boolean } => {
  const signs = signsOf(cause)
  for (const [says, reason] of beforeTheRequest) {
    if (signs.some(says)) return { reason, mayHaveExecuted: false }
  }
  return { reason: signs.some(code(/^(ERR_SSL_\w+|EPROTO)$/)) ? "tls" : "connection-lost", mayHaveExecuted: true }
}

const inTheBody = (cause: unknown): Reason =>
  signsOf(cause).some(code(/^(Z_|ERR__ERROR_FORMAT)/)) ? "bad-encoding" : "body-cut"

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
