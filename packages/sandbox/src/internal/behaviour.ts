/** IG's behaviour as one function from request to answer, in the order in which IG seems to check. */
import { type GatewayRequest, type GatewayResponse, refuse, wrongVerb } from "./http.ts"
import type { Handler } from "./routes.ts"
import * as Session from "./routes/session.ts"
import type { World } from "./world.ts"

type Verbs = Readonly<Record<string, Handler>>

const routes: ReadonlyMap<string, Verbs> = new Map<string, Verbs>([
  ["/session", { POST: Session.login, GET: Session.read, PUT: Session.switchAccount, DELETE: Session.logout }],
  ["/session/refresh-token", { POST: Session.refresh }],
  ["/session/encryptionKey", { GET: Session.encryptionKey }]
])

const versionOf = ({ headers }: GatewayRequest): number =>
  headers["version"] === undefined ? 1 : Number(headers["version"])

export const behave = (world: World, request: GatewayRequest, now: number): GatewayResponse => {
  const key = request.headers["x-ig-api-key"]
  if (key === undefined || key === "") return refuse(400, "error.security.api-key-missing")
  if (key !== world.apiKey) return refuse(403, "error.security.api-key-invalid")
  const verbs = routes.get(request.path)
  if (verbs === undefined) return refuse(404, "invalid.url")
  const handler = verbs[request.method]
  if (handler === undefined) return wrongVerb
  return handler({ world, request, version: versionOf(request), now })
}

/** IG drops the body of a `DELETE`, so clients tunnel it; a leftover of that on another verb is refused. */
export const understood = (request: GatewayRequest): GatewayRequest => {
  const path = request.path.length > 1 ? request.path.replace(/\/+$/, "") : request.path
  const tunnelled = request.headers["_method"]
  if (tunnelled === undefined) return { ...request, path }
  const method = request.method === "POST" ? tunnelled.toUpperCase() : "REFUSED"
  return { ...request, path, method }
}
