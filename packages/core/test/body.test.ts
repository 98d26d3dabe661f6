/** How the bytes of an answer are read, whatever its headers say of them. */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"
import { describe } from "vitest"
import { read } from "../src/internal/body.ts"

const request = HttpClientRequest.get("https://example.com")

const operation = "session.read"

const limit = 10 * 1024 * 1024

const short = 256 * 1024

/** In pieces, as they come. */
const streamed = (pieces: ReadonlyArray<Uint8Array>): ReadableStream<Uint8Array> => {
  const left = [...pieces]
  return new ReadableStream({
    pull: (controller) => {
      const piece = left.shift()
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    }
  })
}

const answer = (body: ReadableStream<Uint8Array> | null, headers: Readonly<Record<string, string>> = {}) =>
  HttpClientResponse.fromWeb(request, new Response(body, { headers }))

const pieces = (...all: ReadonlyArray<ReadonlyArray<number>>) => all.map((bytes) => Uint8Array.from(bytes))

const reading = (response: HttpClientResponse.HttpClientResponse) => read(operation, response, response.headers)

/** Which of its ways out of a response was taken. */
const way = (headers: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const taken: Array<string> = []
    const response = new Proxy(answer(streamed(pieces([1, 2])), headers), {
      get: (target, name) => {
        if (name === "arrayBuffer" || name === "stream") taken.push(name)
        return Reflect.get(target, name, target)
      }
    })
    expect([...(yield* reading(response))]).toEqual([1, 2])
    return taken
  })

describe("the body of an answer", () => {
  it.effect("is joined of its pieces in order", () =>
    Effect.gen(function* () {
      const bytes = yield* reading(answer(streamed(pieces([1, 2, 3], [4], [], [5, 6]))))
      expect([...bytes]).toEqual([1, 2, 3, 4, 5, 6])
    })
  )

  it.effect("is empty where there is none, with a length or without", () =>
    Effect.gen(function* () {
      expect([...(yield* reading(answer(null)))]).toEqual([])
      expect([...(yield* reading(answer(null, { "content-length": "0" })))]).toEqual([])
    })
  )

  const ways: ReadonlyArray<readonly [why: string, headers: Readonly<Record<string, string>>, way: string]> = [
    ["it says how short it is", { "content-length": "2" }, "arrayBuffer"],
    ["it says that it is just short", { "content-length": String(short) }, "arrayBuffer"],
    ["it says that it is long", { "content-length": String(short + 1) }, "stream"],
    ["it does not say", {}, "stream"],
    ["what it says is no number", { "content-length": "two" }, "stream"],
    ["it is packed, so that its length says nothing", { "content-length": "2", "content-encoding": "br" }, "stream"]
  ]
  for (const [why, headers, expected] of ways) {
    it.effect(`is read ${expected === "stream" ? "piece by piece" : "at once"} where ${why}`, () =>
      Effect.gen(function* () {
        expect(yield* way(headers)).toEqual([expected])
      })
    )
  }

  it.effect("may have 10 MB, and not a byte more", () =>
    Effect.gen(function* () {
      const whole = new Uint8Array(limit)
      expect(yield* reading(answer(streamed([whole])))).toHaveLength(limit)
      const error = yield* Effect.flip(reading(answer(streamed([whole, Uint8Array.of(1)]))))
      expect(error).toMatchObject({
        _tag: "TransportError",
        operation,
        reason: "body-too-large",
        mayHaveExecuted: true
      })
    })
  )

  const packed = gzipSync("a session")
  for (const headers of [{}, { "content-encoding": "gzip" }, { "content-length": String(packed.length) }]) {
    it.effect(`is unpacked when it is gzip, where its headers say ${JSON.stringify(headers)}`, () =>
      Effect.gen(function* () {
        const bytes = yield* reading(answer(streamed([packed]), headers))
        expect(new TextDecoder().decode(bytes)).toBe("a session")
      })
    )
  }

  for (const bytes of [[0x1f], [0x1f, 0x8c], [0x1e, 0x8b], [0x7b, 0x7d]]) {
    it.effect(`is left as it is when it begins with ${bytes.join()}, though it is said to be gzip`, () =>
      Effect.gen(function* () {
        const headers = { "content-encoding": "gzip" }
        expect([...(yield* reading(answer(streamed(pieces(bytes)), headers)))]).toEqual(bytes)
      })
    )
  }

  it.effect("that cannot be unpacked is of no use, and IG may have executed the request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(reading(answer(streamed([packed.subarray(0, 12)]))))
      expect(error).toMatchObject({ _tag: "TransportError", operation, reason: "bad-encoding", mayHaveExecuted: true })
    })
  )

  for (const headers of [{}, { "content-length": "9" }]) {
    it.effect(`that breaks off is a failure of the client's, where its headers say ${JSON.stringify(headers)}`, () =>
      Effect.gen(function* () {
        const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.error(new Error("cut")) })
        expect(yield* Effect.flip(reading(answer(body, headers)))).toMatchObject({
          _tag: "ResponseError",
          reason: "Decode"
        })
      })
    )
  }
})
