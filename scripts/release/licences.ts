/** What is read here of a CycloneDX bill of materials. */
export interface Bill {
  readonly components?: ReadonlyArray<Component>
}

export interface Component {
  readonly group?: string
  readonly name: string
  readonly version?: string
  readonly licenses?: ReadonlyArray<{
    readonly license?: { readonly id?: string; readonly name?: string }
    readonly expression?: string
  }>
}

/** Those under which code may be used beside ours by whoever uses it under MIT. */
const compatible = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BlueOak-1.0.0", "ISC", "MIT"])

export const nameOf = ({ group, name }: Component): string => (group === undefined ? name : `${group}/${name}`)

/** As declared; of several all must hold, and a component without any has none. */
export const licenceOf = ({ licenses = [] }: Component): string =>
  licenses.map(({ expression, license }) => expression ?? license?.id ?? license?.name ?? "unknown").join(" AND ") ||
  "none"

/** Of alternatives one is enough. What is nested deeper than that is for a person to read. */
const isCompatible = (licence: string): boolean =>
  licence.split(" AND ").every((part) =>
    part
      .replace(/^\((.*)\)$/, "$1")
      .split(" OR ")
      .some((alternative) => compatible.has(alternative))
  )

export const incompatible = ({ components = [] }: Bill): ReadonlyArray<string> =>
  components
    .filter((component) => !isCompatible(licenceOf(component)))
    .map((component) => `${nameOf(component)}: ${licenceOf(component)}`)

/** How many components are under which licence. */
export const summary = ({ components = [] }: Bill): string => {
  const counts = new Map<string, number>()
  for (const licence of components.map(licenceOf)) counts.set(licence, (counts.get(licence) ?? 0) + 1)
  return [...counts].map(([licence, count]) => `${count} ${licence}`).join(", ")
}

export const table = ({ components = [] }: Bill): string =>
  [
    "# Licences of what is installed with effect-ig",
    "",
    "| Package | Version | Licence |",
    "|---|---|---|",
    ...components.map((component) => `| ${nameOf(component)} | ${component.version ?? ""} | ${licenceOf(component)} |`),
    ""
  ].join("\n")
