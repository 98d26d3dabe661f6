/** The calls of a session: `session.md` §2–§8. */
import * as Schema from "effect/Schema"
import { make } from "./endpoint.ts"
import * as Wire from "./wire.ts"

export const loginV3 = make({
  name: "session.login",
  method: "POST",
  path: "/session",
  version: 3,
  session: false,
  answer: Wire.LoginV3
})

export const loginV2 = make({
  name: "session.loginV2",
  method: "POST",
  path: "/session",
  version: 2,
  session: false,
  answer: Wire.LoginV2
})

export const loginV3Encrypted: typeof loginV3 = { ...loginV3, name: "session.loginWithEncryption" }

export const loginV2Encrypted: typeof loginV2 = { ...loginV2, name: "session.loginV2WithEncryption" }

export const refresh = make({
  name: "session.refresh",
  method: "POST",
  path: "/session/refresh-token",
  version: 1,
  session: false,
  answer: Wire.OAuthToken
})

export const read = make({
  name: "session.read",
  method: "GET",
  path: "/session",
  version: 1,
  answer: Wire.SessionDetails
})

export const switchAccount = make({
  name: "session.switchAccount",
  method: "PUT",
  path: "/session",
  version: 1,
  answer: Wire.AccountSwitch
})

export const encryptionKey = make({
  name: "session.encryptionKey",
  method: "GET",
  path: "/session/encryptionKey",
  version: 1,
  session: false,
  answer: Wire.EncryptionKey
})

export const logout = make({
  name: "session.logout",
  method: "DELETE",
  path: "/session",
  version: 1,
  answer: Schema.Unknown
})
