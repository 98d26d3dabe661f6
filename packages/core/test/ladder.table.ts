/**
 * What a call does about dead tokens, written by hand. Imports types alone: a name that is wrong in the library would be
 * wrong here too.
 *
 * A request is `METHOD path version`, what it carried, and what IG answered. Tokens go by the label of their issue:
 * Version 3 logins and refreshes issue `access-n` and `refresh-n`, Version 2 logins `cst-n` and `xst-n`; a switch under
 * CST issues the next `xst-n`. `on SBX01` is the `IG-ACCOUNT-ID` header, `to SBX02` the account of a switch. `+5 s` is
 * how long after the call began.
 */
import type { Fault } from "@effect-ig/sandbox/Fault"
import type { TokenKind } from "@effect-ig/sandbox/Sandbox"
import type { Switches } from "@effect-ig/sandbox/Switches"

export type Login = "login" | "loginV2" | "loginWithEncryption" | "loginV2WithEncryption"

/** `no key`: IG answers 503 where the key is to be had. */
export type Cipher = "works" | "fails" | "hangs" | "no key"

/** To SBX02, where the login was to SBX01. Under a bearer IG refuses `PUT`, or else it works. */
export type Switched = "no" | "by header" | "by PUT" | "by header, and back"

interface Life {
  /** All that were sent for the call. */
  readonly requests: ReadonlyArray<string>
  /** For the caller: success, or the failure and its causes. */
  readonly outcome: ReadonlyArray<string>
  /** The session afterwards: by which login, on which account, with which tokens. */
  readonly held: string
}

/** Logged in, switched or not, and used once; after some time these tokens die, and one call is made. */
export interface Row extends Life {
  readonly name: string
  readonly login: Login
  readonly switched: Switched
  /** In seconds. */
  readonly passed?: number
  readonly dead: ReadonlyArray<TokenKind>
  /** Where it makes no difference, all of them. */
  readonly ciphers: ReadonlyArray<Cipher>
}

export interface Change {
  readonly dead?: ReadonlyArray<TokenKind>
  readonly faults?: ReadonlyArray<Fault>
  /** The faults that were there are over. */
  readonly over?: boolean
  readonly switches?: Partial<Switches>
  readonly cipher?: Cipher
  readonly credentials?: "right" | "wrong" | "unavailable" | "never given"
}

/** One call, after some time and some changes. */
export interface Moment extends Life {
  /** In seconds. */
  readonly passed?: number
  readonly first?: Change
  /** On this account by `withAccount`. */
  readonly within?: string
}

/** Logged in, switched or not, and used once unless it says otherwise; then moment by moment. */
export interface Story {
  readonly name: string
  readonly login: Login
  readonly switched?: Switched
  readonly switches?: Partial<Switches>
  readonly unused?: boolean
  /** This account was used by `withAccount`, too. */
  readonly opened?: string
  /** The session goes on in a `SessionState.layerTest`, which knows of no login. */
  readonly resumed?: boolean
  /** Is IG's word that an allowance is spent heeded, as it is by default, or handed on? */
  readonly throttled?: boolean
  readonly moments: ReadonlyArray<Moment>
}

const whatever = ["works", "fails", "no key"] as const

export const rows: ReadonlyArray<Row> = [
  // OAuth, in plain: a cipher and its key are nothing to it
  {
    name: "login on its own account, bearer dead",
    login: "login",
    switched: "no",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "login SBX01 access-2 refresh-2"
  },
  {
    name: "login switched by header, bearer dead",
    login: "login",
    switched: "by header",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },
  {
    name: "login switched by PUT, bearer dead",
    login: "login",
    switched: "by PUT",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },
  {
    name: "login on its own account, bearer and refresh token dead",
    login: "login",
    switched: "no",
    dead: ["access", "refresh"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "login SBX01 access-2 refresh-2"
  },
  {
    name: "login switched by header, bearer and refresh token dead",
    login: "login",
    switched: "by header",
    dead: ["access", "refresh"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "GET /session 1 Bearer access-2 on SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },
  {
    name: "login switched by PUT, bearer and refresh token dead",
    login: "login",
    switched: "by PUT",
    dead: ["access", "refresh"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "PUT /session 1 Bearer access-2 on SBX01 to SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },

  // OAuth, encrypted: a refresh needs no cipher
  {
    name: "loginWithEncryption on its own account, bearer dead",
    login: "loginWithEncryption",
    switched: "no",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX01 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by header, bearer dead",
    login: "loginWithEncryption",
    switched: "by header",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by PUT, bearer dead",
    login: "loginWithEncryption",
    switched: "by PUT",
    dead: ["access"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption on its own account, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "no",
    dead: ["access", "refresh"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX01 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption on its own account, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "no",
    dead: ["access", "refresh"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: [
      "AuthError session-lost",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "AuthError encryption-failed"
    ],
    held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption on its own account, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "no",
    dead: ["access", "refresh"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by header, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by header",
    dead: ["access", "refresh"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "GET /session 1 Bearer access-2 on SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by header, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by header",
    dead: ["access", "refresh"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: [
      "AuthError session-lost",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "AuthError encryption-failed"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by header, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by header",
    dead: ["access", "refresh"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by PUT, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by PUT",
    dead: ["access", "refresh"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "PUT /session 1 Bearer access-2 on SBX01 to SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by PUT, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by PUT",
    dead: ["access", "refresh"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: [
      "AuthError session-lost",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "AuthError encryption-failed"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by PUT, bearer and refresh token dead",
    login: "loginWithEncryption",
    switched: "by PUT",
    dead: ["access", "refresh"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },

  // OAuth, in plain, with less than the margin left
  {
    name: "login on its own account, refresh token dead, and a bearer that is about to be",
    login: "login",
    switched: "no",
    passed: 51,
    dead: ["refresh"],
    ciphers: whatever,
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "login SBX01 access-2 refresh-2"
  },
  {
    name: "login switched by header, refresh token dead, and a bearer that is about to be",
    login: "login",
    switched: "by header",
    passed: 51,
    dead: ["refresh"],
    ciphers: whatever,
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "GET /session 1 Bearer access-2 on SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },
  {
    name: "login switched by PUT, refresh token dead, and a bearer that is about to be",
    login: "login",
    switched: "by PUT",
    passed: 51,
    dead: ["refresh"],
    ciphers: whatever,
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "POST /session 3 password:correct: 200",
      "PUT /session 1 Bearer access-2 on SBX01 to SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "login SBX02 access-2 refresh-2"
  },

  // OAuth, encrypted, with less than the margin left: a bearer that lives is used though it could not be renewed
  {
    name: "loginWithEncryption on its own account, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "no",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["works"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "GET /positions 2 Bearer access-2 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX01 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption on its own account, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "no",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["fails"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "GET /positions 2 Bearer access-1 on SBX01: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX01 access-1 refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption on its own account, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "no",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["no key"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by header, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by header",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["works"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "GET /session 1 Bearer access-2 on SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by header, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by header",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["fails"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "GET /positions 2 Bearer access-1 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-1 refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by header, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by header",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["no key"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by PUT, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by PUT",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["works"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 3 encrypted:correct encryptedPassword: 200",
      "PUT /session 1 Bearer access-2 on SBX01 to SBX02: 200",
      "GET /positions 2 Bearer access-2 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-2 refresh-2"
  },
  {
    name: "loginWithEncryption switched by PUT, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by PUT",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["fails"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "GET /positions 2 Bearer access-1 on SBX02: 200"
    ],
    outcome: ["success"],
    held: "loginWithEncryption SBX02 access-1 refresh-1 (dead)"
  },
  {
    name: "loginWithEncryption switched by PUT, refresh token dead, and a bearer that is about to be",
    login: "loginWithEncryption",
    switched: "by PUT",
    passed: 51,
    dead: ["refresh"],
    ciphers: ["no key"],
    requests: [
      "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.refresh 401 error.security.oauth-token-invalid",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginWithEncryption SBX02 access-1 (dead) refresh-1 (dead)"
  },

  // CST, in plain
  {
    name: "loginV2 on its own account, CST dead",
    login: "loginV2",
    switched: "no",
    dead: ["cst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "POST /session 2 password:correct: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2 on its own account, X-SECURITY-TOKEN dead",
    login: "loginV2",
    switched: "no",
    dead: ["xst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
      "POST /session 2 password:correct: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2 on its own account, both tokens dead",
    login: "loginV2",
    switched: "no",
    dead: ["cst", "xst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "POST /session 2 password:correct: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2 switched, CST dead",
    login: "loginV2",
    switched: "by PUT",
    dead: ["cst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "POST /session 2 password:correct: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX02 cst-2 xst-4"
  },
  {
    name: "loginV2 switched, X-SECURITY-TOKEN dead",
    login: "loginV2",
    switched: "by PUT",
    dead: ["xst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.account-token-invalid",
      "POST /session 2 password:correct: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX02 cst-2 xst-4"
  },
  {
    name: "loginV2 switched, both tokens dead",
    login: "loginV2",
    switched: "by PUT",
    dead: ["cst", "xst"],
    ciphers: whatever,
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "POST /session 2 password:correct: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2 SBX02 cst-2 xst-4"
  },

  // CST, encrypted
  {
    name: "loginV2WithEncryption on its own account, CST dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2WithEncryption on its own account, CST dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
  },
  {
    name: "loginV2WithEncryption on its own account, CST dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
  },
  {
    name: "loginV2WithEncryption on its own account, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["xst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2WithEncryption on its own account, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["xst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX01 cst-1 xst-1 (dead)"
  },
  {
    name: "loginV2WithEncryption on its own account, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["xst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX01 cst-1 xst-1 (dead)"
  },
  {
    name: "loginV2WithEncryption on its own account, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst", "xst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "GET /positions 2 cst-2 xst-2: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX01 cst-2 xst-2"
  },
  {
    name: "loginV2WithEncryption on its own account, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst", "xst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
  },
  {
    name: "loginV2WithEncryption on its own account, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "no",
    dead: ["cst", "xst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
  },
  {
    name: "loginV2WithEncryption switched, CST dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX02 cst-2 xst-4"
  },
  {
    name: "loginV2WithEncryption switched, CST dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2"
  },
  {
    name: "loginV2WithEncryption switched, CST dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2"
  },
  {
    name: "loginV2WithEncryption switched, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["xst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX02 cst-2 xst-4"
  },
  {
    name: "loginV2WithEncryption switched, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["xst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX02 cst-1 xst-2 (dead)"
  },
  {
    name: "loginV2WithEncryption switched, X-SECURITY-TOKEN dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["xst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.account-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX02 cst-1 xst-2 (dead)"
  },
  {
    name: "loginV2WithEncryption switched, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst", "xst"],
    ciphers: ["works"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200",
      "POST /session 2 encrypted:correct encryptedPassword: 200",
      "PUT /session 1 cst-2 xst-3 to SBX02: 200",
      "GET /positions 2 cst-2 xst-4: 200"
    ],
    outcome: ["success"],
    held: "loginV2WithEncryption SBX02 cst-2 xst-4"
  },
  {
    name: "loginV2WithEncryption switched, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst", "xst"],
    ciphers: ["fails"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 200"
    ],
    outcome: ["AuthError session-lost", "AuthError encryption-failed"],
    held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2 (dead)"
  },
  {
    name: "loginV2WithEncryption switched, both tokens dead",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    dead: ["cst", "xst"],
    ciphers: ["no key"],
    requests: [
      "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
      "GET /session/encryptionKey 1: 503",
      "+5 s GET /session/encryptionKey 1: 503",
      "+10 s GET /session/encryptionKey 1: 503"
    ],
    outcome: [
      "AuthError session-lost until +15 s",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code",
      "ApiError session.encryptionKey 503 without a code"
    ],
    held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2 (dead)"
  }
]

const atLogin = { method: "POST", path: "/session" } as const
const atSwitch = { method: "PUT", path: "/session" } as const
const atRefresh = { method: "POST", path: "/session/refresh-token" } as const
const atKey = { method: "GET", path: "/session/encryptionKey" } as const

const locked: Fault = {
  kind: "answer",
  status: 401,
  errorCode: "error.security.too-many-failed-attempts",
  ...atLogin
}

const noAllowance = { kind: "allowance", allowance: "api-key" } as const

export const stories: ReadonlyArray<Story> = [
  // the code that quick logins meet
  {
    name: "login meets the transient code twice: again after 5 seconds, and after 5 more",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [{ kind: "failedLogin", times: 2, ...atLogin }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s POST /session 3 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s POST /session 3 password:correct: 200",
          "+10 s GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginWithEncryption, switched by header, meets the transient code twice: each try has a key of its own",
    login: "loginWithEncryption",
    switched: "by header",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [{ kind: "failedLogin", times: 2, ...atLogin }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s GET /session/encryptionKey 1: 200",
          "+5 s POST /session 3 encrypted:correct encryptedPassword: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s GET /session/encryptionKey 1: 200",
          "+10 s POST /session 3 encrypted:correct encryptedPassword: 200",
          "+10 s GET /session 1 Bearer access-2 on SBX02: 200",
          "+10 s GET /positions 2 Bearer access-2 on SBX02: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX02 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginV2, switched, meets the transient code twice: again after 5 seconds, and after 5 more",
    login: "loginV2",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "failedLogin", times: 2, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s POST /session 2 password:correct: 200",
          "+10 s PUT /session 1 cst-2 xst-3 to SBX02: 200",
          "+10 s GET /positions 2 cst-2 xst-4: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX02 cst-2 xst-4"
      }
    ]
  },
  {
    name: "loginV2WithEncryption meets the transient code twice: each try has a key of its own",
    login: "loginV2WithEncryption",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "failedLogin", times: 2, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s GET /session/encryptionKey 1: 200",
          "+5 s POST /session 2 encrypted:correct encryptedPassword: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s GET /session/encryptionKey 1: 200",
          "+10 s POST /session 2 encrypted:correct encryptedPassword: 200",
          "+10 s GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "loginV2 meets the transient code three times: lost for a minute, then one login",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "failedLogin", times: 3, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        outcome: [
          "AuthError session-lost until +70 s",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 60,
        requests: ["POST /session 2 password:correct: 200", "GET /positions 2 cst-2 xst-2: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-2 xst-2"
      }
    ]
  },

  // a login without an answer, which IG may have taken all the same
  {
    name: "login is cut: after a minute it is asked whether IG is there, then logged in",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [{ kind: "cutHeaders", ...atLogin }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200 cut",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 3 password:correct: 200",
          "+60 s GET /positions 2 Bearer access-3 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-3 refresh-3"
      }
    ]
  },
  {
    name: "loginWithEncryption is cut twice: a minute, and another, each with a key, which is question enough",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [{ kind: "cutHeaders", times: 2, ...atLogin }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 200 cut",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 3 encrypted:correct encryptedPassword: 200 cut",
          "+120 s GET /session/encryptionKey 1: 200",
          "+120 s POST /session 3 encrypted:correct encryptedPassword: 200",
          "+120 s GET /positions 2 Bearer access-4 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX01 access-4 refresh-4"
      }
    ]
  },
  {
    name: "loginV2, switched, is cut: after a minute it is asked whether IG is there, then logged in and switched once",
    login: "loginV2",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst", "xst"], faults: [{ kind: "cutHeaders", ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200 cut",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 2 password:correct: 200",
          "+60 s PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "+60 s GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX02 cst-3 xst-5"
      }
    ]
  },
  {
    name: "loginV2WithEncryption is cut: after a minute the key, which is question enough, then the login",
    login: "loginV2WithEncryption",
    moments: [
      {
        first: { dead: ["xst"], faults: [{ kind: "cutHeaders", ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200 cut",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 2 encrypted:correct encryptedPassword: 200",
          "+60 s GET /positions 2 cst-3 xst-3: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-3 xst-3"
      }
    ]
  },
  {
    name: "loginV2 is cut three times: lost for five minutes, and nothing is sent until then",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "cutHeaders", times: 3, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200 cut",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 2 password:correct: 200 cut",
          "+120 s GET /session/encryptionKey 1: 200",
          "+120 s POST /session 2 password:correct: 200 cut"
        ],
        outcome: [
          "AuthError session-lost until +420 s",
          "TransportError session.loginV2 connection-lost",
          "TransportError session.loginV2 connection-lost",
          "TransportError session.loginV2 connection-lost"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 299,
        requests: [],
        outcome: [
          "AuthError session-lost until +1 s",
          "TransportError session.loginV2 connection-lost",
          "TransportError session.loginV2 connection-lost",
          "TransportError session.loginV2 connection-lost"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 1,
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 password:correct: 200",
          "GET /positions 2 cst-5 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-5 xst-5"
      }
    ]
  },
  {
    name: "login is not answered for 30 seconds: another minute, the question, and one login",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [{ kind: "never", ...atLogin }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200 cut",
          "+90 s GET /session/encryptionKey 1: 200",
          "+90 s POST /session 3 password:correct: 200",
          "+90 s GET /positions 2 Bearer access-3 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-3 refresh-3"
      }
    ]
  },
  {
    name: "login is cut and IG is not there afterwards: no login until it is",
    login: "login",
    moments: [
      {
        first: {
          dead: ["access", "refresh"],
          faults: [
            { kind: "cutHeaders", ...atLogin },
            { kind: "answer", status: 503, times: 3, ...atKey }
          ]
        },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200 cut",
          "+60 s GET /session/encryptionKey 1: 503",
          "+65 s GET /session/encryptionKey 1: 503"
        ],
        outcome: [
          "AuthError session-lost until +70 s",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "TransportError session.login connection-lost",
          "ApiError session.encryptionKey 503 without a code",
          "ApiError session.encryptionKey 503 without a code"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 5,
        requests: [
          "GET /session/encryptionKey 1: 503",
          "+5 s GET /session/encryptionKey 1: 200",
          "+5 s POST /session 3 password:correct: 200",
          "+5 s GET /positions 2 Bearer access-3 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-3 refresh-3"
      }
    ]
  },

  // IG has locked logins
  {
    name: "login is locked: sent once, and never again by itself",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [locked] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 401 error.security.too-many-failed-attempts"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.login 401 error.security.too-many-failed-attempts"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 86_400,
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "loginWithEncryption is locked: sent once, and never again by itself, nor is a key fetched",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access", "refresh"], faults: [locked] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 401 error.security.too-many-failed-attempts"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.loginWithEncryption 401 error.security.too-many-failed-attempts"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 86_400,
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "loginV2 is locked: sent once, and never again by itself",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], faults: [locked] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 401 error.security.too-many-failed-attempts"
        ],
        outcome: ["AuthError session-lost", "ApiError session.loginV2 401 error.security.too-many-failed-attempts"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 3600,
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      }
    ]
  },
  {
    name: "loginV2WithEncryption, switched, is locked: sent once, and never again by itself, nor is a key fetched",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst"], faults: [locked] },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 401 error.security.too-many-failed-attempts"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.loginV2WithEncryption 401 error.security.too-many-failed-attempts"
        ],
        held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2"
      },
      {
        passed: 3600,
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2WithEncryption SBX02 cst-1 (dead) xst-2"
      }
    ]
  },

  // IG refuses the credentials
  {
    name: "login has its credentials refused: sent once, and not again until they are others",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], credentials: "wrong" },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 unknown: 401 error.security.invalid-details"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.login 401 error.security.invalid-details"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 3600,
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        first: { credentials: "right" },
        requests: ["POST /session 3 password:correct: 200", "GET /positions 2 Bearer access-2 on SBX01: 200"],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginWithEncryption has its credentials refused: sent once, and not again until they are others",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access", "refresh"], credentials: "wrong" },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:unknown encryptedPassword: 401 error.security.invalid-details"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.loginWithEncryption 401 error.security.invalid-details"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        first: { credentials: "right" },
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginV2, switched, has its credentials refused: sent once, and not again until they are others",
    login: "loginV2",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst"], credentials: "wrong" },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "POST /session 2 unknown: 401 error.security.invalid-details"
        ],
        outcome: ["AuthError session-lost", "ApiError session.loginV2 401 error.security.invalid-details"],
        held: "loginV2 SBX02 cst-1 (dead) xst-2"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2 SBX02 cst-1 (dead) xst-2"
      },
      {
        first: { credentials: "right" },
        requests: [
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-2 xst-3 to SBX02: 200",
          "GET /positions 2 cst-2 xst-4: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX02 cst-2 xst-4"
      }
    ]
  },
  {
    name: "loginV2WithEncryption has its credentials refused: sent once, and not again until they are others",
    login: "loginV2WithEncryption",
    moments: [
      {
        first: { dead: ["cst"], credentials: "wrong" },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:unknown encryptedPassword: 401 error.security.invalid-details"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.loginV2WithEncryption 401 error.security.invalid-details"
        ],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
      },
      {
        first: { credentials: "right" },
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "loginV2 cannot have its credentials: nothing is remembered of that, and the next call asks again",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], credentials: "unavailable" },
        requests: ["GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid"],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        first: { credentials: "never given" },
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        first: { credentials: "right" },
        requests: ["POST /session 2 password:correct: 200", "GET /positions 2 cst-2 xst-2: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-2 xst-2"
      }
    ]
  },

  // encryption that comes back, or does not
  {
    name: "loginWithEncryption with a cipher that fails, then works: the next call logs in",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access", "refresh"], cipher: "fails" },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "AuthError encryption-failed"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: ["GET /session/encryptionKey 1: 200"],
        outcome: ["AuthError session-lost", "AuthError encryption-failed"],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        first: { cipher: "works" },
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginV2WithEncryption with a cipher that hangs: given up after 30 seconds",
    login: "loginV2WithEncryption",
    moments: [
      {
        first: { dead: ["cst", "xst"], cipher: "hangs" },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200"
        ],
        outcome: ["AuthError session-lost", "AuthError encryption-failed"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
      },
      {
        first: { cipher: "works" },
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "loginV2WithEncryption without a key once: 5 seconds, the key, the login",
    login: "loginV2WithEncryption",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "answer", status: 503, ...atKey }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 503",
          "+5 s GET /session/encryptionKey 1: 200",
          "+5 s POST /session 2 encrypted:correct encryptedPassword: 200",
          "+5 s GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "loginWithEncryption with a key that is none: nothing is sent, least of all the password",
    login: "loginWithEncryption",
    moments: [
      {
        first: {
          dead: ["access", "refresh"],
          faults: [{ kind: "answer", status: 200, text: "{}", ...atKey }]
        },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "AuthError encryption-failed"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "loginWithEncryption, which IG takes under Version 3 no longer: refused once, and neither in plain nor by Version 2",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access", "refresh"], switches: { encryptedV3: false } },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 401 error.security.invalid-details"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.loginWithEncryption 401 error.security.invalid-details"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError credentials-unavailable"],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "loginV2, of which IG demands encryption from now on: once a minute at most",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], switches: { encryptionRequired: true } },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 400 error.public-api.failure.encryption.required"
        ],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.loginV2 400 error.public-api.failure.encryption.required"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 59,
        requests: [],
        outcome: [
          "AuthError session-lost until +1 s",
          "ApiError session.loginV2 400 error.public-api.failure.encryption.required"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      }
    ]
  },

  // a session that was not logged in here
  {
    name: "a resumed session by login is refreshed",
    login: "login",
    resumed: true,
    moments: [
      {
        first: { dead: ["access"] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "a resumed session by login, switched by header, is refreshed where it was",
    login: "login",
    switched: "by header",
    resumed: true,
    moments: [
      {
        first: { dead: ["access"] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 200",
          "GET /positions 2 Bearer access-2 on SBX02: 200"
        ],
        outcome: ["success"],
        held: "login SBX02 access-2 refresh-2"
      }
    ]
  },
  {
    name: "a resumed session by login with a dead refresh token is lost, and nothing more is sent",
    login: "login",
    resumed: true,
    moments: [
      {
        first: { dead: ["access", "refresh"] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "AuthError no-login-kept"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError no-login-kept"],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "a resumed session by loginWithEncryption with a dead refresh token is lost, and no key is fetched",
    login: "loginWithEncryption",
    resumed: true,
    moments: [
      {
        first: { dead: ["access", "refresh"] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid"
        ],
        outcome: [
          "AuthError session-lost",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "AuthError no-login-kept"
        ],
        held: "loginWithEncryption SBX01 access-1 (dead) refresh-1 (dead)"
      }
    ]
  },
  {
    name: "a resumed session by loginV2 with a dead CST is lost, and nothing more is sent",
    login: "loginV2",
    resumed: true,
    moments: [
      {
        first: { dead: ["cst"] },
        requests: ["GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid"],
        outcome: ["AuthError session-lost", "AuthError no-login-kept"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost", "AuthError no-login-kept"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      }
    ]
  },
  {
    name: "a resumed session by loginV2WithEncryption, switched, with a dead X-SECURITY-TOKEN is lost, and no key is fetched",
    login: "loginV2WithEncryption",
    switched: "by PUT",
    resumed: true,
    moments: [
      {
        first: { dead: ["xst"] },
        requests: ["GET /positions 2 cst-1 xst-2: 401 error.security.account-token-invalid"],
        outcome: ["AuthError session-lost", "AuthError no-login-kept"],
        held: "loginV2WithEncryption SBX02 cst-1 xst-2 (dead)"
      }
    ]
  },
  {
    name: "a resumed session by loginV2 has no other account, and lives on",
    login: "loginV2",
    resumed: true,
    moments: [
      {
        within: "SBX02",
        requests: [],
        outcome: ["AuthError no-login-kept"],
        held: "loginV2 SBX01 cst-1 xst-1"
      },
      {
        requests: ["GET /positions 2 cst-1 xst-1: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-1 xst-1"
      }
    ]
  },

  // a login out of IG's cache
  {
    name: "login out of a cache: refreshed in vain, no other login for a minute, then one",
    login: "login",
    switches: { deadTokensAtLogin: true },
    unused: true,
    moments: [
      {
        first: { switches: { deadTokensAtLogin: false } },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid"
        ],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.refresh 401 error.security.oauth-token-invalid"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 59,
        requests: [],
        outcome: [
          "AuthError session-lost until +1 s",
          "ApiError session.refresh 401 error.security.oauth-token-invalid"
        ],
        held: "login SBX01 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 1,
        requests: ["POST /session 3 password:correct: 200", "GET /positions 2 Bearer access-2 on SBX01: 200"],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "loginV2 out of a cache: no other login for a minute, then one",
    login: "loginV2",
    switches: { deadTokensAtLogin: true },
    unused: true,
    moments: [
      {
        passed: 20,
        first: { switches: { deadTokensAtLogin: false } },
        requests: ["GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid"],
        outcome: ["AuthError session-lost until +40 s"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1 (dead)"
      },
      {
        passed: 39,
        requests: [],
        outcome: ["AuthError session-lost until +1 s"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1 (dead)"
      },
      {
        passed: 1,
        requests: ["POST /session 2 password:correct: 200", "GET /positions 2 cst-2 xst-2: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "loginV2WithEncryption out of a cache: neither a login nor a key for a minute, then both",
    login: "loginV2WithEncryption",
    switches: { deadTokensAtLogin: true },
    unused: true,
    moments: [
      {
        first: { switches: { deadTokensAtLogin: false } },
        requests: ["GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid"],
        outcome: ["AuthError session-lost until +60 s"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
      },
      {
        passed: 30,
        requests: [],
        outcome: ["AuthError session-lost until +30 s"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
      },
      {
        passed: 30,
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "login again and out of a cache: IG's refusal, then no refresh and no login for a minute",
    login: "login",
    moments: [
      {
        first: { dead: ["access", "refresh"], switches: { deadTokensAtLogin: true } },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 401 error.security.oauth-token-invalid"
        ],
        outcome: ["ApiError positions.list 401 error.security.oauth-token-invalid"],
        held: "login SBX01 access-2 (dead) refresh-2 (dead)"
      },
      {
        requests: [],
        outcome: ["AuthError session-lost until +60 s"],
        held: "login SBX01 access-2 (dead) refresh-2 (dead)"
      },
      {
        passed: 60,
        first: { switches: { deadTokensAtLogin: false } },
        requests: ["POST /session 3 password:correct: 200", "GET /positions 2 Bearer access-3 on SBX01: 200"],
        outcome: ["success"],
        held: "login SBX01 access-3 refresh-3"
      }
    ]
  },
  {
    name: "loginV2 again, switched, and out of a cache: ended, and no login for a minute",
    login: "loginV2",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst", "xst"], switches: { deadTokensAtLogin: true } },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-2 xst-3 to SBX02: 401 error.security.client-token-invalid",
          "DELETE /session 1 cst-2 xst-3: 401 error.security.client-token-invalid"
        ],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.switchAccount 401 error.security.client-token-invalid"
        ],
        held: "loginV2 SBX02 cst-1 (dead) xst-2 (dead)"
      },
      {
        passed: 59,
        requests: [],
        outcome: [
          "AuthError session-lost until +1 s",
          "ApiError session.switchAccount 401 error.security.client-token-invalid"
        ],
        held: "loginV2 SBX02 cst-1 (dead) xst-2 (dead)"
      },
      {
        passed: 1,
        first: { switches: { deadTokensAtLogin: false } },
        requests: [
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX02 cst-3 xst-5"
      }
    ]
  },
  {
    name: "login again, switched by header, and out of a cache: ended, and no login for a minute",
    login: "login",
    switched: "by header",
    moments: [
      {
        first: { dead: ["access", "refresh"], switches: { deadTokensAtLogin: true } },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200",
          "GET /session 1 Bearer access-2 on SBX02: 401 error.security.oauth-token-invalid",
          "DELETE /session 1 Bearer access-2 on SBX01: 401 error.security.oauth-token-invalid"
        ],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.read 401 error.security.oauth-token-invalid"
        ],
        held: "login SBX02 access-1 (dead) refresh-1 (dead)"
      },
      {
        requests: [],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.refresh 401 error.security.oauth-token-invalid",
          "ApiError session.read 401 error.security.oauth-token-invalid"
        ],
        held: "login SBX02 access-1 (dead) refresh-1 (dead)"
      },
      {
        passed: 60,
        first: { switches: { deadTokensAtLogin: false } },
        requests: [
          "POST /session 3 password:correct: 200",
          "GET /session 1 Bearer access-3 on SBX02: 200",
          "GET /positions 2 Bearer access-3 on SBX02: 200"
        ],
        outcome: ["success"],
        held: "login SBX02 access-3 refresh-3"
      }
    ]
  },

  // an account of its own, by withAccount
  {
    name: "withAccount under CST, CST dead: its own login, switched once, and the session is left as it is",
    login: "loginV2",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["cst"] },
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "GET /positions 2 cst-4 xst-6: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-4 xst-6"
      },
      {
        within: "SBX02",
        requests: ["GET /positions 2 cst-3 xst-5: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-4 xst-6"
      }
    ]
  },
  {
    name: "withAccount under CST, X-SECURITY-TOKEN dead, after the session came back by itself: its own login",
    login: "loginV2",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["xst"] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.account-token-invalid",
          "POST /session 2 password:correct: 200",
          "GET /positions 2 cst-3 xst-4: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-3 xst-4"
      },
      {
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.account-token-invalid",
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-4 xst-5 to SBX02: 200",
          "GET /positions 2 cst-4 xst-6: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-3 xst-4"
      }
    ]
  },
  {
    name: "withAccount under an encrypted CST: its own key and its own login",
    login: "loginV2WithEncryption",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["cst", "xst"] },
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1 (dead)"
      }
    ]
  },
  {
    name: "withAccount under an encrypted CST with a cipher that fails: lost, and the next call tries again",
    login: "loginV2WithEncryption",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["cst"], cipher: "fails" },
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.client-token-invalid",
          "GET /session/encryptionKey 1: 200"
        ],
        outcome: ["AuthError session-lost", "AuthError encryption-failed"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
      },
      {
        first: { cipher: "works" },
        within: "SBX02",
        requests: [
          "GET /session/encryptionKey 1: 200",
          "POST /session 2 encrypted:correct encryptedPassword: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2WithEncryption SBX01 cst-1 (dead) xst-1"
      }
    ]
  },
  {
    name: "withAccount under CST meets the transient code: the pause holds for the session, too",
    login: "loginV2",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "failedLogin", times: 3, ...atLogin }] },
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+5 s POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token",
          "+10 s POST /session 2 password:correct: 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        outcome: [
          "AuthError session-lost until +70 s",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: ["GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid"],
        outcome: [
          "AuthError session-lost until +60 s",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token",
          "ApiError session.loginV2 401 service.security.authentication.failure-invalid-client-security-token"
        ],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        passed: 60,
        within: "SBX02",
        requests: [
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      }
    ]
  },
  {
    name: "withAccount under CST has its switch refused: the login is ended, and nothing more is sent for that account",
    login: "loginV2",
    opened: "SBX02",
    moments: [
      {
        first: {
          dead: ["cst"],
          faults: [{ kind: "answer", status: 400, errorCode: "error.switch.invalid-accountId", ...atSwitch }]
        },
        within: "SBX02",
        requests: [
          "GET /positions 2 cst-2 xst-3: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-3 xst-4 to SBX02: 400 error.switch.invalid-accountId",
          "DELETE /session 1 cst-3 xst-4: 204"
        ],
        outcome: ["ApiError session.switchAccount 400 error.switch.invalid-accountId"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        within: "SBX02",
        requests: [],
        outcome: ["ApiError session.switchAccount 400 error.switch.invalid-accountId"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "GET /positions 2 cst-4 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-4 xst-5"
      }
    ]
  },
  {
    name: "withAccount under OAuth, bearer dead: the session is refreshed, and its account stays",
    login: "login",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["access"] },
        within: "SBX02",
        requests: [
          "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 200",
          "GET /positions 2 Bearer access-2 on SBX02: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "withAccount under OAuth, bearer and refresh token dead: the session is logged in on its own account",
    login: "loginWithEncryption",
    opened: "SBX02",
    moments: [
      {
        first: { dead: ["access", "refresh"] },
        within: "SBX02",
        requests: [
          "GET /positions 2 Bearer access-1 on SBX02: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 Bearer access-2 on SBX02: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX01 access-2 refresh-2"
      }
    ]
  },

  // the first rung, when it is not the tokens
  {
    name: "a refresh without an allowance is no reason to log in: the next call sends the same token",
    login: "login",
    throttled: false,
    moments: [
      {
        first: { dead: ["access"], faults: [{ ...noAllowance, ...atRefresh }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 403 error.public-api.exceeded-api-key-allowance"
        ],
        outcome: ["ApiError session.refresh 403 error.public-api.exceeded-api-key-allowance"],
        held: "login SBX01 access-1 (dead) refresh-1"
      },
      {
        requests: ["POST /session/refresh-token 1 refresh-1: 200", "GET /positions 2 Bearer access-2 on SBX01: 200"],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "with the throttle, a refresh without an allowance goes out again a minute later, with the same token",
    login: "login",
    moments: [
      {
        first: { dead: ["access"], faults: [{ ...noAllowance, ...atRefresh }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 403 error.public-api.exceeded-api-key-allowance",
          "+60 s POST /session/refresh-token 1 refresh-1: 200",
          "+60 s GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  },
  {
    name: "a refresh that is cut has spent its token: logged in at once",
    login: "login",
    moments: [
      {
        first: { dead: ["access"], faults: [{ kind: "cutHeaders", ...atRefresh }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 200 cut",
          "POST /session 3 password:correct: 200",
          "GET /positions 2 Bearer access-3 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-3 refresh-3"
      }
    ]
  },
  {
    name: "a refresh that IG answers with 503 counts as spent: logged in at once, and encrypted",
    login: "loginWithEncryption",
    moments: [
      {
        first: { dead: ["access"], faults: [{ kind: "answer", status: 503, ...atRefresh }] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 503",
          "GET /session/encryptionKey 1: 200",
          "POST /session 3 encrypted:correct encryptedPassword: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "loginWithEncryption SBX01 access-2 refresh-2"
      }
    ]
  },

  // the second rung, when it is not the login
  {
    name: "a login without an allowance: lost without a date, and the next call tries again",
    login: "loginV2",
    throttled: false,
    moments: [
      {
        first: { dead: ["cst"], faults: [{ ...noAllowance, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 403 error.public-api.exceeded-api-key-allowance"
        ],
        outcome: ["AuthError session-lost", "ApiError session.loginV2 403 error.public-api.exceeded-api-key-allowance"],
        held: "loginV2 SBX01 cst-1 (dead) xst-1"
      },
      {
        requests: ["POST /session 2 password:correct: 200", "GET /positions 2 cst-2 xst-2: 200"],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "with the throttle, a login without an allowance goes out again a minute later",
    login: "loginV2",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ ...noAllowance, ...atLogin }] },
        requests: [
          "GET /positions 2 cst-1 xst-1: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 403 error.public-api.exceeded-api-key-allowance",
          "+60 s POST /session 2 password:correct: 200",
          "+60 s GET /positions 2 cst-2 xst-2: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX01 cst-2 xst-2"
      }
    ]
  },
  {
    name: "a login that cannot get back to its account is ended; a minute later another one gets there",
    login: "loginV2",
    switched: "by PUT",
    moments: [
      {
        first: { dead: ["cst"], faults: [{ kind: "answer", status: 503, ...atSwitch }] },
        requests: [
          "GET /positions 2 cst-1 xst-2: 401 error.security.client-token-invalid",
          "POST /session 2 password:correct: 200",
          "PUT /session 1 cst-2 xst-3 to SBX02: 503",
          "DELETE /session 1 cst-2 xst-3: 204",
          "+60 s GET /session/encryptionKey 1: 200",
          "+60 s POST /session 2 password:correct: 200",
          "+60 s PUT /session 1 cst-3 xst-4 to SBX02: 200",
          "+60 s GET /positions 2 cst-3 xst-5: 200"
        ],
        outcome: ["success"],
        held: "loginV2 SBX02 cst-3 xst-5"
      }
    ]
  },
  {
    name: "a session that was switched by header and came back needs no step to its account after a login",
    login: "login",
    switched: "by header, and back",
    moments: [
      {
        first: { dead: ["access", "refresh"] },
        requests: [
          "GET /positions 2 Bearer access-1 on SBX01: 401 error.security.oauth-token-invalid",
          "POST /session/refresh-token 1 refresh-1: 401 error.security.oauth-token-invalid",
          "POST /session 3 password:correct: 200",
          "GET /positions 2 Bearer access-2 on SBX01: 200"
        ],
        outcome: ["success"],
        held: "login SBX01 access-2 refresh-2"
      }
    ]
  }
]
