import { Credentials } from "@effect-ig/core/Credentials"
import type { IgError } from "@effect-ig/core/IgError"
import * as Session from "@effect-ig/core/Session"
import { Fault } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Switches from "@effect-ig/sandbox/Switches"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { describe } from "vitest"
import { isHurried } from "./utils/effort.ts"
import { inMemory } from "./utils/ig.ts"
import { held } from "./utils/state.ts"

type Operation = Effect.Effect<unknown, IgError, Session.Ig | Credentials>

/** What an operation came to: the answer, or what is known of the failure. */
const outcome = (operation: Operation) =>
  Effect.match(operation, {
    onSuccess: () => "done",
    onFailure: (error) => {
      switch (error._tag) {
        case "ApiError":
          return `ApiError ${error.status} ${error.errorCode ?? "-"} ${error.action}`
        case "TransportError":
          return `TransportError ${error.reason} ${error.mayHaveExecuted}`
        case "AuthError":
        case "NotSentError":
          return `${error._tag} ${error.reason}`
        case "DecodeError":
          return `DecodeError ${error.paths.join(",")}`
      }
    }
  })

/** Under the test clock, with all the time that anything may take. */
const patiently = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    yield* TestClock.adjust("2 minutes")
    return yield* Fiber.join(fiber)
  })

interface Meeting {
  readonly fault: Fault
  /** A read, a switch under CST, a refresh, a login on top of a session: what each comes to. */
  readonly read: string
  readonly switched: string
  readonly refreshed: string
  readonly login: string
  /** What the switch, the refresh and the login leave; that of before unless said otherwise. */
  readonly after?: readonly [switched: string, refreshed: string, login: string]
}

const cst = "SBX01 cst-1 xst-1"
const bearer = "SBX01 access-1 refresh-1"
const lost = [`${cst} (dead)`, `SBX01 access-1 refresh-1 (dead)`, cst] as const

const same = (outcome: string) => ({ read: outcome, switched: outcome, refreshed: outcome, login: outcome })
const done: readonly [string, string, string] = ["SBX02 cst-1 xst-2", "SBX01 access-2 refresh-2", bearer]

const meetings: ReadonlyArray<Meeting> = [
  { fault: { kind: "slow", millis: 20_000 }, ...same("done"), after: done },
  { fault: { kind: "slow", millis: 40_000 }, ...same("TransportError timeout true"), after: lost },
  { fault: { kind: "never" }, ...same("TransportError timeout true"), after: lost },
  { fault: { kind: "never", workDone: false }, ...same("TransportError timeout true") },
  { fault: { kind: "cutHeaders" }, ...same("TransportError connection-lost true"), after: lost },
  { fault: { kind: "cutHeaders", workDone: false }, ...same("TransportError connection-lost true") },
  { fault: { kind: "cutBody" }, ...same("TransportError body-cut true"), after: lost },
  { fault: { kind: "nonJson403" }, ...same("ApiError 403 - human") },
  { fault: { kind: "empty405" }, ...same("ApiError 405 - fix") },
  {
    fault: { kind: "answer", status: 500, errorCode: "system.error" },
    ...same("ApiError 500 system.error query"),
    read: "ApiError 500 system.error retry"
  },
  {
    fault: { kind: "answer", status: 503, workDone: true },
    ...same("ApiError 503 - query"),
    read: "ApiError 503 - retry",
    after: lost
  },
  {
    fault: { kind: "answer", status: 200, text: "<html>maintenance</html>" },
    read: "DecodeError body",
    switched: "DecodeError headers.x-security-token,body",
    refreshed: "DecodeError body",
    login: "DecodeError body"
  },
  {
    fault: { kind: "answer", status: 302, headers: { location: "https://elsewhere.invalid/" } },
    ...same("ApiError 302 - fix")
  },
  ...(["api-key", "account", "account-trading", "account-historical-data"] as const).map((allowance) => ({
    fault: { kind: "allowance", allowance } as const,
    ...same(`ApiError 403 error.public-api.exceeded-${allowance}-allowance wait`)
  })),
  { fault: { kind: "hold", point: "before" }, ...same("TransportError timeout true") },
  { fault: { kind: "hold", point: "after" }, ...same("TransportError timeout true"), after: lost },
  { fault: { kind: "hold", point: "body" }, ...same("TransportError timeout true"), after: lost },
  { fault: { kind: "doubledTokenHeader" }, ...same("done"), after: done },
  { fault: { kind: "extraHeaders", headers: { "x-new": "1" } }, ...same("done"), after: done },
  {
    fault: { kind: "deadTokensAtLogin", method: "POST", path: "/session" },
    ...same("done"),
    after: ["SBX02 cst-1 xst-2", "SBX01 access-2 refresh-2", "SBX01 access-1 refresh-1 (dead)"]
  },
  {
    fault: { kind: "failedLogin" },
    ...same("ApiError 401 service.security.authentication.failure-invalid-client-security-token retry")
  }
]

const met = (fault: Fault, before: Operation, operation: Operation) =>
  Effect.gen(function* () {
    yield* before
    yield* (yield* Sandbox).inject(fault)
    const came = yield* patiently(outcome(operation))
    // A bearer dies in the time that is given; what became of the other tokens is the question.
    return [came, (yield* held).replace(/(access-\d) \(dead\)/, "$1")] as const
  }).pipe(Effect.provide(inMemory()))

describe("a session that meets a fault says what happened, and keeps what is true", () => {
  for (const { after = [cst, bearer, cst], fault, login, read, refreshed, switched } of meetings) {
    it.effect(JSON.stringify(fault), () =>
      Effect.gen(function* () {
        expect(yield* met(fault, Session.loginV2, Session.read())).toEqual([read, cst])
        expect(yield* met(fault, Session.loginV2, Session.switchAccount("SBX02"))).toEqual([switched, after[0]])
        expect(yield* met(fault, Session.login, Session.refresh)).toEqual([refreshed, after[1]])
        expect(yield* met(fault, Session.loginV2, Session.login)).toEqual([login, after[2]])
      })
    )
  }
})

it("every kind of fault is met", () => {
  const kinds = Fault.members.map(({ fields }) => fields.kind.literals[0])
  const met = new Set<string>(meetings.map(({ fault }) => fault.kind))
  expect(kinds.filter((kind) => !met.has(kind))).toEqual([])
})

interface Case {
  readonly patch: Partial<Switches.Switches>
  readonly steps: ReadonlyArray<Operation>
  readonly outcomes: ReadonlyArray<string>
  readonly after: string
}

const wrongPassword: Operation = Effect.provideService(
  Session.login,
  Credentials,
  Effect.succeed({ identifier: "sandbox", password: Redacted.make("not the password") })
)

const later = (duration: "2 minutes" | "61 seconds" | "7 hours") => Effect.asVoid(TestClock.adjust(duration))
const dead = "ApiError 401 error.security.oauth-token-invalid renew"
const refusedLogin = (code: string, action: string, status = 401) => `ApiError ${status} ${code} ${action}`

const cases: ReadonlyArray<Case> = [
  {
    patch: { accessTtl: 1000 },
    steps: [Session.login, later("61 seconds"), Session.read(), Session.refresh, Session.read()],
    outcomes: ["done", "done", dead, "done", "done"],
    after: "SBX01 access-2 refresh-2"
  },
  {
    patch: { refreshTtl: 0 },
    steps: [Session.login, later("2 minutes"), Session.refresh],
    outcomes: ["done", "done", dead],
    after: "SBX01 access-1 (dead) refresh-1 (dead)"
  },
  {
    patch: { refreshGrace: 10_000 },
    steps: [Session.login, Session.refresh, Session.refresh],
    outcomes: ["done", "done", "done"],
    after: "SBX01 access-3 refresh-3"
  },
  {
    patch: { refreshKillsBearer: true },
    steps: [Session.login, Session.refresh, Session.read()],
    outcomes: ["done", "done", "done"],
    after: "SBX01 access-2 refresh-2"
  },
  {
    patch: { cstIdle: 60_000 },
    steps: [Session.loginV2, later("61 seconds"), Session.read()],
    outcomes: ["done", "done", "ApiError 401 error.security.client-token-invalid renew"],
    after: "SBX01 cst-1 (dead) xst-1 (dead)"
  },
  {
    patch: { cstMax: 60_000 },
    steps: [Session.loginV2, later("61 seconds"), Session.logout],
    outcomes: ["done", "done", "done"],
    after: "signed out"
  },
  {
    patch: { expiresInAsNumber: true },
    steps: [Session.login, Session.refresh],
    outcomes: ["done", "done"],
    after: "SBX01 access-2 refresh-2"
  },
  { patch: { timeStampAsString: true }, steps: [Session.encryptionKey], outcomes: ["done"], after: "signed out" },
  {
    patch: { encryptionKeyBits: isHurried ? 1024 : 4096 },
    steps: [Session.encryptionKey],
    outcomes: ["done"],
    after: "signed out"
  },
  { patch: { encryptionKeyTtl: 0 }, steps: [Session.encryptionKey], outcomes: ["done"], after: "signed out" },
  {
    patch: { encryptedV3: true },
    steps: [Session.login],
    outcomes: ["done"],
    after: bearer
  },
  {
    patch: { sameAccountStatus: 400 },
    steps: [Session.loginV2, Session.switchAccount("SBX01")],
    outcomes: ["done", "done"],
    after: cst
  },
  {
    patch: { putUnderBearer: "works" },
    steps: [Session.login, Session.switchAccount("SBX02"), Session.switchAccount("SBX02"), Session.read()],
    outcomes: ["done", "done", "done", "done"],
    after: "SBX02 access-1 refresh-1"
  },
  {
    patch: { switchReissuesCst: true },
    steps: [Session.loginV2, Session.switchAccount("SBX02"), Session.read()],
    outcomes: ["done", "done", "done"],
    after: "SBX02 cst-2 xst-2"
  },
  {
    patch: { fetchUnderCst: "renewed" },
    steps: [Session.loginV2, Session.read({ fetchTokens: true }), Session.read()],
    outcomes: ["done", "done", "done"],
    after: "SBX01 cst-2 xst-2"
  },
  {
    patch: { loginReusesCst: true },
    steps: [Session.loginV2, Session.loginV2, Session.switchAccount("SBX02"), Session.read()],
    outcomes: ["done", "done", "done", "done"],
    after: "SBX02 cst-1 xst-2"
  },
  {
    patch: { bearerWithoutAccount: "refused" },
    steps: [Session.login, Session.read()],
    outcomes: ["done", "done"],
    after: bearer
  },
  {
    patch: { bothFamilies: "cst" },
    steps: [Session.login, Session.read({ fetchTokens: true }), Session.read()],
    outcomes: ["done", "done", "done"],
    after: `${bearer} + cst-1 xst-1`
  },
  {
    patch: { loginVersions: [3] },
    steps: [Session.login, Session.loginV2],
    outcomes: ["done", refusedLogin("invalid.url", "fix", 404)],
    after: bearer
  },
  {
    patch: { encryptionRequired: true },
    steps: [Session.login],
    outcomes: [refusedLogin("error.public-api.failure.encryption.required", "fix", 400)],
    after: "signed out"
  },
  {
    patch: { failedLoginsBeforeLock: 1 },
    steps: [Session.login, wrongPassword, Session.loginV2],
    outcomes: [
      "done",
      refusedLogin("error.security.invalid-details", "fix"),
      refusedLogin("error.security.too-many-failed-attempts", "human")
    ],
    after: bearer
  },
  {
    patch: { agreementsPending: true },
    steps: [Session.login],
    outcomes: [refusedLogin("error.public-api.failure.pending.agreements.required", "human")],
    after: "signed out"
  },
  {
    patch: { kycRequired: true },
    steps: [Session.loginV2],
    outcomes: [refusedLogin("error.public-api.failure.kyc.required", "human")],
    after: "signed out"
  },
  {
    patch: { refusedUserAgent: "effect-ig" },
    steps: [Session.login],
    outcomes: [refusedLogin("error.security.invalid-application", "fix")],
    after: "signed out"
  },
  {
    patch: { doubledTokenHeaders: true },
    steps: [Session.loginV2, Session.switchAccount("SBX02"), Session.read()],
    outcomes: ["done", "done", "done"],
    after: "SBX02 cst-1 xst-2"
  },
  {
    patch: { deadTokensAtLogin: true },
    steps: [Session.login, Session.read()],
    outcomes: ["done", dead],
    after: "SBX01 access-1 (dead) refresh-1 (dead)"
  },
  { patch: { gzip: "never" }, steps: [Session.login, Session.read()], outcomes: ["done", "done"], after: bearer },
  { patch: { requestId: false }, steps: [Session.login, Session.read()], outcomes: ["done", "done"], after: bearer },
  {
    patch: { perKeyNonTrading: 1 },
    steps: [Session.login, Session.read(), later("61 seconds"), Session.refresh],
    outcomes: ["done", "ApiError 403 error.public-api.exceeded-api-key-allowance wait", "done", "done"],
    after: "SBX01 access-2 refresh-2"
  },
  {
    patch: { perAccountNonTrading: 1, windowShape: "fixed" },
    steps: [Session.login, Session.read(), Session.read()],
    outcomes: ["done", "done", "ApiError 403 error.public-api.exceeded-account-allowance wait"],
    after: bearer
  },
  {
    patch: { perKeyNonTrading: 1, windowShape: "sliding", countLogins: false },
    steps: [Session.login, Session.login, Session.read(), Session.read()],
    outcomes: ["done", "done", "done", "ApiError 403 error.public-api.exceeded-api-key-allowance wait"],
    after: "SBX01 access-2 refresh-2"
  },
  {
    patch: { perKeyNonTrading: 1, countRefresh: false },
    steps: [Session.login, Session.refresh, Session.refresh],
    outcomes: ["done", "done", "done"],
    after: "SBX01 access-3 refresh-3"
  },
  {
    patch: { perAccountTrading: 0, historicalPointsPerWeek: 0 },
    steps: [Session.login, Session.read()],
    outcomes: ["done", "done"],
    after: bearer
  }
]

describe("a session copes with each way in which IG may differ", () => {
  for (const { after, outcomes, patch, steps } of cases) {
    it.effect(JSON.stringify(patch), () =>
      Effect.gen(function* () {
        expect(yield* Effect.forEach(steps, outcome)).toEqual(outcomes)
        expect(yield* held).toBe(after)
      }).pipe(Effect.provide(inMemory({}, { switches: patch })))
    )
  }

  it.effect("with a latency", () =>
    Effect.gen(function* () {
      expect(yield* patiently(outcome(Session.login))).toBe("done")
      expect(yield* held).toContain("access-1")
    }).pipe(Effect.provide(inMemory({}, { switches: { latency: 5000 } })))
  )

  it.live("with answers that are always gzipped", () =>
    Effect.gen(function* () {
      expect(yield* outcome(Session.login)).toBe("done")
      expect(yield* held).toBe(bearer)
    }).pipe(Effect.provide(inMemory({}, { switches: { gzip: "always" } })))
  )

  it("and there is no other", () => {
    const met = new Set([...cases.flatMap(({ patch }) => Object.keys(patch)), "latency"])
    expect(Object.keys(Switches.defaults).filter((name) => !met.has(name))).toEqual([])
  })
})
