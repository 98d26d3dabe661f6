/** Faults on their way from the test that asked for them to the request that meets them. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { Fault, HoldPoint, Target } from "../Fault.ts"
import type { Switches } from "../Switches.ts"
import { empty, type GatewayRequest, type GatewayResponse, refuse, wrongVerb } from "./http.ts"

export interface Gate {
  readonly point: HoldPoint
  /** Says that the point was reached, and waits there. */
  readonly pass: Effect.Effect<void>
}

/** How a transport hands the answer over. */
export type Delivery =
  { readonly kind: "whole" | "never" | "cutHeaders" | "cutBody" } | { readonly kind: "held"; readonly gate: Gate }

/** What a test holds has gates of its own; what is held by a fault alone waits for `release`. */
export type Hold = Target & {
  readonly kind: "hold"
  readonly point: HoldPoint
  readonly reached?: Deferred.Deferred<void>
  readonly released?: Deferred.Deferred<void>
}

export type Planned = Fault | Hold

/** What a request has met. */
export interface Met {
  readonly fault: Planned | undefined
  readonly gate: Gate | undefined
}

interface Pending {
  readonly fault: Planned
  left: number
}

export interface Faults {
  readonly plan: (fault: Planned) => void
  readonly take: (request: GatewayRequest) => Met
  /** Lets go of every answer that is held now. */
  readonly release: Effect.Effect<void>
  /** Forgets what was planned and not met. */
  readonly clear: () => void
}

const isLogin = ({ method, path }: GatewayRequest): boolean => method === "POST" && path === "/session"

const matches = (fault: Planned, request: GatewayRequest): boolean => {
  const { method, path }: Target = fault
  if (method !== undefined && method.toUpperCase() !== request.method) return false
  if (path !== undefined && path !== request.path) return false
  return fault.kind === "deadTokensAtLogin" ? isLogin(request) : true
}

export const make = (): Faults => {
  let pending: Array<Pending> = []
  const held = new Set<Deferred.Deferred<void>>()

  const gateOf = (fault: Planned): Gate | undefined => {
    if (fault.kind !== "hold") return undefined
    const own: Hold = fault
    const reached = own.reached ?? Deferred.unsafeMake<void>(FiberId.none)
    const released = own.released ?? Deferred.unsafeMake<void>(FiberId.none)
    held.add(released)
    const pass = Deferred.succeed(reached, undefined).pipe(
      Effect.zipRight(Deferred.await(released)),
      Effect.ensuring(Effect.sync(() => held.delete(released)))
    )
    return { point: fault.point, pass }
  }

  const release = Effect.suspend(() => Effect.forEach([...held], (one) => Deferred.succeed(one, undefined))).pipe(
    Effect.asVoid
  )

  return {
    plan: (fault) => void pending.push({ fault, left: fault.times ?? 1 }),
    take: (request) => {
      const found = pending.find(({ fault, left }) => left > 0 && matches(fault, request))
      if (found === undefined) return { fault: undefined, gate: undefined }
      found.left -= 1
      pending = pending.filter(({ left }) => left > 0)
      return { fault: found.fault, gate: gateOf(found.fault) }
    },
    release,
    clear: () => {
      pending = []
    }
  }
}

const text = (status: number, body: string): GatewayResponse => ({
  status,
  headers: [["content-type", "text/plain"]],
  body: new TextEncoder().encode(body)
})

/** What is answered instead of IG's own answer, if the fault says so. */
export const insteadOf = (fault: Planned | undefined): GatewayResponse | undefined => {
  switch (fault?.kind) {
    case "answer": {
      const { errorCode, headers = {}, status, text: body } = fault
      const answer =
        body !== undefined
          ? text(status, body)
          : errorCode !== undefined
            ? refuse(status, errorCode)
            : { status, headers: [], body: empty }
      return { ...answer, headers: [...answer.headers, ...Object.entries(headers)] }
    }
    case "nonJson403":
      return text(403, "puredeal:err:(none):403 Access forbidden!")
    case "empty405":
      return wrongVerb
    case "allowance":
      return refuse(403, `error.public-api.exceeded-${fault.allowance}-allowance`)
    case "failedLogin":
      return refuse(401, "service.security.authentication.failure-invalid-client-security-token")
    default:
      return undefined
  }
}

/** Has IG done what it was asked, by the time it fails so? */
export const isWorkDone = (fault: Planned | undefined): boolean => {
  switch (fault?.kind) {
    case "never":
    case "cutHeaders":
      return fault.workDone ?? true
    case "answer":
    case "nonJson403":
    case "empty405":
    case "allowance":
    case "failedLogin":
      return fault.workDone ?? false
    default:
      return true
  }
}

/** Faults that are a switch for the time of one request. */
export const switchesOf = (fault: Planned | undefined): Partial<Switches> => {
  switch (fault?.kind) {
    case "doubledTokenHeader":
      return { doubledTokenHeaders: true }
    case "deadTokensAtLogin":
      return { deadTokensAtLogin: true }
    default:
      return {}
  }
}

export const extraHeaders = (fault: Planned | undefined): GatewayResponse["headers"] =>
  fault?.kind === "extraHeaders" ? Object.entries(fault.headers) : []

export const delivery = ({ fault, gate }: Met): Delivery => {
  if (gate !== undefined && gate.point !== "before") return { kind: "held", gate }
  switch (fault?.kind) {
    case "never":
    case "cutHeaders":
    case "cutBody":
      return { kind: fault.kind }
    default:
      return { kind: "whole" }
  }
}
