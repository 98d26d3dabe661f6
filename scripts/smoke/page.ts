// In a browser: a page that was served by one origin, and calls the gateway at another.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import { life } from "./life.js"

const gateway = new URLSearchParams(location.search).get("gateway") ?? ""

const outcome = await Effect.runPromise(
  life({ gateway, expiry: "/expiry" }).pipe(Effect.provide(FetchHttpClient.layer))
).then(
  (lines): unknown => lines,
  (error: unknown) => String(error)
)

await fetch("/outcome", { method: "POST", body: JSON.stringify(outcome) })
