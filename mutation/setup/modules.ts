/**
 * Before each test file. Modules stay from mutant to mutant, since to read them takes longer than most tests; but a mutant
 * that acts while a module is read must be there then, and at no other time.
 */
import { globalValue } from "effect/GlobalValue"
import * as Metric from "effect/Metric"
import * as MutableHashMap from "effect/MutableHashMap"
import { inject } from "vitest"
import { globals, stryker, worker } from "./worker.ts"

/** The sandbox knows nothing of what is mutated. */
const isReread = (path: string): boolean => /\/packages\/(?!sandbox\/)/.test(path) && !path.includes("/node_modules/")

const isStatic = inject("mode") === "mutant" && inject("mutantActivation") === "static"

stryker.activeMutant = isStatic ? inject("activeMutant") : undefined

/** Effect keeps the default of a `Context.Reference` by its name, whichever module had asked for it first. */
const defaults = globalValue("effect/Context/defaultValueCache", () => new Map<string, unknown>())

/** Metrics are kept there as a mutant had them, and a name that is there twice fails tests whatever comes next. */
const { map: metrics } = Metric.globalMetricRegistry as unknown as {
  readonly map: MutableHashMap.MutableHashMap<unknown, unknown>
}

if (worker.readWith !== stryker.activeMutant) {
  for (const name of defaults.keys()) if (name.startsWith("@effect-ig/")) defaults.delete(name)
  MutableHashMap.clear(metrics)
  const { moduleCache } = globals.__vitest_worker__
  for (const path of moduleCache.keys()) if (isReread(path)) moduleCache.delete(path)
  worker.readWith = stryker.activeMutant
}
