// The installed `ig-sandbox`: starts on a free port, takes a login, and ends by itself on a signal.
import { once } from "node:events"
import { createServer } from "node:net"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { ensure, outcome, signalGroup, start } from "./run.mjs"

const limit = 20_000

/** What `promise` answers with, or nothing when it takes too long. */
const within = (promise) => Promise.race([promise, sleep(limit, undefined, { ref: false })])

const logIn = async (gateway) => {
  const response = await fetch(`${gateway}/session`, {
    method: "POST",
    headers: { "content-type": "application/json", version: "2", "x-ig-api-key": "sandbox-api-key" },
    body: JSON.stringify({ identifier: "sandbox", password: "Sandbox-Pa55word" })
  })
  const body = await response.json()
  ensure(
    response.status === 200 && response.headers.get("cst") !== null && body.currentAccountId === "SBX01",
    `A login at ${gateway} was answered with ${response.status} ${JSON.stringify(body)}.`
  )
}

const isFree = async (port) => {
  const server = createServer()
  const listening = once(server, "listening").then(
    () => true,
    () => false
  )
  server.listen(port, "127.0.0.1")
  const free = await listening
  server.close()
  return free
}

/** An orphan that has ended counts until the system's first process has taken notice of it. */
const isGone = async (child) => {
  for (let waited = 0; signalGroup(child, 0); waited += 50) {
    if (waited >= limit) return false
    await sleep(50)
  }
  return true
}

/** Starts the executable, logs in, and sends `signal` to the process that was started or to all of its group. */
export const serveAndEnd = async ({ command, args, cwd, signal, toGroup = false }) => {
  const name = [command, ...args].join(" ")
  const child = start(command, args, cwd)
  const ending = outcome(child)
  const line = once(createInterface({ input: child.stdout }), "line").then(([text]) => text)
  const first = await within(Promise.race([line, ending.then(({ stderr }) => stderr)]))
  const address = /^IG sandbox listening on (http:\/\/127\.0\.0\.1:(\d+)\/gateway\/deal)$/.exec(first ?? "")
  ensure(address !== null, `"${name}" did not begin with its address: ${first ?? "it printed nothing"}`)
  await logIn(address[1])

  if (toGroup) signalGroup(child, signal)
  else child.kill(signal)
  const ended = await within(ending)
  ensure(ended !== undefined, `"${name}" was still running ${limit / 1000} s after ${signal}.`)
  ensure(ended.stderr === "", `"${name}" wrote to stderr: ${ended.stderr}`)
  ensure(await isGone(child), `"${name}" ended on ${signal} and left a child behind.`)
  ensure(await isFree(Number(address[2])), `"${name}" ended on ${signal} and its port ${address[2]} is still taken.`)
  return ended
}
