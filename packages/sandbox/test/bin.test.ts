import { describe, expect, it } from "vitest"
import { isFree, start } from "./utils/executable.ts"

describe("ig-sandbox", () => {
  it("tells what it can do", async () => {
    const { code, err, out } = await start("--help").ended
    expect({ code, err }).toEqual({ code: 0, err: "" })
    for (const option of ["--port", "--host", "--preset", "--switches", "--remote-control"])
      expect(out).toContain(option)
  })

  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: string]> = [
    [["--port", "http"], "--port"],
    [["--port", "70000"], "--port"],
    [["--preset", "generous"], "--preset"],
    [["--switches", "{"], "--switches"],
    [["--switches", '{"gzipp":true}'], "gzipp"],
    [["--nonsense"], "--nonsense"]
  ]
  it("says in words what is wrong with its options, and exits 2", async () => {
    const runs = await Promise.all(wrong.map(([args]) => start(...args).ended))
    for (const [index, { code, err, out }] of runs.entries()) {
      expect({ code, out }).toEqual({ code: 2, out: "" })
      expect(err).toMatch(/^ig-sandbox: /)
      expect(err).toContain(wrong[index]?.[1])
    }
  })

  for (const [signal, times] of [
    ["SIGINT", 1],
    ["SIGTERM", 1],
    ["SIGINT", 2]
  ] as const) {
    it(`says where it listens, and ends on ${signal} (sent ${times}) with the port free`, async () => {
      const running = start("--port", "0", "--api-key", "mine", "--switches", '{"requestId":false}')
      const port = Number(
        /^IG sandbox listening on http:\/\/127\.0\.0\.1:(\d+)\/gateway\/deal$/.exec(await running.firstLine)?.[1]
      )
      const answer = await fetch(`http://127.0.0.1:${port}/gateway/deal/session/encryptionKey`, {
        headers: { "x-ig-api-key": "mine" }
      })
      expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, null])
      for (let i = 0; i < times; i++) running.kill(signal)
      const { code, err } = await running.ended
      expect({ code, err }).toEqual({ code: 0, err: "" })
      expect(await isFree(port)).toBe(true)
    })
  }

  it("says that a port is taken, and exits 1", async () => {
    const first = start("--port", "0")
    const port = /:(\d+)\//.exec(await first.firstLine)?.[1] ?? ""
    const { code, err } = await start("--port", port).ended
    first.kill("SIGTERM")
    await first.ended
    expect(code).toBe(1)
    expect(err).toContain("cannot listen")
  })
})
