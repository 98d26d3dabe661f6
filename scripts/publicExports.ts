import { dirname, resolve } from "node:path"
import ts from "typescript"
import { manifests } from "./manifests.ts"

/** What a package offers under one of the paths of its `exports`; the module itself is named by its path alone. */
export interface PublicExport {
  readonly name: string
  readonly lacks: ReadonlyArray<string>
}

interface Module {
  readonly path: string
  readonly file: string
}

const modules = (root: string): ReadonlyArray<Module> =>
  manifests(root).flatMap(({ exports, folder, name }) =>
    Object.entries(exports)
      .filter((entry): entry is [string, string] => entry[1]?.endsWith(".ts") === true)
      .map(([path, file]) => ({ path: `${name}${path.slice(1)}`, file: resolve(folder, file) }))
  )

/** Reads our files and no others: what an export is made of does not matter, and effect's types take seconds. */
const programOf = (files: ReadonlyArray<string>): ts.Program => {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    noLib: true,
    types: [],
    allowImportingTsExtensions: true
  }
  const host = ts.createCompilerHost(options)
  host.resolveModuleNameLiterals = (literals, from) =>
    literals.map(({ text }) => ({
      resolvedModule: text.startsWith(".")
        ? { resolvedFileName: resolve(dirname(from), text), extension: ts.Extension.Ts }
        : undefined
    }))
  return ts.createProgram({ rootNames: files, options, host })
}

const commentsOf = (node: ts.Node): ReadonlyArray<ts.JSDoc> => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)

const isDescribed = (comment: ts.JSDoc | undefined): boolean =>
  (ts.getTextOfJSDocComment(comment?.comment)?.trim() ?? "") !== ""

const tagsOf = (comment: ts.JSDoc | undefined): ReadonlyArray<string> =>
  comment?.tags?.map(({ tagName }) => tagName.text) ?? []

/** Each declaration has its tags; one sentence is enough for a schema and the type of what it decodes to. */
const lacking = (comments: ReadonlyArray<ts.JSDoc | undefined>, tags: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...(comments.some(isDescribed) ? [] : ["a description"]),
  ...tags.filter((tag) => comments.some((comment) => !tagsOf(comment).includes(tag))).map((tag) => `@${tag}`)
]

/**
 * Of overloads the first speaks for all, and a namespace says what its members say; a type and a value of one name are
 * two things.
 */
const documented = (declarations: ReadonlyArray<ts.Declaration>): ReadonlyArray<ts.Declaration> => {
  const overloads = declarations.filter(ts.isFunctionDeclaration)
  const others = declarations.filter((one) => !ts.isFunctionDeclaration(one) && !ts.isModuleDeclaration(one))
  return [...overloads.slice(0, 1), ...others]
}

const lackingOf = (declarations: ReadonlyArray<ts.Declaration>): ReadonlyArray<string> =>
  lacking(
    documented(declarations).map((declaration) => commentsOf(declaration).at(-1)),
    ["since", "category"]
  )

const namedExports = (checker: ts.TypeChecker, parent: ts.Symbol, path: string): ReadonlyArray<PublicExport> =>
  checker.getExportsOfModule(parent).flatMap((exported) => {
    if (exported.flags & ts.SymbolFlags.Prototype) return []
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const isType = exported.declarations?.some(ts.isTypeOnlyImportOrExportDeclaration) === true
    const declarations = (target.declarations ?? []).filter((one) => !isType || !ts.isVariableDeclaration(one))
    const name = `${path}.${exported.name}`
    return [
      { name, lacks: declarations.length === 0 ? ["a declaration of ours"] : lackingOf(documented(declarations)) },
      ...(declarations.some(ts.isModuleDeclaration) ? namedExports(checker, target, name) : [])
    ]
  })

const exportsOf = (checker: ts.TypeChecker, source: ts.SourceFile, path: string): ReadonlyArray<PublicExport> => {
  const symbol = checker.getSymbolAtLocation(source)
  const [first] = source.statements
  const header = first === undefined ? undefined : commentsOf(first)[0]
  return [
    { name: path, lacks: lacking([header], ["since"]) },
    ...(symbol === undefined ? [] : namedExports(checker, symbol, path))
  ]
}

/** Every public module and export of the packages below a root, with what its documentation lacks. */
export const publicExports = (root: string): ReadonlyArray<PublicExport> => {
  const all = modules(root)
  const program = programOf(all.map(({ file }) => file))
  const checker = program.getTypeChecker()
  return all.flatMap(({ file, path }) => {
    const source = program.getSourceFile(file)
    return source === undefined ? [{ name: path, lacks: ["its file"] }] : exportsOf(checker, source, path)
  })
}
