/** What an audit came to. A registry that does not answer has found nothing out: that is never "none". */
export type Audit =
  | { readonly verdict: "unavailable"; readonly why: string }
  | { readonly verdict: "none"; readonly packages: number }
  | { readonly verdict: "vulnerable"; readonly advisories: ReadonlyArray<string> }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const unavailable = (why: unknown): Audit => ({
  verdict: "unavailable",
  why: typeof why === "string" && why !== "" ? (why.split("\n")[0] ?? why) : "the answer is none that is understood"
})

const messageOf = (report: Readonly<Record<string, unknown>>): unknown =>
  report["message"] ?? (isRecord(report["error"]) ? (report["error"]["summary"] ?? report["error"]["code"]) : undefined)

const severityOf = (found: unknown): string => (isRecord(found) ? String(found["severity"]) : "of unknown severity")

/** Reads what `npm audit --json` prints. */
export const readAudit = (output: string): Audit => {
  const report = parse(output)
  if (!isRecord(report)) return unavailable(output.trim())
  const { metadata, vulnerabilities } = report
  if (!isRecord(vulnerabilities) || !isRecord(metadata) || !isRecord(metadata["dependencies"])) {
    return unavailable(messageOf(report))
  }
  const packages = metadata["dependencies"]["total"]
  if (typeof packages !== "number" || packages === 0) return unavailable("no package was looked at")
  const advisories = Object.entries(vulnerabilities).map(([name, found]) => `${name} (${severityOf(found)})`)
  return advisories.length === 0 ? { verdict: "none", packages } : { verdict: "vulnerable", advisories }
}

export const inWords = (audit: Audit): string => {
  switch (audit.verdict) {
    case "unavailable":
      return `unavailable: ${audit.why}`
    case "none":
      return `no known vulnerability in ${audit.packages} packages`
    case "vulnerable":
      return `vulnerable: ${audit.advisories.join(", ")}`
  }
}
