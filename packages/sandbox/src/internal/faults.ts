/** Faults on their way from the test that asked for them to the request that meets them. */
import type * as Deferred from "effect/Deferred"
import type { Fault, HoldPoint, Target } from "../Fault.ts"
import { empty, type GatewayRequest, type GatewayResponse, refuse, wrongVerb } from "./http.ts"

export interface Gate {
  readonly point: HoldPoint
  readonly reached: Deferred.Deferred<void>
  readonly released: Deferred.Deferred<void>
}

export type Hold = Target & { readonly kind: "hold"; readonly gate: Gate }

export type Planned = Fault | Hold

/** How a transport hands the answer over. */
export type Delivery =
  { readonly kind: "whole" | "never" | "cutHeaders" | "cutBody" } | { readonly kind: "held"; readonly gate: Gate }

interface Pending {
  readonly fault: Planned
  left: number
}

export interface Faults {
  readonly plan: (fault: Planned) => void
  readonly take: (request: GatewayRequest) => Planned | undefined
  readonly clear: () => void
}

export const make = (): Faults => {
  let pending: Array<Pending> = []
  const matches = ({ method, path }: Target, request: GatewayRequest): boolean =>
    (method === undefined || method.toUpperCase() === request.method) && (path === undefined || path === request.path)
  return {
    plan: (fault) => void pending.push({ fault, left: fault.times ?? 1 }),
    take: (request) => {
      const found = pending.find(({ fault }) => matches(fault, request))
      if (found === undefined) return undefined
      found.left -= 1
      pending = pending.filter(({ left }) => left > 0)
      return found.fault
    },
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
    case "slow":
    case "never":
    case "cutHeaders":
    case "cutBody":
    case "hold":
    case undefined:
      return undefined
  }
}

/** Has IG done what it was asked, by the time it fails so? */
export const isWorkDone = (fault: Planned | undefined): boolean =>
  fault === undefined || fault.kind === "hold" ? true : (fault.workDone ?? insteadOf(fault) === undefined)

export const delivery = (fault: Planned | undefined): Delivery => {
  switch (fault?.kind) {
    case "never":
    case "cutHeaders":
    case "cutBody":
      return { kind: fault.kind }
    case "hold":
      return fault.gate.point === "before" ? { kind: "whole" } : { kind: "held", gate: fault.gate }
    default:
      return { kind: "whole" }
  }
}
