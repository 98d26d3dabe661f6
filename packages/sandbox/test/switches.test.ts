import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import * as Switches from "@effect-ig/sandbox/Switches"
import {
  ask,
  asked,
  bearer,
  encodingFor,
  eventually,
  forms,
  login,
  pair,
  refresh,
  tokensIn,
  verdict
} from "./utils/raw.ts"
import { encrypted } from "./utils/encrypted.ts"

type Case = {
  readonly to: Partial<Switches.Switches>
  /** What a raw client sees, as text. */
  readonly look: Effect.Effect<unknown, unknown, Effect.Effect.Context<ReturnType<typeof login>>>
  readonly before: unknown
  readonly after: unknown
}

const loginV2 = Effect.map(login(2), verdict)

const refused = "401 error.security.invalid-details"
const dead = "401 error.security.oauth-token-invalid"

const bearerAfter = (millis: number) =>
  Effect.gen(function* () {
    const { headers } = yield* bearer()
    yield* TestClock.adjust(millis)
    return yield* asked({ headers })
  })

const refreshAfter = (millis: number) =>
  Effect.gen(function* () {
    const { refreshToken } = yield* bearer()
    yield* TestClock.adjust(millis)
    return verdict(yield* refresh(refreshToken))
  })

const secondRefreshAfter = (millis: number) =>
  Effect.gen(function* () {
    const { refreshToken } = yield* bearer()
    yield* refresh(refreshToken)
    yield* TestClock.adjust(millis)
    return verdict(yield* refresh(refreshToken))
  })

const pairAfter = (...hours: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const headers = yield* pair
    const seen: Array<string> = []
    for (const one of hours) {
      yield* TestClock.adjust(one * 3_600_000)
      seen.push(yield* asked({ headers }))
    }
    return seen.at(-1)
  })

const put = (accountId: string) =>
  Effect.gen(function* () {
    const headers = yield* pair
    return { headers, answer: yield* ask({ method: "PUT", headers, body: { accountId } }) }
  })

const key = asked({ path: "/session/encryptionKey" })

/** A fixed window begins with the minute. */
const nextMinute = Effect.flatMap(Clock.currentTimeMillis, (now) => TestClock.adjust(60_000 - (now % 60_000)))

const limitedTo = <A, E, R>(perKeyNonTrading: number, look: Effect.Effect<A, E, R>) =>
  Effect.zipRight(
    Effect.flatMap(Sandbox, ({ setSwitches }) => setSwitches({ perKeyNonTrading })),
    look
  )

/** Each switch by what it changes. That it names them all is a matter of types. */
const cases: Readonly<Record<keyof Switches.Switches, Case>> = {
  accessTtl: { to: { accessTtl: 5000 }, look: bearerAfter(5000), before: "200", after: dead },
  refreshTtl: { to: { refreshTtl: 1000 }, look: refreshAfter(61_000), before: "200", after: dead },
  refreshGrace: { to: { refreshGrace: 2000 }, look: secondRefreshAfter(1999), before: dead, after: "200" },
  refreshKillsBearer: {
    to: { refreshKillsBearer: true },
    look: Effect.gen(function* () {
      const { headers, refreshToken } = yield* bearer()
      yield* refresh(refreshToken)
      return yield* asked({ headers })
    }),
    before: "200",
    after: dead
  },
  cstIdle: {
    to: { cstIdle: 3_600_000 },
    look: pairAfter(1),
    before: "200",
    after: "401 error.security.client-token-invalid"
  },
  cstMax: {
    to: { cstMax: 7_200_000 },
    look: pairAfter(1, 1),
    before: "200",
    after: "401 error.security.client-token-invalid"
  },
  expiresInAsNumber: {
    to: { expiresInAsNumber: true },
    look: Effect.map(login(3), ({ text }) => /"expires_in":("?60"?)/.exec(text)?.[1]),
    before: '"60"',
    after: "60"
  },
  timeStampAsString: {
    to: { timeStampAsString: true },
    look: Effect.map(ask({ path: "/session/encryptionKey" }), ({ json }) => typeof json.get("timeStamp")),
    before: "number",
    after: "string"
  },
  sameAccountStatus: {
    to: { sameAccountStatus: 400 },
    look: Effect.map(put("SBX01"), ({ answer }) => answer.status),
    before: 412,
    after: 400
  },
  putUnderBearer: {
    to: { putUnderBearer: "works" },
    look: Effect.flatMap(bearer(), ({ headers }) => asked({ method: "PUT", headers, body: { accountId: "SBX02" } })),
    before: "401 error.security.client-token-missing",
    after: "200"
  },
  switchReissuesCst: {
    to: { switchReissuesCst: true },
    look: Effect.map(put("SBX02"), ({ answer, headers }) => {
      const { cst } = tokensIn(answer)
      return cst === "" ? "none" : cst === headers.cst ? "the same" : "new"
    }),
    before: "none",
    after: "new"
  },
  fetchUnderCst: {
    to: { fetchUnderCst: "renewed" },
    look: Effect.gen(function* () {
      const headers = yield* pair
      const { cst } = tokensIn(yield* ask({ path: "/session?fetchSessionTokens=true", headers }))
      return cst === headers.cst ? "the same" : "new"
    }),
    before: "the same",
    after: "new"
  },
  loginReusesCst: {
    to: { loginReusesCst: true },
    look: Effect.gen(function* () {
      const headers = yield* pair
      const { cst } = yield* pair
      return cst === headers.cst ? "the same" : "new"
    }),
    before: "new",
    after: "the same"
  },
  bearerWithoutAccount: {
    to: { bearerWithoutAccount: "refused" },
    look: Effect.flatMap(bearer(), ({ headers: { authorization } }) => asked({ headers: { authorization } })),
    before: "200",
    after: "401 error.security.account-token-missing"
  },
  bothFamilies: {
    to: { bothFamilies: "cst" },
    look: Effect.flatMap(bearer(), ({ headers }) => asked({ headers: { ...headers, cst: "of nobody" } })),
    before: "200",
    after: "401 error.security.client-token-invalid"
  },
  loginVersions: { to: { loginVersions: [3] }, look: loginV2, before: "200", after: "404 invalid.url" },
  encryptedV3: { to: { encryptedV3: true }, look: encrypted(3), before: refused, after: "200" },
  encryptionRequired: {
    to: { encryptionRequired: true },
    look: loginV2,
    before: "200",
    after: "400 error.public-api.failure.encryption.required"
  },
  encryptionKeyTtl: { to: { encryptionKeyTtl: 1000 }, look: encrypted(2, 1000), before: "200", after: refused },
  encryptionKeyBits: {
    to: { encryptionKeyBits: 1024 },
    look: Effect.map(ask({ path: "/session/encryptionKey" }), ({ json }) => String(json.get("encryptionKey")).length),
    before: 392,
    after: 216
  },
  failedLoginsBeforeLock: {
    to: { failedLoginsBeforeLock: 1 },
    look: Effect.zipRight(login(2, { password: "wrong" }), loginV2),
    before: "200",
    after: "401 error.security.too-many-failed-attempts"
  },
  agreementsPending: {
    to: { agreementsPending: true },
    look: loginV2,
    before: "200",
    after: "401 error.public-api.failure.pending.agreements.required"
  },
  kycRequired: {
    to: { kycRequired: true },
    look: loginV2,
    before: "200",
    after: "401 error.public-api.failure.kyc.required"
  },
  refusedUserAgent: {
    to: { refusedUserAgent: "robot" },
    look: Effect.map(login(2, {}, { "user-agent": "a robot of sorts" }), verdict),
    before: "200",
    after: "401 error.security.invalid-application"
  },
  doubledTokenHeaders: {
    to: { doubledTokenHeaders: true },
    look: Effect.map(login(2), (answer) => tokensIn(answer).cst.split(", ").length),
    before: 1,
    after: 2
  },
  deadTokensAtLogin: {
    to: { deadTokensAtLogin: true },
    look: Effect.flatMap(pair, (headers) => asked({ headers })),
    before: "200",
    after: "401 error.security.client-token-invalid"
  },
  gzip: {
    to: { gzip: "never" },
    look: Effect.map(encodingFor("gzip, deflate"), String),
    before: "gzip",
    after: "undefined"
  },
  requestId: {
    to: { requestId: false },
    look: Effect.map(ask({}), ({ headers }) => headers["x-request-id"] !== undefined),
    before: true,
    after: false
  },
  perKeyNonTrading: {
    to: { perKeyNonTrading: 1 },
    look: Effect.zipRight(key, key),
    before: "200",
    after: "403 error.public-api.exceeded-api-key-allowance"
  },
  perAccountNonTrading: {
    to: { perAccountNonTrading: 1 },
    look: Effect.flatMap(pair, (headers) => Effect.zipRight(asked({ headers }), asked({ headers }))),
    before: "200",
    after: "403 error.public-api.exceeded-account-allowance"
  },
  perAccountTrading: {
    to: { perAccountTrading: 0 },
    look: Effect.flatMap(pair, (headers) =>
      Effect.map(
        asked({ method: "POST", path: "/positions/otc", version: 2, headers, body: {} }),
        (seen) => seen === "403 error.public-api.exceeded-account-trading-allowance"
      )
    ),
    before: false,
    after: true
  },
  historicalPointsPerWeek: {
    to: { historicalPointsPerWeek: 7 },
    look: Effect.flatMap(pair, (headers) =>
      Effect.map(ask({ path: "/operations/application", headers }), ({ text }) =>
        text.includes('"allowanceAccountHistoricalData":7,')
      )
    ),
    before: false,
    after: true
  },
  windowShape: {
    to: { windowShape: "fixed" },
    look: limitedTo(
      2,
      Effect.zipRight(nextMinute, Effect.all([key, key, Effect.zipRight(TestClock.adjust("31 seconds"), key)]))
    ),
    before: ["200", "200", "200"],
    after: ["200", "200", "403 error.public-api.exceeded-api-key-allowance"]
  },
  countLogins: {
    to: { countLogins: false },
    look: limitedTo(1, Effect.zipRight(login(3), key)),
    before: "403 error.public-api.exceeded-api-key-allowance",
    after: "200"
  },
  countRefresh: {
    to: { countRefresh: false },
    look: Effect.flatMap(bearer(), ({ refreshToken }) => limitedTo(1, Effect.zipRight(refresh(refreshToken), key))),
    before: "403 error.public-api.exceeded-api-key-allowance",
    after: "200"
  },
  latency: {
    to: { latency: 1000 },
    look: Effect.gen(function* () {
      const sandbox = yield* Sandbox
      const caller = yield* Effect.fork(login(3))
      yield* eventually(Effect.map(sandbox.liveSessions, (live) => live > 0))
      if ((yield* sandbox.switches).latency === 0) {
        yield* Fiber.join(caller)
        return "at once"
      }
      yield* TestClock.adjust(999)
      const isEarly = caller.unsafePoll() !== null
      yield* TestClock.adjust(1)
      yield* Fiber.join(caller)
      return isEarly ? "early" : "in time"
    }),
    before: "at once",
    after: "in time"
  }
}

for (const [form, layer] of forms) {
  describe(`a raw client ${form} sees the switch`, () => {
    for (const [name, { after, before, look, to }] of Object.entries(cases)) {
      it.effect(name, () =>
        Effect.gen(function* () {
          expect(yield* Effect.provide(look, layer())).toEqual(before)
          expect(yield* Effect.provide(look, layer({ switches: to }))).toEqual(after)
          const turned = Effect.zipRight(
            Effect.flatMap(Sandbox, ({ setSwitches }) => setSwitches(to)),
            look
          )
          expect(yield* Effect.provide(turned, layer())).toEqual(after)
        })
      )
    }
  })
}

it("the table has every switch, each changed from its default", () => {
  expect(Object.keys(cases).toSorted()).toEqual(Object.keys(Switches.defaults).toSorted())
  for (const { to } of Object.values(cases)) expect({ ...Switches.defaults, ...to }).not.toEqual(Switches.defaults)
})
