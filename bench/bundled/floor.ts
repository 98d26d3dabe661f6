/** What nobody gets around who calls a server by effect: a request, an answer by a schema. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Details = Schema.Struct({ currency: Schema.String })

const program = Effect.gen(function* () {
  const client = yield* HttpClient.HttpClient
  const request = HttpClientRequest.get("https://demo-api.ig.com/gateway/deal/session", { headers: { version: "1" } })
  return yield* Effect.flatMap(client.execute(request), HttpClientResponse.schemaBodyJson(Details))
})

Effect.runFork(Effect.provide(program, FetchHttpClient.layer))
