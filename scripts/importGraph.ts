import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path"
import ts from "typescript"

/** One file's import of another or of a package; both sides as paths below the root, a package by its specifier. */
export interface Import {
  readonly from: string
  readonly to: string
  /** Gone when the program runs. */
  readonly isType: boolean
}

const isTypeImport = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean => {
  if (ts.isExportDeclaration(node)) {
    const { exportClause, isTypeOnly } = node
    return isTypeOnly || isAllTypes(exportClause)
  }
  const clause = node.importClause
  return clause !== undefined && (clause.isTypeOnly || (clause.name === undefined && isAllTypes(clause.namedBindings)))
}

const isAllTypes = (bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean =>
  bindings !== undefined &&
  (ts.isNamedImports(bindings) || ts.isNamedExports(bindings)) &&
  bindings.elements.length > 0 &&
  bindings.elements.every(({ isTypeOnly }) => isTypeOnly)

const importsOf = (from: string, text: string): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  const add = (specifier: ts.Node, isType: boolean): void => {
    if (!ts.isStringLiteral(specifier)) return
    const to = specifier.text.startsWith(".") ? normalize(join(dirname(from), specifier.text)) : specifier.text
    found.push({ from, to, isType })
  }
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      add(node.moduleSpecifier, isTypeImport(node))
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      for (const argument of node.arguments.slice(0, 1)) add(argument, false)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(from, text, ts.ScriptTarget.ES2022))
  return found
}

const filesBelow = (root: string, folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return /^(node_modules|build)$/.test(entry.name) ? [] : filesBelow(root, path)
    return /\.m?ts$/.test(entry.name) ? [path] : []
  })

/** Every import of the TypeScript files below a folder of the root, if need be of those alone that hold a text. */
export const importGraph = (root: string, folder: string, holding = ""): ReadonlyArray<Import> =>
  filesBelow(root, folder).flatMap((path) => {
    const text = readFileSync(join(root, path), "utf8")
    return text.includes(holding) ? importsOf(path, text) : []
  })

/** A way from a file back to itself by imports that exist when the program runs. */
export const cycleIn = (imports: ReadonlyArray<Import>): ReadonlyArray<string> | undefined => {
  const next = new Map<string, Array<string>>()
  for (const { from, isType, to } of imports) {
    if (!isType) next.set(from, [...(next.get(from) ?? []), to])
  }
  const done = new Set<string>()
  const walk = (file: string, way: ReadonlyArray<string>): ReadonlyArray<string> | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const to of next.get(file) ?? []) {
      const cycle = walk(to, [...way, file])
      if (cycle !== undefined) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of next.keys()) {
    const cycle = walk(file, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
