/** Imports modules in a process that has done nothing yet, and says what that took: `node importing.mjs MODULE…`. */
const modules = process.argv.slice(2)

const cpu = process.cpuUsage()
const begun = performance.now()
await Promise.all(modules.map((module) => import(module)))
const wall = performance.now() - begun
const { system, user } = process.cpuUsage(cpu)

process.send?.({ wall, cpu: (user + system) / 1_000 })
process.on("disconnect", () => process.exit(0))
