/**
 * What the test file that runs now has printed. `setup/output.ts` fills it, and is read anew for each file, which this
 * module is not: so it is here.
 */
export const printed: Array<string> = []

/** Still searched, but not shown: for tests that print by the megabyte. */
export const shown = { isOn: true }
