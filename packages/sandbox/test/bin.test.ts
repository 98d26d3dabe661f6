import { describe, expect, it } from "@effect/vitest"
import { isFree, start } from "./utils/executable.ts"

const options = [
  "port",
  "host",
  "preset",
  "api-key",
  "identifier",
  "password",
  "switches",
  "remote-control",
  "cors",
  "help"
]

const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: string]> = [
  [["--port", "http"], `--port: Unable to decode "http" into a number`],
  [["--port", "70000"], "--port: Expected a number between 0 and 65535, actual 70000"],
  [["--preset", "generous"], "--preset: Expected unlimited, live or demo"],
  [["--switches", '{"gzip":\n}'], "--switches: "],
  [["--switches", '{"gzipp":true}'], "--switches: gzipp: is unexpected"],
  [["--nonsense"], "Unknown option '--nonsense'"],
  [["8080"], "Unexpected argument '8080'"]
]

describe("ig-sandbox", () => {
  it("tells what it can do", async () => {
    const { code, err, out } = await start("--help").ended
    expect({ code, err }).toEqual({ code: 0, err: "" })
    for (const option of options) expect(out).toMatch(new RegExp(`^ {2}--${option} `, "m"))
  })

  it("says in one line what is wrong with its options, and exits 2", async () => {
    const runs = await Promise.all(wrong.map(([args]) => start(...args).ended))
    expect(runs.map(({ code, out }) => ({ code, out }))).toEqual(wrong.map(() => ({ code: 2, out: "" })))
    for (const [index, { err }] of runs.entries()) {
      expect(err).toMatch(/^ig-sandbox: [^\n]+\n$/)
      expect(err).toContain(wrong[index]?.[1])
    }
  })

  for (const [signal, times] of [
    ["SIGINT", 1],
    ["SIGTERM", 1],
    ["SIGINT", 2],
    ["SIGTERM", 2]
  ] as const) {
    it(`says where it listens, and ends on ${signal} (sent ${times}) with the port free, whoever waits`, async () => {
      const running = start("--port", "0", "--api-key", "mine", "--switches", '{"requestId":false}')
      const line = await running.firstLine
      expect(line).toMatch(/^IG sandbox listening on http:\/\/127\.0\.0\.1:\d+\/gateway\/deal$/)
      const base = line.slice("IG sandbox listening on ".length)
      const ask = () => fetch(`${base}/session/encryptionKey`, { headers: { "x-ig-api-key": "mine" } })
      const answer = await ask()
      expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, null])
      const fault = await fetch(new URL("/_sandbox/faults", base), { method: "POST", body: '{"kind":"never"}' })
      expect(fault.status).toBe(200)
      const waits = ask().then(
        () => "answered",
        () => "hung up"
      )
      for (let i = 0; i < times; i++) running.kill(signal)
      const { code, err } = await running.ended
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(await waits).toBe("hung up")
      expect(await isFree(Number(new URL(base).port))).toBe(true)
    })
  }

  it("says that a port is taken, and exits 1", async () => {
    const first = start("--port", "0")
    const port = /:(\d+)\//.exec(await first.firstLine)?.[1] ?? ""
    const { code, err, out } = await start("--port", port).ended
    first.kill("SIGTERM")
    await first.ended
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toMatch(/^ig-sandbox: The sandbox cannot listen: [^\n]*EADDRINUSE[^\n]*\n$/)
  })
})
