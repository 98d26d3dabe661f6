/** Tokens on their way into requests and out of answers. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { AuthError, DecodeError, type IgError } from "../IgError.ts"
import { OAuthSession, type Session, type SignedIn } from "../SessionState.ts"
import type { Answer, Tokens } from "./send.ts"
import type { Slot } from "./slot.ts"
import type { OAuthToken } from "./wire.ts"

/** What a request of this session carries: one family of tokens, never two. */
export const carry = (session: SignedIn, accountId: string = session.accountId): Tokens => {
  switch (session._tag) {
    case "TokenSession":
      return {
        carried: "cst",
        accountId: session.accountId,
        headers: { cst: Redacted.value(session.cst), "x-security-token": Redacted.value(session.securityToken) }
      }
    case "OAuthSession":
      return {
        carried: "bearer",
        accountId,
        headers: {
          authorization: `Bearer ${Redacted.value(session.accessToken)}`,
          "ig-account-id": accountId
        }
      }
  }
}

/** Tells sessions apart by what their requests carry; nothing else of a session makes it another. */
export const keyOf = (session: Session): string => {
  switch (session._tag) {
    case "SignedOut":
      return ""
    case "TokenSession":
      return `${Redacted.value(session.cst)} ${Redacted.value(session.securityToken)}`
    case "OAuthSession":
      return Redacted.value(session.accessToken)
  }
}

/** What IG takes once. */
export const refreshTokenOf = (session: SignedIn): string | undefined =>
  session._tag === "OAuthSession" ? Redacted.value(session.refreshToken) : undefined

/** IG has had its refresh token. */
export const isSpent = ({ spent }: Slot, session: SignedIn): boolean =>
  spent !== undefined && spent === refreshTokenOf(session)

export const notSignedIn = (operation: string) => new AuthError({ operation, reason: "not-signed-in" })

/** Nothing is left to be renewed, or nobody to renew it for. */
export const isOver = (error: IgError): boolean =>
  error._tag === "AuthError" && (error.reason === "not-signed-in" || error.reason === "closed")

export const signedIn = (operation: string, session: Session): Effect.Effect<SignedIn, AuthError> =>
  session._tag === "SignedOut" ? notSignedIn(operation) : Effect.succeed(session)

type TokenHeader = "cst" | "x-security-token"

const trimmed = (part: string): string => part.replace(/^[ \t]+|[ \t]+$/g, "")

/**
 * IG has been seen to send a token header twice, which arrives as `a, a`. Two different ones are nobody's token, and
 * neither is one that no header could hold: a `DecodeError` at `headers.cst`. An empty one is as good as none.
 */
const tokenHeader = (
  operation: string,
  answer: Answer,
  name: TokenHeader
): Effect.Effect<Option.Option<Redacted.Redacted>, DecodeError> => {
  const [first = "", ...rest] = new Set((answer.headers[name] ?? "").split(",").map(trimmed))
  if (rest.length > 0 || !/^[\x21-\x7e]*$/.test(first)) {
    return Effect.fail(new DecodeError({ operation, paths: [`headers.${name}`] }))
  }
  return Effect.succeed(first === "" ? Option.none() : Option.some(Redacted.make(first)))
}

/** Those that the answer has, as a switch gives them: what is absent is unchanged. */
export const givenTokens = (operation: string, answer: Answer) =>
  Effect.all({
    cst: tokenHeader(operation, answer, "cst"),
    securityToken: tokenHeader(operation, answer, "x-security-token")
  })

/** Both, as a login gives them; without one of them there is nothing to go on with: `tokens-missing`, and which. */
export const bothTokens = (
  operation: string,
  answer: Answer
): Effect.Effect<
  { readonly cst: Redacted.Redacted; readonly securityToken: Redacted.Redacted },
  AuthError | DecodeError
> =>
  Effect.flatMap(givenTokens(operation, answer), ({ cst, securityToken }) => {
    if (Option.isSome(cst) && Option.isSome(securityToken)) {
      return Effect.succeed({ cst: cst.value, securityToken: securityToken.value })
    }
    const paths = [
      ...(Option.isNone(cst) ? ["headers.cst"] : []),
      ...(Option.isNone(securityToken) ? ["headers.x-security-token"] : [])
    ]
    return Effect.fail(new AuthError({ operation, reason: "tokens-missing", paths }))
  })

/** Expiry counts from when the request left: only then is it never later than IG's own. */
export const bearer = (token: OAuthToken, answer: Answer) => ({
  accessToken: token.accessToken,
  refreshToken: token.refreshToken,
  issuedAt: answer.sentAt,
  expiresAt: answer.sentAt + token.expiresIn * 1000
})

export const withBearer = (session: OAuthSession, token: OAuthToken, answer: Answer): OAuthSession =>
  new OAuthSession({ ...session, ...bearer(token, answer) })
