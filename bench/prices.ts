/** A large answer: `GET /prices/{epic}`, Version 3. */
import * as Schema from "effect/Schema"

const Quote = Schema.Struct({
  bid: Schema.NullOr(Schema.Number),
  ask: Schema.NullOr(Schema.Number),
  lastTraded: Schema.NullOr(Schema.Number)
})

const Bar = Schema.Struct({
  snapshotTime: Schema.String,
  snapshotTimeUTC: Schema.String,
  openPrice: Quote,
  closePrice: Quote,
  highPrice: Quote,
  lowPrice: Quote,
  lastTradedVolume: Schema.NullOr(Schema.Number)
})

export const Prices = Schema.Struct({ prices: Schema.Array(Bar), instrumentType: Schema.String })

const quote = (bid: number) => ({ bid, ask: bid + 6, lastTraded: null })

const bar = (_: unknown, index: number) => {
  const time = new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString().slice(0, 19)
  const at = 10_800 + (index % 97)
  return {
    snapshotTime: time.replaceAll("-", "/").replace("T", " "),
    snapshotTimeUTC: time,
    openPrice: quote(at),
    closePrice: quote(at + 1),
    highPrice: quote(at + 2),
    lowPrice: quote(at - 2),
    lastTradedVolume: 100 + index
  }
}

/** Half a megabyte of JSON. */
export const bars = 1_700

export const prices = {
  prices: Array.from({ length: bars }, bar),
  instrumentType: "CURRENCIES",
  metadata: {
    allowance: { remainingAllowance: 10_000, totalAllowance: 10_000, allowanceExpiry: 604_800 },
    size: bars,
    pageData: { pageSize: 0, pageNumber: 1, totalPages: 1 }
  }
}
