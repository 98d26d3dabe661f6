/** Requests and answers as data, the same for each transport. */

export interface GatewayRequest {
  readonly method: string
  /** Relative to the gateway, as `/session`. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface GatewayResponse {
  readonly status: number
  /** Pairs, since IG has been seen to send a header twice. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: Uint8Array
  readonly errorCode?: string | undefined
  /** Labels of the tokens that were given out. */
  readonly issued?: ReadonlyArray<string> | undefined
  /** What entered the book or the watchlists, or left them. */
  readonly entered?: ReadonlyArray<string> | undefined
}

/** Where the gateway stands below its host. */
export const prefix = "/gateway/deal"

/** The path below the prefix; `undefined` when it is not below it. */
export const below = (path: string, prefix: string): string | undefined =>
  path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) || "/" : undefined

const json = "application/json; charset=UTF-8"

export const empty = new Uint8Array()

export const answer = (
  status: number,
  body: unknown,
  headers: GatewayResponse["headers"] = [],
  issued: ReadonlyArray<string> = [],
  entered: ReadonlyArray<string> = []
): GatewayResponse => ({
  status,
  headers: [["content-type", json], ...headers],
  body: new TextEncoder().encode(JSON.stringify(body)),
  issued,
  entered
})

export const noContent: GatewayResponse = { status: 204, headers: [], body: empty }

export const wrongVerb: GatewayResponse = { status: 405, headers: [], body: empty }

/** IG's error body: compact, the code alone. */
export const refuse = (status: number, errorCode: string): GatewayResponse => ({
  ...answer(status, { errorCode }),
  errorCode
})

/** The `Version` header: 1 when there is none, and `undefined` when it is no number. */
export const versionOf = ({ headers }: GatewayRequest): number | undefined => {
  const version = headers["version"]?.trim()
  if (version === undefined || version === "") return 1
  return /^\d{1,3}$/.test(version) ? Number(version) : undefined
}

/** The body as JSON; `undefined` when it is none. */
export const parse = ({ body }: GatewayRequest): unknown => {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

/** The fields of a body that is a JSON object; of anything else there are none. */
export const fields = (request: GatewayRequest): ReadonlyMap<string, unknown> => {
  const value = parse(request)
  return new Map(typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [])
}

/** What IG says of a body that holds no fields: it was lost on the way, or it is no JSON at all. */
export const refuseBody = (request: GatewayRequest): GatewayResponse =>
  request.body.length > 0 && parse(request) === undefined
    ? refuse(400, "invalid.input")
    : refuse(400, "validation.null-not-allowed.request")
