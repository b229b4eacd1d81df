import ts from 'typescript'

/**
 * Which interface of the package declares a property, where that is not the one that has it.
 *
 * @param {ts.Symbol} property
 * @param {ts.Symbol} owner
 * @param {string} folder where all declarations of the package are
 * @param {ts.TypeChecker} checker
 */
export function baseOf(property, owner, folder, checker) {
  const at = property.declarations?.[0]
  if (!at?.getSourceFile().fileName.startsWith(folder)) return undefined
  if (!ts.isInterfaceDeclaration(at.parent)) return undefined
  const base = checker.getSymbolAtLocation(at.parent.name)
  return base === owner ? undefined : base
}

/**
 * The interfaces that several exports extend and none exports: they have sections of their own, on the page of the first.
 *
 * @typedef {import('./declarations.mjs').Export} Export
 * @param {readonly Export[]} exports
 * @param {string} folder
 * @param {ts.TypeChecker} checker
 * @returns {Export[]}
 */
export function sharedBases(exports, folder, checker) {
  const known = new Set(exports.map(({ symbol }) => symbol))
  /** @type {Map<ts.Symbol, Set<Export>>} */
  const users = new Map()
  for (const exported of exports) {
    if (!(exported.symbol.flags & ts.SymbolFlags.Interface)) continue
    for (const property of checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(exported.symbol))) {
      const base = baseOf(property, exported.symbol, folder, checker)
      if (base && !known.has(base)) users.set(base, (users.get(base) ?? new Set()).add(exported))
    }
  }
  return [...users].flatMap(([symbol, by]) => {
    const [first] = by
    const declaration = symbol.declarations?.[0]
    if (by.size < 2 || !first || !declaration) return []
    return [{ ...first, name: symbol.name, symbol, declaration, aliases: [], isInner: true }]
  })
}
