/** What a side is, and how it makes many calls: as many workers as calls are in flight. */
import { type IncomingMessage, request } from "node:http"
import { text } from "node:stream/consumers"
import * as Effect from "effect/Effect"
import type * as ManagedRuntime from "effect/ManagedRuntime"

/** What is done again and again. */
export type Task = "read" | "large" | "refused" | "login" | "loginV2" | "encryptedV2"

export type Run = (calls: number, inFlight: number) => Promise<void>

export type Side = Readonly<Partial<Record<Task, Run>>>

export type Open = (baseUrl: string) => Promise<Side>

/** Connections to the server: more are in flight only in the client's queue. */
export const connections = 64

/** Of a request, whoever sends it. */
export const apiKey = "bench-api-key"
export const userAgent = "effect-ig/0.1"
export const identifier = "bench"
export const password = "Bench-Pa55word"

export const credentials = JSON.stringify({ identifier, password })

export const loginHeaders = {
  accept: "application/json; charset=UTF-8",
  "content-type": "application/json; charset=UTF-8",
  "user-agent": userAgent,
  version: "3",
  "x-ig-api-key": apiKey
}

/** By Node's oldest client, which each side has loaded as it is. */
const posted = (url: string, headers: Readonly<Record<string, string>>, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const read = (answer: IncomingMessage) => text(answer).then(resolve, reject)
    request(url, { method: "POST", headers }, read).once("error", reject).end(body)
  })

/** For sides that know no session: those of a login. */
export const headersOf = async (baseUrl: string): Promise<Readonly<Record<string, string>>> => {
  const { accountId, oauthToken } = Object(JSON.parse(await posted(`${baseUrl}/session`, loginHeaders, credentials)))
  return {
    accept: "application/json; charset=UTF-8",
    "user-agent": userAgent,
    version: "3",
    "x-ig-api-key": apiKey,
    authorization: `Bearer ${oauthToken.access_token}`,
    "ig-account-id": accountId
  }
}

export const byPromises =
  (one: () => Promise<unknown>): Run =>
  async (calls, inFlight) => {
    let left = calls
    const worker = async () => {
      while (left-- > 0) await one()
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
  }

export const byFibers =
  <R, E>(runtime: ManagedRuntime.ManagedRuntime<R, E>, one: Effect.Effect<unknown, unknown, R>): Run =>
  (calls, inFlight) => {
    let left = calls
    const worker = Effect.whileLoop({ while: () => left-- > 0, body: () => one, step: () => {} })
    return runtime.runPromise(
      Effect.forEach(Array.from({ length: inFlight }), () => worker, { concurrency: "unbounded", discard: true })
    )
  }
