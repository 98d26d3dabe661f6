/** The bare client of `@effect/platform` with the same schema: no session, no policy. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { constTrue, identity } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import { NodeLayer, UndiciLayer } from "../http.ts"
import { epic, Market } from "../market.ts"
import { Prices } from "../prices.ts"
import { byFibers, headersOf, type Open } from "../side.ts"

type Around = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Cause.TimeoutException, R>

const Refusal = Schema.Struct({ errorCode: Schema.String })

const opening =
  (layer: Layer.Layer<HttpClient.HttpClient>, around: Around): Open =>
  async (baseUrl) => {
    const headers = await headersOf(baseUrl)
    const runtime = ManagedRuntime.make(layer)
    const client = HttpClient.filterStatusOk(await runtime.runPromise(HttpClient.HttpClient))
    const reading = <A, I>(path: string, schema: Schema.Schema<A, I>) => {
      const decode = HttpClientResponse.schemaBodyJson(schema)
      return around(
        Effect.flatMap(
          Effect.suspend(() => client.execute(HttpClientRequest.get(`${baseUrl}${path}`, { headers }))),
          decode
        )
      )
    }
    const refusal = HttpClientResponse.schemaBodyJson(Refusal)
    const refused = reading("/markets/UNKNOWN", Market).pipe(
      Effect.catchTag("ResponseError", ({ response }) => refusal(response))
    )
    return {
      read: byFibers(runtime, reading(`/markets/${epic}`, Market)),
      large: byFibers(runtime, reading(`/prices/${epic}`, Prices)),
      refused: byFibers(runtime, refused)
    }
  }

/** As long as ours. */
const timed: Around = Effect.timeout("30 seconds")

/** As it could be had by whoever knows that platform makes a span for each request. */
const spanless: Around = Effect.locally(HttpClient.currentTracerDisabledWhen, constTrue)

export const overUndici = opening(UndiciLayer, identity)
export const overUndiciTimed = opening(UndiciLayer, timed)
export const overUndiciSpanless = opening(UndiciLayer, spanless)
export const overNode = opening(NodeLayer, identity)
