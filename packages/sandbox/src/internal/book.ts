/** Positions and what became of each order. Prices, margin, rules and triggers are not imitated. */

export type Direction = "BUY" | "SELL"

export interface Position {
  readonly dealId: string
  readonly dealReference: string
  readonly accountId: string
  readonly epic: string
  readonly expiry: string
  readonly direction: Direction
  size: number
  readonly level: number
  readonly currency: string
  readonly openedAt: number
}

export interface Confirm {
  readonly accountId: string
  readonly madeAt: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface Book {
  readonly positions: Map<string, Position>
  readonly confirms: Map<string, Confirm>
  deals: number
}

export const make = (): Book => ({ positions: new Map(), confirms: new Map(), deals: 0 })

export const nextDealId = (book: Book): string => `DISBX${String(++book.deals).padStart(7, "0")}`
