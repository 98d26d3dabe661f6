/**
 * A local IG gateway for tests, demos and bots: in memory (`layerHttpClient`) or over real HTTP on loopback (`layer`).
 * Tokens expire by Effect's `Clock` and are made from its `Random`.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Fault, HoldPoint, Target } from "./Fault.ts"
import * as Control from "./internal/control.ts"
import * as Gateway from "./internal/gateway.ts"
import * as Memory from "./internal/memory.ts"
import type { RecordedRequest } from "./internal/record.ts"
import * as Server from "./internal/server.ts"
import * as World from "./internal/world.ts"
import * as Switches from "./Switches.ts"

export type { RecordedBody, RecordedRequest } from "./internal/record.ts"
export type { TokenKind } from "./internal/world.ts"

/**
 * A token that the gateway has given out, in clear: for tests that check what a client holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface IssuedToken {
  readonly kind: World.TokenKind
  readonly label: string
  readonly value: string
  readonly accountId: string
  readonly isAlive: boolean
}

/**
 * An answer that is held back.
 *
 * @since 0.1.0
 * @category models
 */
export interface Held {
  /** Ends when a request has come to the point. */
  readonly reached: Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/**
 * The gateway that a program talks to: how to reach it, what it has received, and how to disturb it.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sandbox extends Context.Tag("@effect-ig/sandbox/Sandbox")<Sandbox, Sandbox.Service>() {}

/**
 * @since 0.1.0
 */
export declare namespace Sandbox {
  /**
   * What a test or a demo sees of the gateway.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Service {
    /** Over HTTP `http://127.0.0.1:PORT/gateway/deal`; in memory an address that exists nowhere. */
    readonly baseUrl: string
    readonly apiKey: string
    readonly identifier: string
    readonly password: string
    readonly record: Effect.Effect<ReadonlyArray<RecordedRequest>>
    readonly issued: Effect.Effect<ReadonlyArray<IssuedToken>>
    /** Sessions that were opened and neither logged out nor expired. */
    readonly liveSessions: Effect.Effect<number>
    readonly switches: Effect.Effect<Switches.Switches>
    readonly setSwitches: (patch: Partial<Switches.Switches>) => Effect.Effect<void>
    /** Kills the tokens of these kinds that were given out so far. */
    readonly expire: (...kinds: ReadonlyArray<World.TokenKind | "all">) => Effect.Effect<void>
    /** What IG's maintenance at the weekend does: no session survives. */
    readonly purge: Effect.Effect<void>
    /** Moves the gateway's time on, without anybody waiting; the client's clock stays where it is. */
    readonly advance: (duration: Duration.DurationInput) => Effect.Effect<void>
    readonly inject: (fault: Fault) => Effect.Effect<void>
    /** Holds the answer to the next request that matches. */
    readonly hold: (point: HoldPoint, target?: Target) => Effect.Effect<Held>
    /** Lets go of every answer that is held now. */
    readonly release: Effect.Effect<void>
    /** Forgets the faults that were injected and not met. */
    readonly clearFaults: Effect.Effect<void>
    /** As new: no sessions, no record, no faults, the switches of the start. */
    readonly reset: Effect.Effect<void>
  }

  /**
   * An account of the sandbox's one client.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Account {
    readonly accountId: string
    readonly accountType: "CFD" | "PHYSICAL" | "SPREADBET"
    readonly accountName?: string | undefined
    readonly preferred?: boolean | undefined
  }

  /**
   * Who may log in, and how the gateway behaves.
   *
   * @since 0.1.0
   * @category models
   */
  export interface Options {
    /** `sandbox-api-key` */
    readonly apiKey?: string | undefined
    /** `sandbox` */
    readonly identifier?: string | undefined
    /** `Sandbox-Pa55word` */
    readonly password?: string | undefined
    /** `SBX01` (CFD, preferred) and `SBX02` (SPREADBET) */
    readonly accounts?: ReadonlyArray<Account> | undefined
    /** Allowances; `unlimited` unless asked for. */
    readonly preset?: Switches.Preset | undefined
    readonly switches?: Partial<Switches.Switches> | undefined
  }

  /**
   * The same, and where it listens.
   *
   * @since 0.1.0
   * @category models
   */
  export interface ServerOptions extends Options {
    /** 0, the default, takes a free one. */
    readonly port?: number | undefined
    /** `127.0.0.1` */
    readonly host?: string | undefined
    /** The control endpoint `/_sandbox/…` beside the gateway answers to this machine only, unless this is set. */
    readonly remoteControl?: boolean | undefined
    /** Pages of any origin may call the gateway, never the control endpoint; `false`. */
    readonly cors?: boolean | undefined
  }
}

/**
 * The sandbox could not be started; the port is taken, most likely.
 *
 * @since 0.1.0
 * @category errors
 */
export class SandboxError extends Data.TaggedError("SandboxError")<{ readonly message: string }> {}

const accountsByDefault: ReadonlyArray<Sandbox.Account> = [
  { accountId: "SBX01", accountType: "CFD", preferred: true },
  { accountId: "SBX02", accountType: "SPREADBET" }
]

const clientOf = (options: Sandbox.Options): World.Client => {
  const accounts = options.accounts ?? accountsByDefault
  const preferred = accounts.find((account) => account.preferred === true) ?? accounts[0]
  return {
    apiKey: options.apiKey ?? "sandbox-api-key",
    identifier: options.identifier ?? "sandbox",
    password: options.password ?? "Sandbox-Pa55word",
    accounts: accounts.map(({ accountId, accountName, accountType }) => ({
      accountId,
      accountType,
      accountName: accountName ?? `${accountType} account`
    })),
    preferred: preferred?.accountId ?? ""
  }
}

const makeGateway = (options: Sandbox.Options): Effect.Effect<Gateway.Gateway> =>
  Gateway.make(clientOf(options), {
    ...Switches.defaults,
    ...Switches.presets[options.preset ?? "unlimited"],
    ...options.switches
  })

const isMeant = (kinds: ReadonlyArray<World.TokenKind | "all">, kind: World.TokenKind): boolean =>
  kinds.includes(kind) || kinds.includes("all")

const serviceOf = (gateway: Gateway.Gateway, baseUrl: string): Sandbox.Service => {
  const { apiKey, identifier, password } = gateway.world()
  return {
    baseUrl,
    apiKey,
    identifier,
    password,
    record: Effect.sync(() => gateway.record()),
    issued: Effect.map(gateway.now, (now) =>
      [...gateway.world().tokens.values()].map((token) => ({
        kind: token.kind,
        label: token.label,
        value: token.value,
        accountId: token.accountId,
        isAlive: World.isAlive(gateway.world(), token, now)
      }))
    ),
    liveSessions: Effect.map(gateway.now, (now) => World.liveSessions(gateway.world(), now)),
    switches: Effect.sync(() => gateway.world().switches),
    setSwitches: (patch) =>
      Effect.sync(() => {
        const world = gateway.world()
        world.switches = { ...world.switches, ...patch }
      }),
    expire: (...kinds) =>
      Effect.sync(() =>
        World.kill(
          gateway.world(),
          World.tokenKinds.filter((kind) => isMeant(kinds, kind))
        )
      ),
    purge: Effect.sync(() => World.kill(gateway.world(), World.tokenKinds)),
    advance: (duration) => Effect.sync(() => gateway.advance(Duration.toMillis(duration))),
    inject: (fault) => Effect.sync(() => gateway.faults.plan(fault)),
    hold: (point, target) =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const released = yield* Deferred.make<void>()
        gateway.faults.plan({ ...target, kind: "hold", point, reached, released })
        return { reached: Deferred.await(reached), release: Effect.asVoid(Deferred.succeed(released, undefined)) }
      }),
    release: gateway.faults.release,
    clearFaults: Effect.sync(() => gateway.faults.clear()),
    reset: Effect.zipRight(
      gateway.faults.release,
      Effect.sync(() => gateway.reset())
    )
  }
}

/**
 * In memory: an `HttpClient` that no socket stands behind, for tests by the thousand, under whatever `Clock` is in
 * scope.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerHttpClient = (options: Sandbox.Options = {}): Layer.Layer<Sandbox | HttpClient.HttpClient> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const gateway = yield* makeGateway(options)
      const client = yield* Memory.makeClient(gateway)
      return Context.make(Sandbox, serviceOf(gateway, "https://sandbox.invalid/gateway/deal")).pipe(
        Context.add(HttpClient.HttpClient, client)
      )
    })
  )

/**
 * Over real HTTP on loopback, in this process, where the wire matters.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Sandbox.ServerOptions = {}): Layer.Layer<Sandbox, SandboxError> =>
  Layer.scoped(
    Sandbox,
    Effect.gen(function* () {
      const host = options.host ?? "127.0.0.1"
      const gateway = yield* makeGateway(options)
      const control = Control.make(serviceOf(gateway, ""))
      const port = yield* Server.start(gateway, control, {
        port: options.port ?? 0,
        host,
        remoteControl: options.remoteControl ?? false,
        cors: options.cors ?? false
      }).pipe(Effect.mapError((error) => new SandboxError({ message: `The sandbox cannot listen: ${error.message}` })))
      return serviceOf(gateway, `http://${host.includes(":") ? `[${host}]` : host}:${port}/gateway/deal`)
    })
  )
