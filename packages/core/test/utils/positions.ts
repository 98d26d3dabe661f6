/** A read and a trade, to be sent by the thousand. */
import * as Endpoint from "@effect-ig/core/Endpoint"
import * as Schema from "effect/Schema"

export const minute = 60_000

const positions = Endpoint.make({
  name: "positions.list",
  method: "GET",
  path: "/positions",
  version: 2,
  answer: Schema.Unknown
})

export const read = Endpoint.call(positions)

const open = Endpoint.make({
  name: "positions.open",
  method: "POST",
  path: "/positions/otc",
  version: 2,
  allowance: "trading",
  body: Schema.Struct({
    epic: Schema.String,
    expiry: Schema.String,
    direction: Schema.String,
    size: Schema.Number,
    orderType: Schema.String,
    currencyCode: Schema.String,
    forceOpen: Schema.Boolean,
    guaranteedStop: Schema.Boolean
  }),
  answer: Schema.Unknown
})

export const trade = Endpoint.call(open, {
  body: {
    epic: "CS.D.EURUSD.CFD.IP",
    expiry: "-",
    direction: "BUY",
    size: 1,
    orderType: "MARKET",
    currencyCode: "USD",
    forceOpen: false,
    guaranteedStop: false
  }
})
