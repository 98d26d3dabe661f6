/** What a browser asks before it lets a page of another origin call the gateway and read its answers. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { type GatewayResponse, noContent } from "./http.ts"

/** Tokens come in headers, which a page sees only when it is told that it may. No cookie is involved: `*` is enough. */
export const admitPages = (to: ServerResponse): void => {
  to.setHeader("access-control-allow-origin", "*")
  to.setHeader("access-control-expose-headers", "*")
}

/** A question of the browser's own, which IG never sees: what the page means to send comes after it. */
export const isPreflight = ({ headers, method }: IncomingMessage): boolean =>
  method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined

/** `*` would leave out `Authorization`: so whatever is asked for is named. */
export const permit = ({ headers }: IncomingMessage): GatewayResponse => ({
  ...noContent,
  headers: [
    ["access-control-allow-methods", "GET, POST, PUT, DELETE"],
    ["access-control-allow-headers", headers["access-control-request-headers"] ?? ""],
    ["access-control-max-age", "600"]
  ]
})
