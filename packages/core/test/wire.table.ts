/**
 * What each operation must put on the wire, written by hand from IG's documentation. Imports nothing: a name that is
 * wrong in the library would be wrong here too.
 *
 * Tokens by the label of their issue. Version 3 logins issue `access-n` and `refresh-n`, Version 2 logins `cst-n` and
 * `xst-n`; a switch under CST issues the next `xst-n`.
 */

export interface Row {
  readonly operation: Operation
  readonly family: "oauth" | "cst"
  readonly switched: boolean
  readonly requests: ReadonlyArray<Expected>
}

export type Operation =
  | "login"
  | "loginV2"
  | "refresh"
  | "read"
  | "readTokens"
  | "switchAccount"
  | "switchDefault"
  | "encryptionKey"
  | "logout"

export interface Expected {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly version: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

type Tokens = Readonly<Record<string, string>>

const none: Tokens = {}
const oauth = (bearer: string, account: string): Tokens => ({
  authorization: `Bearer ${bearer}`,
  "ig-account-id": account
})
const cst = (client: string, account: string): Tokens => ({ cst: client, "x-security-token": account })

const call = (
  method: string,
  path: string,
  version: number,
  tokens: Tokens,
  body?: unknown,
  query: Expected["query"] = {}
): Expected => ({
  method,
  path,
  query,
  version,
  headers: {
    "x-ig-api-key": "key:valid",
    accept: "application/json; charset=UTF-8",
    "user-agent": "effect-ig/0.1",
    version: String(version),
    ...(body === undefined ? {} : { "content-type": "application/json; charset=UTF-8" }),
    ...tokens
  },
  body
})

const credentials = { identifier: "sandbox", password: "password:correct" }
const fetchTokens = { fetchSessionTokens: "true" }

const login = call("POST", "/session", 3, none, credentials)
const loginV2 = call("POST", "/session", 2, none, credentials)
const encryptionKey = call("GET", "/session/encryptionKey", 1, none)
const refresh = call("POST", "/session/refresh-token", 1, none, { refresh_token: "refresh-1" })

const read = (tokens: Tokens) => call("GET", "/session", 1, tokens)
const readTokens = (tokens: Tokens) => call("GET", "/session", 1, tokens, undefined, fetchTokens)
const put = (tokens: Tokens, accountId: string, defaultAccount: boolean) =>
  call("PUT", "/session", 1, tokens, { accountId, defaultAccount })
const logout = (tokens: Tokens) => call("DELETE", "/session", 1, tokens)

export const table: ReadonlyArray<Row> = [
  // OAuth, before a switch: on SBX01
  { family: "oauth", switched: false, operation: "login", requests: [login] },
  { family: "oauth", switched: false, operation: "loginV2", requests: [loginV2] },
  { family: "oauth", switched: false, operation: "refresh", requests: [refresh] },
  { family: "oauth", switched: false, operation: "read", requests: [read(oauth("access-1", "SBX01"))] },
  { family: "oauth", switched: false, operation: "readTokens", requests: [readTokens(oauth("access-1", "SBX01"))] },
  {
    family: "oauth",
    switched: false,
    operation: "switchAccount",
    requests: [put(oauth("access-1", "SBX01"), "SBX02", false), read(oauth("access-1", "SBX02"))]
  },
  {
    family: "oauth",
    switched: false,
    operation: "switchDefault",
    requests: [put(oauth("access-1", "SBX01"), "SBX02", true)]
  },
  { family: "oauth", switched: false, operation: "encryptionKey", requests: [encryptionKey] },
  { family: "oauth", switched: false, operation: "logout", requests: [logout(oauth("access-1", "SBX01"))] },

  // OAuth, after a switch by header: on SBX02, and back to SBX01 without a PUT
  { family: "oauth", switched: true, operation: "login", requests: [login] },
  { family: "oauth", switched: true, operation: "loginV2", requests: [loginV2] },
  { family: "oauth", switched: true, operation: "refresh", requests: [refresh] },
  { family: "oauth", switched: true, operation: "read", requests: [read(oauth("access-1", "SBX02"))] },
  { family: "oauth", switched: true, operation: "readTokens", requests: [readTokens(oauth("access-1", "SBX02"))] },
  { family: "oauth", switched: true, operation: "switchAccount", requests: [read(oauth("access-1", "SBX01"))] },
  {
    family: "oauth",
    switched: true,
    operation: "switchDefault",
    requests: [put(oauth("access-1", "SBX02"), "SBX01", true)]
  },
  { family: "oauth", switched: true, operation: "encryptionKey", requests: [encryptionKey] },
  { family: "oauth", switched: true, operation: "logout", requests: [logout(oauth("access-1", "SBX02"))] },

  // CST, before a switch: on SBX01
  { family: "cst", switched: false, operation: "login", requests: [login] },
  { family: "cst", switched: false, operation: "loginV2", requests: [loginV2] },
  { family: "cst", switched: false, operation: "refresh", requests: [] },
  { family: "cst", switched: false, operation: "read", requests: [read(cst("cst-1", "xst-1"))] },
  { family: "cst", switched: false, operation: "readTokens", requests: [readTokens(cst("cst-1", "xst-1"))] },
  {
    family: "cst",
    switched: false,
    operation: "switchAccount",
    requests: [put(cst("cst-1", "xst-1"), "SBX02", false)]
  },
  {
    family: "cst",
    switched: false,
    operation: "switchDefault",
    requests: [put(cst("cst-1", "xst-1"), "SBX02", true)]
  },
  { family: "cst", switched: false, operation: "encryptionKey", requests: [encryptionKey] },
  { family: "cst", switched: false, operation: "logout", requests: [logout(cst("cst-1", "xst-1"))] },

  // CST, after a switch: on SBX02 with the token that the switch gave
  { family: "cst", switched: true, operation: "login", requests: [login] },
  { family: "cst", switched: true, operation: "loginV2", requests: [loginV2] },
  { family: "cst", switched: true, operation: "refresh", requests: [] },
  { family: "cst", switched: true, operation: "read", requests: [read(cst("cst-1", "xst-2"))] },
  { family: "cst", switched: true, operation: "readTokens", requests: [readTokens(cst("cst-1", "xst-2"))] },
  {
    family: "cst",
    switched: true,
    operation: "switchAccount",
    requests: [put(cst("cst-1", "xst-2"), "SBX01", false)]
  },
  {
    family: "cst",
    switched: true,
    operation: "switchDefault",
    requests: [put(cst("cst-1", "xst-2"), "SBX01", true)]
  },
  { family: "cst", switched: true, operation: "encryptionKey", requests: [encryptionKey] },
  { family: "cst", switched: true, operation: "logout", requests: [logout(cst("cst-1", "xst-2"))] }
]

/** What the clients add by themselves; anything else in a request is a failure. */
export const addedBy: Readonly<Record<"nothing" | "undici" | "Node http" | "fetch", ReadonlyArray<string>>> = {
  nothing: [],
  undici: ["host", "connection", "content-length"],
  "Node http": ["host", "connection", "content-length", "transfer-encoding"],
  fetch: ["host", "connection", "content-length", "accept-language", "sec-fetch-mode", "accept-encoding"]
}
