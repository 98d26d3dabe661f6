/** Five markets at fixed prices. */

export interface Market {
  readonly epic: string
  readonly name: string
  readonly type: "CURRENCIES" | "INDICES" | "COMMODITIES"
  readonly marketId: string
  readonly currency: string
  readonly bid: number
  readonly offer: number
  readonly decimals: number
}

const market = (
  epic: string,
  name: string,
  type: Market["type"],
  marketId: string,
  currency: string,
  bid: number,
  offer: number,
  decimals: number
): Market => ({ epic, name, type, marketId, currency, bid, offer, decimals })

export const markets: ReadonlyArray<Market> = [
  market("CS.D.EURUSD.CFD.IP", "EUR/USD", "CURRENCIES", "EURUSD", "USD", 1.0849, 1.0851, 5),
  market("CS.D.GBPUSD.CFD.IP", "GBP/USD", "CURRENCIES", "GBPUSD", "USD", 1.2699, 1.2701, 5),
  market("IX.D.FTSE.CFD.IP", "FTSE 100", "INDICES", "FT100", "GBP", 8199.5, 8200.5, 1),
  market("IX.D.DAX.IFMM.IP", "Germany 40", "INDICES", "DE30", "EUR", 18499.3, 18500.7, 1),
  market("CS.D.CFDGOLD.CFDGC.IP", "Spot Gold", "COMMODITIES", "GC", "USD", 2399.7, 2400.3, 2)
]

export const byEpic = (epic: string): Market | undefined => markets.find((market) => market.epic === epic)

/** As in `GET /markets?searchTerm=`, in a position and in a watchlist. */
export const summary = ({ bid, epic, name, offer, type }: Market) => ({
  delayTime: 0,
  epic,
  netChange: 0,
  lotSize: 1,
  expiry: "-",
  instrumentType: type,
  instrumentName: name,
  high: offer,
  low: bid,
  percentageChange: 0,
  updateTime: "12:00:00",
  updateTimeUTC: "12:00:00",
  bid,
  offer,
  streamingPricesAvailable: true,
  marketStatus: "TRADEABLE",
  scalingFactor: 1
})

const rule = (unit: "POINTS" | "PERCENTAGE", value: number) => ({ unit, value })

/** As in `GET /markets/{epic}`, Version 3. */
export const details = (market: Market) => ({
  instrument: {
    epic: market.epic,
    expiry: "-",
    name: market.name,
    forceOpenAllowed: true,
    stopsLimitsAllowed: true,
    lotSize: 1,
    unit: "CONTRACTS",
    type: market.type,
    controlledRiskAllowed: true,
    streamingPricesAvailable: true,
    marketId: market.marketId,
    currencies: [
      { code: market.currency, symbol: market.currency, baseExchangeRate: 1, exchangeRate: 1, isDefault: true }
    ],
    sprintMarketsMinimumExpiryTime: null,
    sprintMarketsMaximumExpiryTime: null,
    marginDepositBands: [{ min: 0, max: null, margin: 3.33, currency: market.currency }],
    marginFactor: 3.33,
    marginFactorUnit: "PERCENTAGE",
    slippageFactor: { unit: "pct", value: 50 },
    limitedRiskPremium: rule("POINTS", 1),
    openingHours: null,
    expiryDetails: null,
    rolloverDetails: null,
    newsCode: null,
    chartCode: market.marketId,
    country: null,
    valueOfOnePip: "1.00",
    onePipMeans: "1",
    contractSize: "1",
    specialInfo: null
  },
  dealingRules: {
    minStepDistance: rule("POINTS", 1),
    minDealSize: rule("POINTS", 0.5),
    minControlledRiskStopDistance: rule("PERCENTAGE", 1),
    minNormalStopOrLimitDistance: rule("POINTS", 1),
    maxStopOrLimitDistance: rule("PERCENTAGE", 75),
    controlledRiskSpacing: rule("POINTS", 1),
    marketOrderPreference: "AVAILABLE_DEFAULT_ON",
    trailingStopsPreference: "AVAILABLE"
  },
  snapshot: {
    marketStatus: "TRADEABLE",
    netChange: 0,
    percentageChange: 0,
    updateTime: "12:00:00",
    delayTime: 0,
    bid: market.bid,
    offer: market.offer,
    high: market.offer,
    low: market.bid,
    binaryOdds: null,
    decimalPlacesFactor: market.decimals,
    scalingFactor: 1,
    controlledRiskExtraSpread: 0
  }
})
