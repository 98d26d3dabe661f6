/** Deliberately broken variants of core, each by one change of one line: what a search that is worth its time must find. */
import type { Plugin } from "esbuild"
import { readFile } from "node:fs/promises"
import { join } from "node:path"

export interface Variant {
  /** What is wrong with it. */
  readonly name: string
  /** Which invariant has to notice. */
  readonly breaks: string
  /** The first of the programs that did, and is looked at before the others. */
  readonly noticedBy: number
  /** Below `packages/core/src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export const variants: ReadonlyArray<Variant> = [
  {
    name: "a renewal that fails tells nobody",
    breaks: "everyCallerEndsInTime",
    noticedBy: 2,
    file: "internal/exchanges.ts",
    from: "onEnd(exit)\n        Deferred.unsafeDone(answer, exit)",
    to: "onEnd(exit)\n        if (Exit.isSuccess(exit)) Deferred.unsafeDone(answer, exit)"
  },
  {
    name: "reads are repeated slowly",
    breaks: "everyCallerEndsInTime",
    noticedBy: 0,
    file: "ReadRetry.ts",
    from: `Schedule.exponential("200 millis")`,
    to: `Schedule.exponential("2 seconds")`
  },
  {
    name: "a renewal takes its time before it begins",
    breaks: "everyCallerEndsInTime",
    noticedBy: 2,
    file: "internal/ladder.ts",
    from: "const causes: Array<IgError> = []",
    to: "const causes: Array<IgError> = []\n    yield* Effect.sleep(10_000)"
  },
  {
    name: "a switch keeps the X-SECURITY-TOKEN that IG has killed",
    breaks: "stateIsWhatIgIssued",
    noticedBy: 14,
    file: "internal/account.ts",
    from: "securityToken: Option.getOrElse(given.securityToken, () => session.securityToken)",
    to: "securityToken: session.securityToken"
  },
  {
    name: "a refresh keeps the refresh token that it has spent",
    breaks: "stateIsWhatIgIssued",
    noticedBy: 0,
    file: "internal/tokens.ts",
    from: "new OAuthSession({ ...session, ...bearer(token, answer) })",
    to: "new OAuthSession({ ...session, ...bearer(token, answer), refreshToken: session.refreshToken })"
  },
  {
    name: "exchanges do not wait for each other",
    breaks: "oneRenewalAtATime",
    noticedBy: 2,
    file: "internal/exchanges.ts",
    from: `const before = underWay?.ended ?? (order === "urgent" ? undefined : urgency?.over)`,
    to: `const before = order === "urgent" ? undefined : urgency?.over`
  },
  {
    name: "a refresh whose answer was lost is sent again",
    breaks: "noRefreshTokenTwice",
    noticedBy: 13,
    file: "internal/tokens.ts",
    from: "spent !== undefined && spent === refreshTokenOf(session)",
    to: "false"
  },
  {
    name: "refused credentials are forgotten",
    breaks: "refusedCredentialsOnce",
    noticedBy: 48,
    file: "internal/logins.ts",
    from: "isRefused: (values) => refused === fingerprint(values)",
    to: "isRefused: () => false"
  },
  {
    name: "withAccount forgets the account under a bearer",
    breaks: "oneFamilyAndTheRightAccount",
    noticedBy: 1,
    file: "internal/call.ts",
    from: "return Effect.succeed({ ...request, tokens: carry(session, accountId) })",
    to: "return Effect.succeed({ ...request, tokens: carry(session) })"
  },
  {
    name: "calls without withAccount act on another account",
    breaks: "oneFamilyAndTheRightAccount",
    noticedBy: 0,
    file: "internal/call.ts",
    from: "return Effect.succeed({ ...request, tokens: carry(session, accountId) })",
    to: `return Effect.succeed({ ...request, tokens: carry(session, accountId ?? "SBX03") })`
  },
  {
    name: "a bearer goes along with the CST that was fetched under it",
    breaks: "oneFamilyAndTheRightAccount",
    noticedBy: 12,
    file: "internal/tokens.ts",
    from: `"ig-account-id": accountId`,
    to: `"ig-account-id": accountId, ...(session.streamingTokens.value && { cst: Redacted.value(session.streamingTokens.value.cst) })`
  },
  {
    name: "a call is sent twice after a renewal",
    breaks: "noReadTwiceOrLost",
    noticedBy: 21,
    file: "internal/call.ts",
    from: `Effect.zipRight(countResend("renewed"), again(left)))`,
    to: `Effect.zipRight(again(left), again(left)))`
  },
  {
    name: "a read that failed is answered out of nothing",
    breaks: "noReadTwiceOrLost",
    noticedBy: 0,
    file: "internal/call.ts",
    from: "onNone: () => Effect.fail(error),\n        onSome: (policy) =>\n          Effect.retry(",
    to: "onNone: () => Effect.fail(error),\n        onSome: (policy) => endpoint.name === 'positions.list' ? Effect.succeed({ positions: [] }) :\n          Effect.retry("
  },
  {
    name: "a login does not wait for a refresh",
    breaks: "oneRenewalAtATime",
    noticedBy: 2,
    file: "internal/exchanges.ts",
    from: `const before = underWay?.ended ?? (order === "urgent" ? undefined : urgency?.over)`,
    to: `const before = operation.startsWith("session.login") ? undefined : (underWay?.ended ?? urgency?.over)`
  },
  {
    name: "mutations are repeated like reads",
    breaks: "noOrderTwice",
    noticedBy: 3,
    file: "internal/call.ts",
    from: `if (endpoint.effect === "mutation") return self`,
    to: `if (endpoint.name === "") return self`
  },
  {
    name: "a login that IG did not answer is taken for refused credentials",
    breaks: "healsOnceFaultsStop",
    noticedBy: 13,
    file: "internal/logins.ts",
    from: `case "unknown":\n          failures += 1`,
    to: `case "unknown":\n          refused = values && fingerprint(values)\n          failures += 1`
  },
  {
    name: "a place that comes back wakes nobody",
    breaks: "everyCallerEndsInTime",
    noticedBy: 8,
    file: "internal/throttleLine.ts",
    from: "else alarm.set(again, now)",
    to: "else alarm.clear()"
  },
  {
    name: "a request that is under way takes no place",
    breaks: "noAllowanceOverrun",
    noticedBy: 8,
    file: "internal/throttleLane.ts",
    from: "return limit - sent - returning.size()",
    to: "return limit - returning.size()"
  },
  {
    name: "what IG had no allowance for fails",
    breaks: "refusedWaits",
    noticedBy: 9,
    file: "internal/allowances.ts",
    from: `return allowance !== undefined && allowance !== "account-historical-data"`,
    to: "return false"
  },
  {
    name: "a lane that was refused is open at once",
    breaks: "refusedLaneIsShut",
    noticedBy: 58,
    file: "internal/throttleLane.ts",
    from: "closedUntil = seen + window",
    to: "closedUntil = seen"
  },
  {
    name: "the lane of an account's reads that was refused is open at once",
    breaks: "refusedLaneIsShut",
    noticedBy: 112,
    file: "internal/throttleLane.ts",
    from: "closedUntil = seen + window",
    to: `closedUntil = seen + (allowance === "account" ? 0 : window)`
  },
  {
    name: "the lane of an account's trades that was refused is open at once",
    breaks: "refusedLaneIsShut",
    noticedBy: 112,
    file: "internal/throttleLane.ts",
    from: "closedUntil = seen + window",
    to: `closedUntil = seen + (allowance === "account-trading" ? 0 : window)`
  },
  {
    name: "what is stored is believed without a question",
    breaks: "resumedIsProved",
    noticedBy: 6,
    file: "internal/resume.ts",
    from: "return yield* Effect.catchAll(asked(session), (error)",
    to: "return yield* Effect.catchAll(Effect.succeed(session), (error)"
  },
  {
    name: "a refresh that was sent in vain is not stored",
    breaks: "noRefreshTokenTwice",
    noticedBy: 97,
    file: "internal/ladder.ts",
    from: "if (!wasNotExecuted(error)) keeping.keeper?.changed()",
    to: ""
  },
  {
    name: "closing does not wait for the store",
    breaks: "whatIsLeftIsStored",
    noticedBy: 5,
    file: "internal/resume.ts",
    from: "Effect.zipRight(settled(keeper))",
    to: "Effect.zipRight(Effect.void)"
  },
  {
    name: "closing does not wait for what is under way",
    breaks: "nothingIsLeft",
    noticedBy: 6,
    file: "internal/exchanges.ts",
    from: "fibers.size === 0 ? Effect.void :",
    to: "fibers.size >= 0 ? Effect.void :"
  },
  {
    name: "the timer of a request goes on when it was answered",
    breaks: "nothingIsLeft",
    noticedBy: 0,
    file: "internal/deadlines.ts",
    from: "if (ahead.size === 0) alarm.clear()",
    to: "remove(mine)"
  },
  {
    name: "the sessions of other accounts are not logged out",
    breaks: "nothingIsLeft",
    noticedBy: 2,
    file: "internal/slot.ts",
    from: "return Effect.zipRight(end, exchanges.close)",
    to: "return exchanges.close"
  }
]

const core = join(import.meta.dirname, "../packages/core/src")

/** A program becomes what it is where core is the variant of that number. */
export const within = (current: () => number): Plugin => ({
  name: "variant",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/core\/src\/.+\.ts$/ }, async (loaded) => {
      const variant = variants[current()]
      if (variant === undefined || loaded.path !== join(core, variant.file)) return undefined
      const { file, from, to } = variant
      const text = await readFile(loaded.path, "utf8")
      if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly one:\n${from}`)
      return { contents: text.replace(from, () => to), loader: "ts" }
    })
  }
})
