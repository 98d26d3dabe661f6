/** Moving a session to another account, which the two families do differently: `session.md` §5. */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { IgConfig } from "../IgConfig.ts"
import { AuthError, DecodeError } from "../IgError.ts"
import { OAuthSession, type SignedIn, TokenSession } from "../SessionState.ts"
import { isTokenCode } from "./codes.ts"
import * as Endpoint from "./endpoints.ts"
import { type Answer, decode, send, type SendError } from "./send.ts"
import { carry, givenTokens } from "./tokens.ts"
import type * as Wire from "./wire.ts"

/**
 * What a switch came to: `Switched` by IG; `AlreadyActive`, since the session was on that account or IG says that it is;
 * or `SwitchedByHeader`, where IG refuses to switch under a bearer: the account is chosen by the `IG-ACCOUNT-ID` header of
 * each request.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountSwitch = Data.TaggedEnum<{
  Switched: { readonly accountId: string } & typeof Wire.AccountSwitch.Type
  AlreadyActive: { readonly accountId: string }
  SwitchedByHeader: { readonly accountId: string }
}>

export const AccountSwitch = Data.taggedEnum<AccountSwitch>()

export interface Moved<S extends SignedIn> {
  readonly session: S
  readonly how: AccountSwitch
}

export interface Target {
  readonly accountId: string
  readonly defaultAccount: boolean
  /** IG is known to refuse `PUT /session` under a bearer. */
  readonly byHeader?: boolean | undefined
}

type MoveError = SendError | AuthError | DecodeError
type Move<S extends SignedIn> = Effect.Effect<Moved<S>, MoveError, IgConfig | HttpClient.HttpClient>

const operation = Endpoint.switchAccount.name

const put = (session: SignedIn, target: Target): Effect.Effect<Answer, SendError, IgConfig | HttpClient.HttpClient> =>
  send(Endpoint.switchAccount, {
    body: { accountId: target.accountId, defaultAccount: target.defaultAccount },
    tokens: carry(session)
  })

/** Documented as 400, seen as 412; the tokens stay as they are. */
const isAlreadyActive = (error: MoveError): boolean =>
  error._tag === "ApiError" && error.errorCode === "error.switch.accountId-must-be-different"

const alreadyOn = <S extends SignedIn>(session: S): Moved<S> => ({
  session,
  how: AccountSwitch.AlreadyActive({ accountId: session.accountId })
})

/**
 * The new tokens are what counts: IG has killed the old ones already, so a body that does not decode must not cost the
 * session. An answer with neither is none of IG's.
 */
const moveTokens = (session: TokenSession, target: Target): Move<TokenSession> =>
  Effect.gen(function* () {
    const answer = yield* put(session, target)
    const given = yield* givenTokens(operation, answer)
    const body = yield* Effect.option(decode(Endpoint.switchAccount, answer))
    if (Option.isNone(given.securityToken) && Option.isNone(body)) {
      return yield* new DecodeError({ operation, paths: ["headers.x-security-token", "body"] })
    }
    return {
      session: new TokenSession({
        ...session,
        accountId: target.accountId,
        cst: Option.getOrElse(given.cst, () => session.cst),
        securityToken: Option.getOrElse(given.securityToken, () => session.securityToken)
      }),
      how: AccountSwitch.Switched({ accountId: target.accountId, ...Option.getOrElse(body, () => ({})) })
    }
  })

const onAccount = (session: OAuthSession, accountId: string): OAuthSession =>
  new OAuthSession({ ...session, accountId, streamingTokens: Option.none() })

const moveBearer = (session: OAuthSession, target: Target): Move<OAuthSession> =>
  Effect.gen(function* () {
    const answer = yield* put(session, target)
    const body = yield* decode(Endpoint.switchAccount, answer)
    return {
      session: onAccount(session, target.accountId),
      how: AccountSwitch.Switched({ accountId: target.accountId, ...body })
    }
  })

/** The header alone names the account; IG's answer under it proves that the account is ours. */
const moveHeader = (session: OAuthSession, { accountId }: Target): Move<OAuthSession> =>
  Effect.gen(function* () {
    const moved = new OAuthSession({ ...onAccount(session, accountId), switchesByHeader: true })
    const details = yield* decode(Endpoint.read, yield* send(Endpoint.read, { tokens: carry(moved) }))
    if (details.accountId !== accountId) return yield* new AuthError({ operation, reason: "wrong-account" })
    return { session: moved, how: AccountSwitch.SwitchedByHeader({ accountId }) }
  })

const refusesBearer = (error: MoveError): boolean => error._tag === "ApiError" && isTokenCode(error.errorCode)

export const moveTokenSession = (session: TokenSession, target: Target): Move<TokenSession> =>
  Effect.catchIf(moveTokens(session, target), isAlreadyActive, () =>
    Effect.succeed(alreadyOn(new TokenSession({ ...session, accountId: target.accountId })))
  )

export const moveOAuthSession = (session: OAuthSession, target: Target): Move<OAuthSession> => {
  const isThere = session.accountId === target.accountId
  if ((session.switchesByHeader || target.byHeader === true) && !target.defaultAccount) {
    return isThere
      ? Effect.succeed(alreadyOn(new OAuthSession({ ...session, switchesByHeader: true })))
      : moveHeader(session, target)
  }
  return moveBearer(session, target).pipe(
    Effect.catchIf(
      (error) => refusesBearer(error) && !target.defaultAccount,
      () => moveHeader(session, target)
    ),
    Effect.catchIf(isAlreadyActive, () =>
      Effect.succeed(alreadyOn(isThere ? session : onAccount(session, target.accountId)))
    )
  )
}

/** The session on the other account; the one it came from is as it was if that fails. */
export const moveTo = (session: SignedIn, target: Target): Move<SignedIn> => {
  switch (session._tag) {
    case "TokenSession":
      return moveTokenSession(session, target)
    case "OAuthSession":
      return moveOAuthSession(session, target)
  }
}
