/** What the one worker remembers from test file to test file, and from mutant to mutant. */

interface Coverage {
  static: Record<string, number>
  perTest: Record<string, Record<string, number>>
}

/** What Stryker and its mutants talk by. */
export interface Stryker {
  activeMutant?: string | undefined
  mutantCoverage?: Coverage
}

interface Globals {
  __stryker__?: Stryker
  readonly __vitest_worker__: { readonly moduleCache: Map<string, unknown> }
}

declare module "vitest" {
  export interface ProvidedContext {
    readonly mode?: "dry-run" | "mutant"
    readonly mutantActivation?: "static" | "runtime"
    readonly activeMutant?: string
  }
}

export const globals: typeof globalThis & Globals = Object.assign(globalThis, {
  __vitest_worker__: Reflect.get(globalThis, "__vitest_worker__")
})

export const stryker: Stryker = (globals.__stryker__ ??= {})

export const worker: {
  /** The mutant that modules were read with, if it is one of those that act while a module is read. */
  readWith: string | undefined
  /** What the mutants count in, which they ask for only once. */
  readonly counted: Coverage
} = { readWith: undefined, counted: { static: {}, perTest: {} } }
