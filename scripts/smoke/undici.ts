// On Node, by platform's own client.
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import { life } from "./life.js"

const [gateway = "", expiry = ""] = process.argv.slice(2)

console.log(
  JSON.stringify(await Effect.runPromise(life({ gateway, expiry }).pipe(Effect.provide(NodeHttpClient.layerUndici))))
)
