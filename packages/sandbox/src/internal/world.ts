/** What IG knows: the client, its accounts, the sessions that are open and every token ever given out. */
import { PCGRandom } from "effect/Utils"
import type { Switches } from "../Switches.ts"
import type { Allowances } from "./allowances.ts"
import * as Book from "./book.ts"

export interface Account {
  readonly accountId: string
  readonly accountName: string
  readonly accountType: "CFD" | "PHYSICAL" | "SPREADBET"
}

/**
 * Bearer, refresh token, CST and X-SECURITY-TOKEN.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenKind = "access" | "refresh" | "cst" | "xst"

export const tokenKinds = ["access", "refresh", "cst", "xst"] as const satisfies ReadonlyArray<TokenKind>

/** The life of a CST, which its X-SECURITY-TOKENs share: it slides with use, and has an end all the same. */
export interface Lease {
  readonly openedAt: number
  usedAt: number
}

export interface Token {
  readonly kind: TokenKind
  /** `cst-2`: the kind and the ordinal of its issue, by which the record names it. */
  readonly label: string
  readonly value: string
  readonly session: Session
  readonly accountId: string
  /** For good, whatever the clock says. */
  isDead: boolean
  /** Of a bearer or a refresh token: a fixed end. */
  expiresAt: number
  /** Of a CST or X-SECURITY-TOKEN. */
  readonly lease: Lease | undefined
}

/** What one login opened, with all that descends from it. */
export interface Session {
  isOver: boolean
  /** Under CST; a bearer's account is in each request. */
  accountId: string
  readonly tokens: Array<Token>
}

export interface Watchlist {
  readonly name: string
  readonly epics: Array<string>
  /** IG has lists of its own, which cannot be deleted. */
  readonly isOwn: boolean
}

/** Price points of an account, in the week that began with its first request for some. */
export interface Points {
  spent: number
  readonly resetsAt: number
}

export interface Sources {
  readonly random: PCGRandom
  /** Apart from the tokens: which answers are marked must not change which tokens are made. */
  readonly requestIds: PCGRandom
}

export interface World extends Sources {
  readonly apiKey: string
  readonly identifier: string
  readonly password: string
  readonly clientId: string
  readonly accounts: ReadonlyArray<Account>
  preferred: string
  switches: Switches
  readonly sessions: Array<Session>
  readonly tokens: Map<string, Token>
  readonly issued: Record<TokenKind, number>
  failedLogins: number
  trailingStopsEnabled: boolean
  readonly allowances: Allowances
  readonly points: Map<string, Points>
  readonly book: Book.Book
  readonly watchlists: Map<string, Watchlist>
}

export interface Client {
  readonly apiKey: string
  readonly identifier: string
  readonly password: string
  readonly accounts: ReadonlyArray<Account>
  readonly preferred: string
}

export const makeSources = (seed: number): Sources => ({
  random: new PCGRandom(seed),
  requestIds: new PCGRandom(seed ^ 0x5bd1e995)
})

export const make = (client: Client, switches: Switches, sources: Sources): World => ({
  ...client,
  ...sources,
  clientId: "100000001",
  switches,
  sessions: [],
  tokens: new Map(),
  issued: { access: 0, refresh: 0, cst: 0, xst: 0 },
  failedLogins: 0,
  trailingStopsEnabled: false,
  allowances: new Map(),
  points: new Map(),
  book: Book.make(),
  watchlists: new Map([["Popular Markets", { name: "Popular Markets", epics: [], isOwn: false }]])
})

const hex = (random: PCGRandom, length: number): string => {
  let text = ""
  while (text.length < length) text += random.integer(16).toString(16)
  return text
}

export const uuid = (random: PCGRandom): string => [8, 4, 4, 4, 12].map((length) => hex(random, length)).join("-")

/** Bearers are UUIDs; the others are hex with a suffix, as seen on the wire. */
const spell: Record<TokenKind, (random: PCGRandom) => string> = {
  access: uuid,
  refresh: uuid,
  cst: (random) => `${hex(random, 62)}CC01116`,
  xst: (random) => `${hex(random, 62)}CD01116`
}

export const open = (world: World): Session => {
  const session: Session = { isOver: false, accountId: world.preferred, tokens: [] }
  world.sessions.push(session)
  return session
}

const add = (
  world: World,
  kind: TokenKind,
  rest: Pick<Token, "session" | "accountId" | "expiresAt" | "lease">
): Token => {
  const label = `${kind}-${++world.issued[kind]}`
  const token: Token = { kind, label, value: spell[kind](world.random), isDead: false, ...rest }
  rest.session.tokens.push(token)
  world.tokens.set(token.value, token)
  return token
}

export const issueOAuth = (world: World, session: Session, kind: "access" | "refresh", expiresAt: number): Token =>
  add(world, kind, { session, accountId: session.accountId, expiresAt, lease: undefined })

export const issueLeased = (
  world: World,
  session: Session,
  kind: "cst" | "xst",
  lease: Lease,
  accountId: string
): Token => add(world, kind, { session, accountId, expiresAt: Number.POSITIVE_INFINITY, lease })

const hasLapsed = ({ switches }: World, { openedAt, usedAt }: Lease, now: number): boolean =>
  now >= usedAt + switches.cstIdle || now >= openedAt + switches.cstMax

export const isAlive = (world: World, token: Token, now: number): boolean => {
  if (token.isDead || token.session.isOver || now >= token.expiresAt) return false
  return token.lease === undefined || !hasLapsed(world, token.lease, now)
}

/** The live token of this kind and value, if there is one. */
export const find = (world: World, kind: TokenKind, value: string, now: number): Token | undefined => {
  const token = world.tokens.get(value)
  return token?.kind === kind && isAlive(world, token, now) ? token : undefined
}

export const kill = (world: World, kinds: ReadonlyArray<TokenKind>): void => {
  for (const token of world.tokens.values()) if (kinds.includes(token.kind)) token.isDead = true
}

/** Sessions by which somebody could still act or come back. */
export const liveSessions = (world: World, now: number): number =>
  world.sessions.filter((session) => session.tokens.some((token) => isAlive(world, token, now))).length
