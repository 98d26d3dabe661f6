/** A call as data, and the calls of a session: `session.md` §2–§8. */
import * as Schema from "effect/Schema"
import * as Wire from "./wire.ts"

export interface Endpoint<A> {
  /** `session.login`: the operation in errors, and behind `Ig.` the name of the span. */
  readonly name: string
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  readonly version: number
  /** A mutation leaves at most once, whatever the user's `HttpClient` does. */
  readonly effect: "read" | "mutation"
  readonly decode: ReturnType<typeof Schema.decodeUnknown<A, unknown, never>>
}

const endpoint = <A, I>(
  name: string,
  [method, path, version]: readonly [method: Endpoint<A>["method"], path: string, version: number],
  effect: Endpoint<A>["effect"],
  answer: Schema.Schema<A, I>
): Endpoint<A> => ({ name, method, path, version, effect, decode: Schema.decodeUnknown(answer, { errors: "all" }) })

export const loginV3 = endpoint("session.login", ["POST", "/session", 3], "mutation", Wire.LoginV3)

export const loginV2 = endpoint("session.loginV2", ["POST", "/session", 2], "mutation", Wire.LoginV2)

export const loginV3Encrypted: typeof loginV3 = { ...loginV3, name: "session.loginWithEncryption" }

export const loginV2Encrypted: typeof loginV2 = { ...loginV2, name: "session.loginV2WithEncryption" }

export const refresh = endpoint("session.refresh", ["POST", "/session/refresh-token", 1], "mutation", Wire.OAuthToken)

export const read = endpoint("session.read", ["GET", "/session", 1], "read", Wire.SessionDetails)

export const switchAccount = endpoint("session.switchAccount", ["PUT", "/session", 1], "mutation", Wire.AccountSwitch)

export const encryptionKey = endpoint(
  "session.encryptionKey",
  ["GET", "/session/encryptionKey", 1],
  "read",
  Wire.EncryptionKey
)

export const logout = endpoint("session.logout", ["DELETE", "/session", 1], "mutation", Schema.Unknown)
