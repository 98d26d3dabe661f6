/** How much a test does: one that runs against thousands of mutants can do less, and must then do it each time alike. */
export const isHurried = "MUTATED" in process.env

/** How often something is done; a fiftieth when in a hurry. */
export const runs = (all: number): number => (isHurried ? Math.ceil(all / 50) : all)

/** What takes long and reaches no line that nothing else reaches; left out when in a hurry. */
export const unhurried = <A>(dear: ReadonlyArray<A>): ReadonlyArray<A> => (isHurried ? [] : dear)
