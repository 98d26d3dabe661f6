/** A service composed as a pipeline: stays logged in by hand, and asks IG once a minute how the session is. */
import type { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** A bearer with less left than this is refreshed before it is used. */
const margin = 10_000

const refreshIfDue: Effect.Effect<void, IgError, Session.Ig> = Effect.gen(function* () {
  const session = yield* SessionState.get
  const now = yield* Clock.currentTimeMillis
  if (session._tag === "OAuthSession" && session.expiresAt - now < margin) yield* Session.refresh
})

/** One look at the session, with a bearer that is alive. */
export const look: Effect.Effect<Session.SessionDetails, IgError, Session.Ig> = Effect.zipRight(
  refreshIfDue,
  Session.read()
)

/** Logs in, looks once a minute for so many minutes, and logs out whatever happens. */
export const watch = (
  minutes: number,
  onLook: (details: Session.SessionDetails) => Effect.Effect<void>
): Effect.Effect<void, IgError, Session.Ig | Credentials> =>
  Session.scoped(Session.login).pipe(
    Effect.zipRight(look.pipe(Effect.flatMap(onLook), Effect.delay("1 minute"), Effect.repeatN(minutes - 1))),
    Effect.scoped
  )
