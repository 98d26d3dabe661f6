// On Bun and Deno, by the fetch that is theirs.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import { life } from "./life.js"

const [gateway = "", expiry = ""] = process.argv.slice(2)

console.log(
  JSON.stringify(await Effect.runPromise(life({ gateway, expiry }).pipe(Effect.provide(FetchHttpClient.layer))))
)
