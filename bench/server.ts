/** The gateway in a process of its own. Ends with its parent. */
import { createServer } from "node:http"
import { base, obey, type Order, respond } from "./gateway.ts"

const server = createServer({ keepAliveTimeout: 600_000 }, respond)

process.on("message", (order: Order) => process.send?.(obey(order)))
process.on("disconnect", () => process.exit(0))

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  process.send?.(`http://127.0.0.1:${address.port}${base}`)
})
