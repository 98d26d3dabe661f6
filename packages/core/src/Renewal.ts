/**
 * How the session is kept alive. Nothing has to be provided: calls renew the session by themselves, unless they are told
 * not to.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"

/**
 * Whether calls renew the session, and how early.
 *
 * @since 0.1.0
 * @category models
 */
export interface Settings {
  /** When off, a call with a dead token fails with IG's refusal, and `Session.refresh` does nothing but refresh. */
  readonly isOn: boolean
  /**
   * A bearer that has less than this left is renewed before it is used; 10 seconds. Never more than a third of its
   * lifetime counts.
   */
  readonly margin: Duration.Duration
}

const defaults: Settings = { isOn: true, margin: Duration.seconds(10) }

/**
 * The settings of renewal; on, without a layer.
 *
 * @since 0.1.0
 * @category references
 */
export class Renewal extends Context.Reference<Renewal>()("@effect-ig/core/Renewal", {
  defaultValue: (): Settings => defaults
}) {}

/**
 * On, with a margin of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: { readonly margin: Duration.DurationInput }): Layer.Layer<Renewal> =>
  Layer.succeed(Renewal, { isOn: true, margin: Duration.decode(options.margin) })

/**
 * Off: a dead token is the caller's to renew.
 *
 * @since 0.1.0
 * @category layers
 */
export const off: Layer.Layer<Renewal> = Layer.succeed(Renewal, { ...defaults, isOn: false })
