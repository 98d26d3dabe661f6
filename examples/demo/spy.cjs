// Loaded by `node --require`: records what any HTTP server of the process receives, and can take the server away.
const { subscribe } = require("node:diagnostics_channel")
const { appendFileSync } = require("node:fs")

const { SPY_FILE, SPY_LAST } = process.env
let seen = 0

if (SPY_FILE !== undefined) {
  subscribe("http.server.request.start", ({ request, response, server }) => {
    seen += 1
    const line = `${request.method} ${request.url} ${request.headers.version ?? ""}`
    const answered = () =>
      appendFileSync(SPY_FILE, `${line} ${response.writableFinished ? response.statusCode : "-"}\n`)
    response.once("close", answered)
    if (seen === Number(SPY_LAST)) {
      server.close()
      server.closeAllConnections()
    }
  })
}
