import * as SessionState from "@effect-ig/core/SessionState"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"

/** Lets everything that can run, run: fibers, and the sockets behind them. */
const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))

/** Waits for what other fibers and sockets bring about, without time passing; gives up loudly. */
export const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> => {
  const look = (left: number): Effect.Effect<void, E, R> =>
    Effect.flatMap(condition, (holds) => {
      if (holds) return Effect.void
      return left === 0 ? Effect.die("what was waited for did not come") : Effect.zipRight(turn, look(left - 1))
    })
  return look(20_000)
}

/** The session by the labels of its tokens, as the sandbox issued them; a token of nobody's is `?`. */
export const held = Effect.gen(function* () {
  const issued = yield* (yield* Sandbox).issued
  const session = yield* SessionState.get
  const label = (token: Redacted.Redacted): string => {
    const found = issued.find(({ value }) => value === Redacted.value(token))
    return found === undefined ? "?" : `${found.label}${found.isAlive ? "" : " (dead)"}`
  }
  switch (session._tag) {
    case "SignedOut":
      return "signed out"
    case "TokenSession":
      return `${session.accountId} ${label(session.cst)} ${label(session.securityToken)}`
    case "OAuthSession": {
      const streaming = Option.match(session.streamingTokens, {
        onNone: () => "",
        onSome: ({ cst, securityToken }) => ` + ${label(cst)} ${label(securityToken)}`
      })
      return `${session.accountId} ${label(session.accessToken)} ${label(session.refreshToken)}${streaming}`
    }
  }
})

/** `POST /session 3 200`, of each request since the `seen`th. */
export const requests = (seen = 0) =>
  Effect.map(
    Effect.flatMap(Sandbox, ({ record }) => record),
    (record) =>
      record.slice(seen).map(({ method, path, status, version }) => `${method} ${path} ${version ?? ""} ${status}`)
  )

export const count = Effect.map(requests(), ({ length }) => length)

/** How many sessions IG has. */
export const liveSessions = Effect.flatMap(Sandbox, ({ liveSessions }) => liveSessions)

export const logouts = Effect.map(requests(), (all) => all.filter((request) => request.startsWith("DELETE")).length)
