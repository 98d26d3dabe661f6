/** IG's header names, and how none of their secrets gets printed. */
import * as Headers from "@effect/platform/Headers"

export const secretNames: ReadonlyArray<string> = ["x-ig-api-key", "cst", "x-security-token", "authorization"]

function masked(this: Headers.Headers): Record<string, string> {
  return Object.fromEntries(
    Object.entries(this).map(([name, value]) => [name, secretNames.includes(name) ? "<redacted>" : value])
  )
}

const prototype: object = Object.create(Object.getPrototypeOf(Headers.empty), {
  toJSON: { value: masked },
  [Symbol.for("nodejs.util.inspect.custom")]: { value: masked }
})

/**
 * Platform masks headers in its own spans and loggers only. These mask themselves wherever they are printed, so that a
 * user's client which prints the request object as it is shows no token.
 */
export const concealed = (headers: Record<string, string>): Headers.Headers =>
  Object.assign(Object.create(prototype), headers)
