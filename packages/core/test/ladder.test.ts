/** Dead tokens, and what a call does about them: each request, what the caller gets, and the session afterwards. */
import { Credentials } from "@effect-ig/core/Credentials"
import { withAccount } from "@effect-ig/core/CurrentAccount"
import * as Endpoint from "@effect-ig/core/Endpoint"
import { AuthError, type IgError } from "@effect-ig/core/IgError"
import { PasswordCipher } from "@effect-ig/core/PasswordCipher"
import * as Session from "@effect-ig/core/Session"
import * as SessionState from "@effect-ig/core/SessionState"
import * as Throttle from "@effect-ig/core/Throttle"
import { type RecordedRequest, Sandbox } from "@effect-ig/sandbox/Sandbox"
import type { Switches } from "@effect-ig/sandbox/Switches"
import { expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { describe, inject } from "vitest"
import {
  type Change,
  type Cipher,
  type Login,
  type Moment,
  type Row,
  rows,
  stories,
  type Story,
  type Switched
} from "./ladder.table.ts"
import { keptInMemory } from "./utils/ig.ts"
import { seal } from "./utils/seal.ts"
import { remember } from "./utils/secrets.ts"
import { held } from "./utils/state.ts"

/* ---- who logs in, and with what ---------------------------------------------- */

/** How the user's own parts behave at the moment. */
interface User {
  cipher: Cipher
  credentials: NonNullable<Change["credentials"]>
}

const wrongPassword = `wrong-${inject("planted").password}`
remember(wrongPassword)

const cipherOf = (user: User): PasswordCipher.Service => ({
  encrypt: (input) =>
    Effect.suspend(() => {
      if (user.cipher === "hangs") return Effect.never
      return user.cipher === "fails"
        ? new AuthError({ operation: "cipher", reason: "encryption-failed", detail: "It does not work." })
        : Effect.succeed(seal(input))
    })
})

const credentialsOf = (user: User, right: Context.Tag.Service<Credentials>): Context.Tag.Service<Credentials> =>
  Effect.flatMap(right, (values) => {
    switch (user.credentials) {
      case "right":
        return Effect.succeed(values)
      case "wrong":
        return Effect.succeed({ ...values, password: Redacted.make(wrongPassword) })
      case "unavailable":
        return Effect.fail(new AuthError({ operation: "keyring", reason: "credentials-unavailable" }))
      case "never given":
        return Effect.never
    }
  })

const logIn = (login: Login): Effect.Effect<unknown, IgError, Session.Ig | Credentials | PasswordCipher> => {
  switch (login) {
    case "login":
      return Session.login
    case "loginV2":
      return Session.loginV2
    case "loginWithEncryption":
      return Session.loginWithEncryption
    case "loginV2WithEncryption":
      return Session.loginV2WithEncryption
  }
}

const isEncrypted = (login: Login): boolean => login.endsWith("WithEncryption")

/* ---- what was sent, and what came of it ----------------------------------------- */

/** All that a body may hold; anything else fails. */
const Body = Schema.Struct({
  identifier: Schema.optional(Schema.Literal("sandbox")),
  password: Schema.optional(Schema.String),
  encryptedPassword: Schema.optional(Schema.Literal(true)),
  refresh_token: Schema.optional(Schema.String),
  accountId: Schema.optional(Schema.String),
  defaultAccount: Schema.optional(Schema.Literal(false))
})

const bodyOf = Schema.decodeUnknownSync(Body, { onExcessProperty: "error" })

/** Whose they are is known; their hashes are others in each run. */
const unhashed = (text: string): string => text.replace(/unknown:[0-9a-f]{8}/, "unknown")

const later = (millis: number): string => (millis === 0 ? "" : `+${millis / 1000} s `)

const lineOf =
  (start: number) =>
  ({ body, errorCode, headers, isDelivered, method, path, receivedAt, status, version }: RecordedRequest): string => {
    const { accountId, encryptedPassword, password, refresh_token } = bodyOf(body ?? {})
    const carried = [
      headers["authorization"],
      headers["cst"],
      headers["x-security-token"],
      headers["ig-account-id"] && `on ${headers["ig-account-id"]}`,
      password && unhashed(password),
      encryptedPassword && "encryptedPassword",
      refresh_token,
      accountId && `to ${accountId}`
    ].filter((part) => part !== undefined)
    const what = [`${method} ${path} ${version ?? "without a version"}`, ...carried].join(" ")
    const answer = [status, errorCode, isDelivered ? undefined : "cut"].filter((part) => part !== undefined).join(" ")
    return `${later(receivedAt - start)}${what}: ${answer}`
  }

const causeOf = (error: IgError): string => {
  switch (error._tag) {
    case "ApiError":
      return `ApiError ${error.operation} ${error.status} ${error.errorCode ?? "without a code"}`
    case "AuthError":
      return `AuthError ${error.reason}`
    case "TransportError":
      return `TransportError ${error.operation} ${error.reason}${error.mayHaveExecuted ? "" : ", not sent"}`
    case "NotSentError":
      return `NotSentError ${error.operation} ${error.reason}`
    case "DecodeError":
      return `DecodeError ${error.operation} ${error.paths.join(" ")}`
  }
}

const outcomeOf = (start: number, outcome: Either.Either<unknown, IgError>): ReadonlyArray<string> => {
  if (Either.isRight(outcome)) return ["success"]
  const error = outcome.left
  if (error._tag !== "AuthError") return [causeOf(error)]
  const until = error.retryAt === undefined ? "" : ` until ${later(error.retryAt - start).trim()}`
  return [`${causeOf(error)}${until}`, ...(error.causes ?? []).map(causeOf)]
}

const sessionNow = Effect.gen(function* () {
  const session = yield* SessionState.get
  return `${session._tag === "SignedOut" ? "" : `${session.loggedInBy} `}${yield* held}`
})

/* ---- living through it ------------------------------------------------------------ */

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Struct({ positions: Schema.Array(Schema.Unknown) })
})

const call = Endpoint.call(positions)

const turn = Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve)))

const turns = Effect.repeatN(turn, 4)

/** Lets time pass second by second, until it is done. */
const inTime = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(self)
    yield* turns
    for (let left = 600; left > 0 && fiber.unsafePoll() === null; left--) {
      yield* TestClock.adjust("1 second")
      yield* turns
    }
    return yield* Fiber.join(fiber)
  })

const keyIsDown = { kind: "answer", status: 503, method: "GET", path: "/session/encryptionKey", times: 1000 } as const

const become = (user: User, cipher: Cipher) =>
  Effect.gen(function* () {
    user.cipher = cipher
    if (cipher === "no key") yield* (yield* Sandbox).inject(keyIsDown)
  })

const apply = (user: User, { cipher, credentials, dead = [], faults = [], over = false, switches = {} }: Change) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    if (over) yield* sandbox.clearFaults
    if (cipher !== undefined) yield* become(user, cipher)
    if (credentials !== undefined) user.credentials = credentials
    yield* sandbox.setSwitches(switches)
    yield* sandbox.expire(...dead)
    yield* Effect.forEach(faults, (fault) => sandbox.inject(fault))
  })

/** One call, and all that comes of it, as the table tells it. */
const lived = ({ within }: Pick<Moment, "within"> = {}) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const seen = (yield* sandbox.record).length
    const start = yield* Clock.currentTimeMillis
    const outcome = yield* inTime(Effect.either(within === undefined ? call : withAccount(within)(call)))
    return {
      requests: (yield* sandbox.record).slice(seen).map(lineOf(start)),
      outcome: outcomeOf(start, outcome),
      held: yield* sessionNow
    }
  })

const switchAccounts = (switched: Switched) => {
  const there = Session.switchAccount("SBX02")
  switch (switched) {
    case "no":
      return Effect.void
    case "by PUT":
    case "by header":
      return there
    case "by header, and back":
      return Effect.zipRight(there, Session.switchAccount("SBX01"))
  }
}

const switchesOf = (switched: Switched): Partial<Switches> => ({
  encryptedV3: true,
  putUnderBearer: switched === "by PUT" ? "works" : "refused"
})

/** Every login, of the first to the last, sent what it should. */
const passwordsIn = (login: Login) =>
  Effect.gen(function* () {
    const record = yield* (yield* Sandbox).record
    const bodies = record.flatMap(({ body, method, path }) =>
      method === "POST" && path === "/session" ? [bodyOf(body ?? {})] : []
    )
    expect(bodies.length).toBeGreaterThan(0)
    for (const { encryptedPassword, password } of bodies) {
      expect(encryptedPassword).toBe(isEncrypted(login) ? true : undefined)
      expect(password?.startsWith("encrypted:")).toBe(isEncrypted(login))
    }
    expect(JSON.stringify(record).includes("password:correct")).toBe(!isEncrypted(login))
  })

const asUser = (user: User) => {
  const withCipher = Effect.provideService(PasswordCipher, cipherOf(user))
  return <A, E, R>(self: Effect.Effect<A, E, R>) =>
    withCipher(Effect.updateService(self, Credentials, (right) => credentialsOf(user, right)))
}

const rowOf = ({ dead, login, passed = 0, switched }: Row, cipher: Cipher) => {
  const user: User = { cipher: "works", credentials: "right" }
  return Effect.gen(function* () {
    yield* logIn(login)
    yield* switchAccounts(switched)
    yield* call
    yield* TestClock.adjust(`${passed} seconds`)
    yield* apply(user, { dead, cipher })
    const life = yield* lived()
    yield* passwordsIn(login)
    return life
  }).pipe(asUser(user), Effect.provide(keptInMemory({}, { switches: switchesOf(switched) })))
}

const momentsOf = (moments: ReadonlyArray<Moment>, user: User) =>
  Effect.forEach(moments, (moment) =>
    Effect.gen(function* () {
      yield* TestClock.adjust(`${moment.passed ?? 0} seconds`)
      yield* apply(user, moment.first ?? {})
      return yield* lived(moment)
    })
  )

const storyOf = ({
  login,
  moments,
  opened,
  resumed = false,
  switched = "no",
  switches,
  throttled = true,
  unused = false
}: Story) => {
  const user: User = { cipher: "works", credentials: "right" }
  return Effect.gen(function* () {
    yield* logIn(login)
    yield* switchAccounts(switched)
    if (!unused) yield* call
    if (opened !== undefined) yield* withAccount(opened)(call)
    const session = yield* SessionState.get
    const life = throttled ? momentsOf(moments, user) : Effect.provide(momentsOf(moments, user), Throttle.off)
    const lives =
      resumed && session._tag !== "SignedOut"
        ? yield* Effect.provide(life, SessionState.layerTest(session))
        : yield* life
    yield* passwordsIn(login)
    return lives
  }).pipe(asUser(user), Effect.provide(keptInMemory({}, { switches: { ...switchesOf(switched), ...switches } })))
}

const meansOf: Readonly<Record<Cipher, string>> = {
  works: "and a cipher that works",
  fails: "and a cipher that fails",
  hangs: "and a cipher that hangs",
  "no key": "and no key to encrypt with"
}

describe("a call with dead tokens", () => {
  for (const row of rows) {
    for (const cipher of row.ciphers) {
      it.effect(`${row.name}, ${meansOf[cipher]}`, () =>
        Effect.gen(function* () {
          const { held, outcome, requests } = row
          expect(yield* rowOf(row, cipher)).toEqual({ requests, outcome, held })
        })
      )
    }
  }
})

describe("calls in a session that died", () => {
  for (const story of stories) {
    it.effect(story.name, () =>
      Effect.gen(function* () {
        const expected = story.moments.map(({ held, outcome, requests }) => ({ requests, outcome, held }))
        expect(yield* storyOf(story)).toEqual(expected)
      })
    )
  }
})

describe("the table itself", () => {
  it("has every login with every death, every switch and every state of the cipher once", () => {
    const oauth = ["access", "refresh", "access refresh"].flatMap((dead) =>
      ["no", "by header", "by PUT"].map((switched) => `${dead} | ${switched}`)
    )
    const cst = ["cst", "xst", "cst xst"].flatMap((dead) => ["no", "by PUT"].map((switched) => `${dead} | ${switched}`))
    const wanted = [
      ...oauth.flatMap((rest) => [`login | ${rest}`, `loginWithEncryption | ${rest}`]),
      ...cst.flatMap((rest) => [`loginV2 | ${rest}`, `loginV2WithEncryption | ${rest}`])
    ].flatMap((rest) => ["works", "fails", "no key"].map((cipher) => `${rest} | ${cipher}`))
    const found = rows.flatMap(({ ciphers, dead, login, switched }) =>
      ciphers.map((cipher) => `${login} | ${dead.join(" ")} | ${switched} | ${cipher}`)
    )
    expect(found.toSorted()).toEqual(wanted.toSorted())
  })

  it("has names that tell its rows apart", () => {
    const names = [
      ...rows.flatMap(({ ciphers, name }) => ciphers.map((cipher) => `${name} ${cipher}`)),
      ...stories.map(({ name }) => name)
    ]
    expect(new Set(names).size).toBe(names.length)
    expect(rows.length + stories.length).toBeGreaterThanOrEqual(60)
  })
})
