/** Effect's `TestClock` yields by `setTimeout(0)`, which is a millisecond and more, at each of its steps. */
const { clearTimeout: clear, setTimeout: later } = globalThis

const isPatched = Symbol.for("effect-ig/mutation/soon")

if (!Reflect.has(globalThis, isPatched)) {
  Reflect.set(globalThis, isPatched, true)
  const immediates = new WeakMap<object, NodeJS.Immediate>()
  const soon = (callback: (...args: ReadonlyArray<unknown>) => void, args: ReadonlyArray<unknown>) => {
    const immediate = setImmediate(callback, ...args)
    immediates.set(immediate, immediate)
    return immediate
  }
  globalThis.setTimeout = Object.assign(
    (callback: (...args: ReadonlyArray<unknown>) => void, millis?: number, ...args: ReadonlyArray<unknown>) =>
      millis === 0 ? soon(callback, args) : later(callback, millis, ...args),
    later
  )
  globalThis.clearTimeout = (timer) => {
    const immediate = typeof timer === "object" ? immediates.get(timer) : undefined
    if (immediate === undefined) clear(timer)
    else clearImmediate(immediate)
  }
}
