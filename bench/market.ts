/** The answer that is read again and again: `GET /markets/{epic}`, Version 3, as IG sends it and as a schema. */
import * as Schema from "effect/Schema"

const Distance = Schema.Struct({ unit: Schema.String, value: Schema.Number })

const Instrument = Schema.Struct({
  epic: Schema.String,
  expiry: Schema.String,
  name: Schema.NullOr(Schema.String),
  forceOpenAllowed: Schema.Boolean,
  stopsLimitsAllowed: Schema.Boolean,
  lotSize: Schema.Number,
  unit: Schema.String,
  type: Schema.String,
  marketId: Schema.String,
  currencies: Schema.Array(
    Schema.Struct({
      code: Schema.String,
      symbol: Schema.NullOr(Schema.String),
      baseExchangeRate: Schema.Number,
      exchangeRate: Schema.Number,
      isDefault: Schema.Boolean
    })
  ),
  marginDepositBands: Schema.Array(
    Schema.Struct({
      min: Schema.Number,
      max: Schema.NullOr(Schema.Number),
      margin: Schema.Number,
      currency: Schema.String
    })
  ),
  marginFactor: Schema.Number,
  marginFactorUnit: Schema.String,
  slippageFactor: Schema.NullOr(Distance),
  limitedRiskPremium: Schema.NullOr(Distance),
  valueOfOnePip: Schema.NullOr(Schema.NumberFromString),
  contractSize: Schema.NullOr(Schema.NumberFromString)
})

const DealingRules = Schema.Struct({
  minStepDistance: Distance,
  minDealSize: Distance,
  minControlledRiskStopDistance: Distance,
  minNormalStopOrLimitDistance: Distance,
  maxStopOrLimitDistance: Distance,
  controlledRiskSpacing: Distance,
  marketOrderPreference: Schema.String,
  trailingStopsPreference: Schema.String
})

const price = Schema.NullOr(Schema.Number)

const Snapshot = Schema.Struct({
  marketStatus: Schema.String,
  netChange: Schema.Number,
  percentageChange: Schema.Number,
  updateTime: Schema.String,
  delayTime: Schema.Number,
  bid: price,
  offer: price,
  high: price,
  low: price,
  decimalPlacesFactor: Schema.Number,
  scalingFactor: Schema.Number,
  controlledRiskExtraSpread: Schema.Number
})

export const Market = Schema.Struct({ instrument: Instrument, dealingRules: DealingRules, snapshot: Snapshot })

export const epic = "CS.D.EURUSD.CFD.IP"

const points = (value: number) => ({ unit: "POINTS", value })

const band = (min: number, max: number | null, margin: number) => ({ min, max, margin, currency: "USD" })

export const market = {
  instrument: {
    epic,
    expiry: "-",
    name: "EUR/USD",
    forceOpenAllowed: true,
    stopsLimitsAllowed: true,
    lotSize: 1,
    unit: "CONTRACTS",
    type: "CURRENCIES",
    controlledRiskAllowed: true,
    streamingPricesAvailable: true,
    marketId: "EURUSD",
    currencies: [
      { code: "USD", symbol: "$", baseExchangeRate: 1.08, exchangeRate: 0.92, isDefault: true },
      { code: "GBP", symbol: "£", baseExchangeRate: 0.85, exchangeRate: 1.17, isDefault: false }
    ],
    sprintMarketsMinimumExpiryTime: null,
    sprintMarketsMaximumExpiryTime: null,
    marginDepositBands: [band(0, 60, 3.33), band(60, 600, 3.33), band(600, 1500, 5), band(1500, null, 15)],
    marginFactor: 3.33,
    marginFactorUnit: "PERCENTAGE",
    slippageFactor: { unit: "pct", value: 50 },
    limitedRiskPremium: points(1.2),
    openingHours: null,
    expiryDetails: null,
    rolloverDetails: null,
    newsCode: "EUR=",
    chartCode: "EURUSD",
    country: null,
    valueOfOnePip: "10.00",
    onePipMeans: "0.0001 USD/EUR",
    contractSize: "100000",
    specialInfo: ["MAX KNOCK OUT LEVEL DISTANCE", "DEFAULT KNOCK OUT LEVEL DISTANCE"]
  },
  dealingRules: {
    minStepDistance: points(5),
    minDealSize: points(0.5),
    minControlledRiskStopDistance: points(5),
    minNormalStopOrLimitDistance: points(2),
    maxStopOrLimitDistance: { unit: "PERCENTAGE", value: 75 },
    controlledRiskSpacing: points(5),
    marketOrderPreference: "AVAILABLE_DEFAULT_ON",
    trailingStopsPreference: "AVAILABLE"
  },
  snapshot: {
    marketStatus: "TRADEABLE",
    netChange: -0.0012,
    percentageChange: -0.11,
    updateTime: "17:20:37",
    delayTime: 0,
    bid: 1.08492,
    offer: 1.08498,
    high: 1.08731,
    low: 1.08402,
    binaryOdds: null,
    decimalPlacesFactor: 5,
    scalingFactor: 10_000,
    controlledRiskExtraSpread: 1
  }
}
