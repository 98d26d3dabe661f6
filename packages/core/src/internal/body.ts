/** Reads an answer's body: bounded, and unpacked when it is gzip whatever its headers say. */
import type * as Headers from "@effect/platform/Headers"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { TransportError } from "../IgError.ts"

const limit = 10 * 1024 * 1024

const join = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

const collect = <E>(
  operation: string,
  stream: Stream.Stream<Uint8Array, E>
): Effect.Effect<Uint8Array, E | TransportError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const keep = (chunk: Uint8Array) => {
      size += chunk.length
      chunks.push(chunk)
      return size > limit
        ? Effect.fail(new TransportError({ operation, reason: "body-too-large", mayHaveExecuted: true }))
        : Effect.void
    }
    return Effect.map(Stream.runForEach(stream, keep), () => join(chunks, size))
  })

/** fetch unpacks and leaves the header, Node's clients hand over the bytes: only the bytes themselves tell. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const unpacked = (operation: string, bytes: Uint8Array): Effect.Effect<Uint8Array, TransportError> =>
  isGzip(bytes) ? gunzip(operation, bytes) : Effect.succeed(bytes)

const gunzip = (operation: string, bytes: Uint8Array): Effect.Effect<Uint8Array, TransportError> =>
  collect(
    operation,
    Stream.fromReadableStream({
      evaluate: () => new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("gzip")),
      onError: () => new TransportError({ operation, reason: "bad-encoding", mayHaveExecuted: true })
    })
  )

const isEmpty = (error: HttpClientError.HttpClientError): boolean =>
  error._tag === "ResponseError" && error.reason === "EmptyBody"

const short = 256 * 1024

/**
 * One read is cheaper than a stream, unless it has many pieces to join; the length that HTTP itself enforces says when it
 * is safe.
 */
const isShort = (headers: Headers.Headers): boolean =>
  headers["content-encoding"] === undefined && Number(headers["content-length"] ?? NaN) <= short

export const read = (
  operation: string,
  response: HttpClientResponse.HttpClientResponse,
  headers: Headers.Headers
): Effect.Effect<Uint8Array, HttpClientError.HttpClientError | TransportError> => {
  const whole: Effect.Effect<ArrayBuffer | Uint8Array, HttpClientError.HttpClientError | TransportError> = isShort(
    headers
  )
    ? response.arrayBuffer
    : collect(operation, response.stream)
  return Effect.matchEffect(whole, {
    onFailure: (error) =>
      error._tag !== "TransportError" && isEmpty(error) ? Effect.succeed(new Uint8Array()) : Effect.fail(error),
    onSuccess: (bytes) => unpacked(operation, bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes))
  })
}
