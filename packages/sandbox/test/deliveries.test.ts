import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Fault, HoldPoint } from "@effect-ig/sandbox/Fault"
import { Sandbox } from "@effect-ig/sandbox/Sandbox"
import { type Exchange, inEach, loginOf, type Seen } from "./utils/exchange.ts"
import { eventually } from "./utils/raw.ts"

/** A login under Version 3 that meets a fault: what arrives, and what is in the books. */
interface Row {
  readonly fault: Fault
  readonly status: number | undefined
  /** The whole of IG's own answer, the half of it, or this text. */
  readonly body: "whole" | "half" | { readonly text: string }
  readonly end: Seen["end"]
  readonly isWorked: boolean
  readonly isDelivered: boolean
  /** Tokens given out, and sessions that somebody could act by. */
  readonly books: readonly [issued: number, live: number]
  readonly header?: readonly [name: string, value: string]
}

const answered = { end: "whole", isDelivered: true } as const
const done = { isWorked: true, books: [2, 1] } as const
const undone = { isWorked: false, books: [0, 0] } as const
const none = { text: "" }

const table: Readonly<Record<Fault["kind"], ReadonlyArray<Row>>> = {
  slow: [{ fault: { kind: "slow", millis: 250 }, status: 200, body: "whole", ...answered, ...done }],
  never: [
    { fault: { kind: "never" }, status: undefined, body: none, end: "none yet", isDelivered: false, ...done },
    {
      fault: { kind: "never", workDone: false },
      status: undefined,
      body: none,
      end: "none yet",
      isDelivered: false,
      ...undone
    }
  ],
  cutHeaders: [
    { fault: { kind: "cutHeaders" }, status: undefined, body: none, end: "cut", isDelivered: false, ...done },
    {
      fault: { kind: "cutHeaders", workDone: false },
      status: undefined,
      body: none,
      end: "cut",
      isDelivered: false,
      ...undone
    }
  ],
  cutBody: [{ fault: { kind: "cutBody" }, status: 200, body: "half", end: "cut", isDelivered: false, ...done }],
  answer: [
    {
      fault: { kind: "answer", status: 500, errorCode: "system.error" },
      status: 500,
      body: { text: '{"errorCode":"system.error"}' },
      ...answered,
      ...undone
    },
    {
      fault: { kind: "answer", status: 502, text: "<html>", errorCode: "unheard", workDone: true },
      status: 502,
      body: { text: "<html>" },
      ...answered,
      ...done
    },
    {
      fault: { kind: "answer", status: 429, headers: { "retry-after": "7" } },
      status: 429,
      body: none,
      header: ["retry-after", "7"],
      ...answered,
      ...undone
    }
  ],
  nonJson403: [
    {
      fault: { kind: "nonJson403" },
      status: 403,
      body: { text: "puredeal:err:(none):403 Access forbidden!" },
      ...answered,
      ...undone
    }
  ],
  empty405: [{ fault: { kind: "empty405", workDone: true }, status: 405, body: none, ...answered, ...done }],
  allowance: [
    {
      fault: { kind: "allowance", allowance: "account-historical-data" },
      status: 403,
      body: { text: '{"errorCode":"error.public-api.exceeded-account-historical-data-allowance"}' },
      ...answered,
      ...undone
    }
  ],
  failedLogin: [
    {
      fault: { kind: "failedLogin" },
      status: 401,
      body: { text: '{"errorCode":"service.security.authentication.failure-invalid-client-security-token"}' },
      ...answered,
      ...undone
    }
  ],
  // Held until it is released, and then as if nothing had been.
  hold: HoldPoint.literals.map((point) => ({
    fault: { kind: "hold", point },
    status: 200,
    body: "whole",
    ...answered,
    ...done
  })),
  // A login under Version 3 has no such headers; the other table has the one that has.
  doubledTokenHeader: [{ fault: { kind: "doubledTokenHeader" }, status: 200, body: "whole", ...answered, ...done }],
  extraHeaders: [
    {
      fault: { kind: "extraHeaders", headers: { "x-extra": "yes" } },
      status: 200,
      body: "whole",
      header: ["x-extra", "yes"],
      ...answered,
      ...done
    }
  ],
  deadTokensAtLogin: [
    {
      fault: { kind: "deadTokensAtLogin" },
      status: 200,
      body: "whole",
      ...answered,
      isWorked: true,
      books: [2, 0]
    }
  ]
}

/** What is held at the point: what has arrived so far, and whether the work is in the books already. */
const held: Readonly<
  Record<HoldPoint, { readonly status: number | undefined; readonly share: 0 | 0.5; readonly live: number }>
> = {
  before: { status: undefined, share: 0, live: 0 },
  after: { status: undefined, share: 0, live: 1 },
  headers: { status: 200, share: 0, live: 1 },
  body: { status: 200, share: 0.5, live: 1 }
}

it("the tables have every kind of fault and every point of a hold", () => {
  const kinds = Fault.members.map(({ fields }) => fields.kind.literals[0])
  expect(Object.keys(table).toSorted()).toEqual(kinds.toSorted())
  for (const [kind, rows] of Object.entries(table))
    expect(new Set(rows.map(({ fault }) => fault.kind))).toEqual(new Set([kind]))
  expect(Object.keys(held).toSorted()).toEqual([...HoldPoint.literals].toSorted())
})

const seenSoFar = ({ seen }: Exchange, condition: (seen: Seen) => boolean) =>
  eventually(Effect.sync(() => condition(seen())))

inEach(({ exchange, layer, name }) => {
  /** Every login under Version 3 is answered with as many bytes. */
  const length = Effect.gen(function* () {
    const sandbox = yield* Sandbox
    const { end } = yield* exchange(loginOf(sandbox))
    const { body } = yield* end
    yield* sandbox.reset
    return body.length
  })

  describe(`a login ${name} that meets`, () => {
    for (const row of Object.values(table).flat()) {
      it.effect(`${JSON.stringify(row.fault)} arrives as ${row.status ?? "nothing"}, ${row.end}`, () =>
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const size = yield* length
          yield* sandbox.inject(row.fault)
          const login = yield* exchange(loginOf(sandbox))
          yield* eventually(Effect.map(sandbox.record, ({ length }) => length === 1))
          if (row.fault.kind === "slow") yield* TestClock.adjust(row.fault.millis)
          if (row.fault.kind === "hold") {
            const isOver = Effect.sync(() => login.seen().end !== "none yet")
            yield* eventually(Effect.zipRight(sandbox.release, isOver))
          }
          if (row.end === "none yet") yield* TestClock.adjust("1 day")
          const { body, end, headers, status } = row.end === "none yet" ? login.seen() : yield* login.end
          expect({ status, end }).toEqual({ status: row.status, end: row.end })
          if (row.body === "whole") expect(body).toHaveLength(size)
          else if (row.body === "half") expect(body).toHaveLength(Math.ceil(size / 2))
          else expect(body.toString()).toBe(row.body.text)
          if (row.header !== undefined) expect(headers).toContainEqual(row.header)
          const { isDelivered, isWorked } = row
          if (isDelivered) yield* eventually(Effect.map(sandbox.record, (all) => all.every((one) => one.isDelivered)))
          expect(yield* sandbox.record).toMatchObject([{ isDelivered, isWorked }])
          const [issued, live] = row.books
          expect(yield* sandbox.issued).toHaveLength(issued)
          if (row.end !== "none yet") expect(yield* sandbox.liveSessions).toBe(live)
          yield* login.hangUp
          const next = yield* exchange(loginOf(sandbox))
          expect(yield* next.end).toMatchObject({ status: 200, end: "whole" })
        }).pipe(Effect.provide(layer()))
      )
    }
  })

  describe(`an answer ${name} that is held`, () => {
    for (const point of HoldPoint.literals) {
      const { live, share, status } = held[point]
      it.effect(`${point} shows ${status ?? "nothing"} and ${share} of its body until it is released`, () =>
        Effect.gen(function* () {
          const sandbox = yield* Sandbox
          const size = yield* length
          const half = share === 0 ? 0 : Math.ceil(size / 2)
          const { reached, release } = yield* sandbox.hold(point, { method: "POST", path: "/session" })
          const login = yield* exchange(loginOf(sandbox))
          yield* reached
          yield* seenSoFar(login, (seen) => seen.status === status && seen.body.length === half)
          yield* TestClock.adjust("1 hour")
          expect(login.seen()).toMatchObject({ status, end: "none yet" })
          expect(login.seen().body).toHaveLength(half)
          expect(yield* sandbox.record).toMatchObject([{ isWorked: point !== "before", isDelivered: false }])
          expect(yield* sandbox.issued).toHaveLength(live * 2)
          yield* release
          const end = yield* login.end
          expect(end).toMatchObject({ status: 200, end: "whole" })
          expect(end.body).toHaveLength(size)
          yield* eventually(Effect.map(sandbox.record, (all) => all.every((one) => one.isDelivered)))
          expect(yield* sandbox.record).toMatchObject([{ isWorked: true, status: 200 }])
        }).pipe(Effect.provide(layer()))
      )
    }
  })
})
