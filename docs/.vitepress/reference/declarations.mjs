import ts from 'typescript'

/**
 * What the package exports, each symbol once: its name, the entry points that give it, and the file that declares it.
 *
 * @typedef {{ name: string, specifier: string }} Alias
 * @typedef {{ name: string, specifier: string, symbol: ts.Symbol, declaration: ts.Declaration, path: string, aliases: Alias[], isInner?: boolean }} Export
 * @param {Readonly<Record<string, string>>} entryPoints a declaration file for each specifier
 * @param {string} folder where all declarations of the package are
 * @returns {{ exports: Export[], checker: ts.TypeChecker }}
 */
export function readExports(entryPoints, folder) {
  const program = ts.createProgram(Object.values(entryPoints), {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    exactOptionalPropertyTypes: true,
    strict: true,
    skipLibCheck: true,
  })
  const checker = program.getTypeChecker()
  /** @type {Map<ts.Symbol, Export>} */
  const exports = new Map()
  for (const [specifier, file] of Object.entries(entryPoints)) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${specifier} has no declarations at ${file}: run npm run build first.`)
    for (const exported of checker.getExportsOfModule(module)) {
      const { name } = exported
      const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
      const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
      const known = exports.get(symbol)
      if (known) {
        known.aliases.push({ name, specifier })
        continue
      }
      const declaration = symbol.declarations?.[0]
      if (!declaration) throw new Error(`${name} of ${specifier} is declared nowhere.`)
      const path = declaration
        .getSourceFile()
        .fileName.slice(folder.length + 1)
        .replace(/\.d\.ts$/, '')
      exports.set(symbol, { name, specifier, symbol, declaration, path, aliases: [] })
    }
  }
  return { exports: [...exports.values()], checker }
}

/**
 * The words above a declaration, and what its tags say.
 *
 * @param {ts.Symbol | ts.Signature} of
 * @param {ts.TypeChecker} checker
 */
export function docOf(of, checker) {
  const tags = of.getJsDocTags()
  const tag = (/** @type {string} */ name) => {
    const found = tags.filter(one => one.name === name).map(one => oneLine(ts.displayPartsToString(one.text)))
    return found.length === 0 ? undefined : found.join('; ')
  }
  return {
    text: oneLine(ts.displayPartsToString(of.getDocumentationComment(checker))),
    defaultValue: tag('defaultValue'),
    throws: tag('throws'),
    isInternal: tags.some(one => one.name === 'internal'),
  }
}

/** @param {string} text */
export const oneLine = text => text.replaceAll(/\s+/g, ' ').trim()
