import ts from 'typescript'
import { baseOf } from './bases.mjs'
import { docOf, oneLine } from './declarations.mjs'

/**
 * Writes exports of the package as Markdown.
 *
 * @typedef {import('./declarations.mjs').Export} Export
 * @param {ts.TypeChecker} checker
 * @param {string} folder where all declarations of the package are
 * @param {ReadonlyMap<ts.Symbol, string>} addresses where each section is
 */
export function sectionWriter(checker, folder, addresses) {
  /** @param {Export} exported */
  function section(exported) {
    const { name, symbol, declaration } = exported
    const heading = `## ${name}`
    const from = fromOf(exported)
    return [heading, ...from, ...bodyOf(symbol, declaration)].join('\n\n')
  }

  /** @param {ts.Symbol} symbol @param {ts.Declaration} declaration */
  function bodyOf(symbol, declaration) {
    const words = sentence(docOf(symbol, checker))
    if (ts.isFunctionDeclaration(declaration)) return functionOf(symbol, declaration)
    if (ts.isClassDeclaration(declaration)) return [...words, ...classOf(symbol, declaration)]
    if (ts.isInterfaceDeclaration(declaration))
      return [...words, ...members(checker.getDeclaredTypeOfSymbol(symbol), symbol)]
    if (ts.isTypeAliasDeclaration(declaration)) {
      const isRecord = ts.isTypeLiteralNode(declaration.type)
      return [
        ...words,
        ...(isRecord
          ? members(checker.getDeclaredTypeOfSymbol(symbol), symbol)
          : [code(typeText(declaration.type))]),
      ]
    }
    if (ts.isVariableDeclaration(declaration) && declaration.type) {
      const { type } = declaration
      if (ts.isTypeLiteralNode(type)) return [...words, ...members(checker.getTypeFromTypeNode(type), symbol)]
      return [...words, code(`${symbol.name}: ${typeText(type)}`)]
    }
    return words
  }

  /** @param {ts.Symbol} symbol @param {ts.FunctionDeclaration} first */
  function functionOf(symbol, first) {
    const overloads = (symbol.declarations ?? [first]).filter(ts.isFunctionDeclaration)
    return overloads.flatMap(one => {
      const signature = checker.getSignatureFromDeclaration(one)
      return [
        code(signatureText(symbol.name, one)),
        ...(signature ? sentence(docOf(signature, checker)) : []),
      ]
    })
  }

  /** @param {ts.Symbol} symbol @param {ts.ClassDeclaration} declaration */
  function classOf(symbol, declaration) {
    const constructors = declaration.members.filter(ts.isConstructorDeclaration)
    const made = constructors.map(one => code(signatureText(`new ${symbol.name}`, one)))
    const lines = declaration.members.flatMap(member => {
      if (ts.isConstructorDeclaration(member) || !member.name || ts.isPrivateIdentifier(member.name))
        return []
      const own = checker.getSymbolAtLocation(member.name)
      const isHidden =
        ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
      if (!own || isHidden) return []
      if (!ts.isMethodDeclaration(member)) return propertyLine(own, 0)
      const signature = checker.getSignatureFromDeclaration(member)
      const doc = signature && docOf(signature, checker)
      if (doc?.isInternal) return []
      return [
        `- \`${signatureText(member.name.getText(), member)}\`${spaced(sentence(doc ?? { text: '' })[0])}`,
      ]
    })
    return [...made, ...(lines.length > 0 ? [lines.join('\n')] : [])]
  }

  /** The properties of a type, one a line; those that another type declares by their names. @param {ts.Type} type @param {ts.Symbol} owner */
  function members(type, owner) {
    const lines = []
    /** @type {Map<string, string[]>} */
    const elsewhere = new Map()
    for (const property of checker.getPropertiesOfType(type)) {
      const isForeign =
        property.declarations?.[0] && !property.declarations[0].getSourceFile().fileName.startsWith(folder)
      const base = baseOf(property, owner, folder, checker)
      const address = base && addresses.get(base)
      const place = isForeign ? 'the SDK' : address && `[\`${base.name}\`](${address})`
      if (place) elsewhere.set(place, [...(elsewhere.get(place) ?? []), `\`${property.name}\``])
      else lines.push(...propertyLine(property, 0))
    }
    for (const signature of type.getCallSignatures()) {
      const at = signature.getDeclaration()
      if (at) lines.unshift(`- \`${signatureText('', at)}\`${spaced(sentence(docOf(signature, checker))[0])}`)
    }
    for (const [place, names] of elsewhere) lines.push(`- As in ${place}: ${names.join(', ')}`)
    return lines.length > 0 ? [lines.join('\n')] : []
  }

  /** @param {ts.Symbol} property @param {number} depth @returns {string[]} */
  function propertyLine(property, depth) {
    const at = property.declarations?.[0]
    const doc = docOf(property, checker)
    if (doc.isInternal || property.name.startsWith('__@')) return []
    if (at && (ts.isMethodSignature(at) || ts.isMethodDeclaration(at))) {
      const all = (property.declarations ?? []).filter(one => ts.isMethodSignature(one))
      const signatures = (all.length > 0 ? all : [at]).map(one => `\`${signatureText(property.name, one)}\``)
      return [`${'  '.repeat(depth)}- ${signatures.join(', ')}${spaced(sentence(doc)[0])}`]
    }
    const type = at && (ts.isPropertySignature(at) || ts.isPropertyDeclaration(at)) ? at.type : undefined
    const record = type && recordIn(type)
    const shown = record
      ? ''
      : ` \`${type ? typeText(type) : checker.typeToString(checker.getTypeOfSymbol(property))}\``
    const line = `${'  '.repeat(depth)}- **\`${property.name}\`**${shown}${spaced(sentence(doc)[0])}`
    if (!record) return [line]
    return [
      line,
      ...checker
        .getPropertiesOfType(checker.getTypeFromTypeNode(record))
        .flatMap(one => propertyLine(one, depth + 1)),
    ]
  }

  return section
}

/** Where it is imported from. @param {Export} exported */
function fromOf({ name, specifier, aliases, isInner }) {
  if (isInner) return ['What others on this page have in common; it has no name of its own in the package.']
  const others = aliases.map(one => `\`${one.specifier}\`${one.name === name ? '' : ` as \`${one.name}\``}`)
  if (specifier === 'mcp-refcache' && others.length === 0) return []
  return [`From ${[`\`${specifier}\``, ...others].join(', ')}.`]
}

/** An object that is written out in the place of a type, beside undefined at most. @param {ts.TypeNode} type */
function recordIn(type) {
  if (ts.isTypeLiteralNode(type)) return type
  if (!ts.isUnionTypeNode(type)) return undefined
  const parts = type.types.filter(part => part.kind !== ts.SyntaxKind.UndefinedKeyword)
  const [only] = parts
  return parts.length === 1 && only && ts.isTypeLiteralNode(only) ? only : undefined
}

const printer = ts.createPrinter({ removeComments: true })

/** @param {ts.Node} node */
function print(node) {
  return oneLine(printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()))
    .replaceAll(/;(?= ?})/g, '')
    .replaceAll('"', "'")
}

/** @param {ts.TypeNode} type */
const typeText = type => print(type).replace(/ \| undefined$/, '')

/** @param {string} name @param {ts.SignatureDeclaration} declaration */
function signatureText(name, declaration) {
  const types = declaration.typeParameters?.map(print).join(', ')
  const parameters = declaration.parameters.map(print).join(', ').replaceAll(' | undefined', '')
  const result = declaration.type ? `: ${print(declaration.type)}` : ''
  return `${name}${types ? `<${types}>` : ''}(${parameters})${result}`
}

/** @param {{ text: string, defaultValue?: string | undefined, throws?: string | undefined }} doc @returns {string[]} */
function sentence({ text, defaultValue, throws }) {
  const said = [
    text,
    defaultValue && `_Default:_ ${defaultValue}.`.replace(/\.\.$/, '.'),
    throws && `_Throws_ ${throws}.`.replace(/\.\.$/, '.'),
  ].filter(Boolean)
  return said.length === 0 ? [] : [asMarkdown(said.join(' '))]
}

/** Words of docstrings are no HTML, and no list. @param {string} text */
const asMarkdown = text =>
  text
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 ? part : part.replaceAll('<', '\\<').replaceAll('{', '\\{')))
    .join('')

/** @param {string | undefined} text */
const spaced = text => (text ? `: ${text}` : '')

/** @param {string} text */
const code = text => `\`\`\`typescript\n${text}\n\`\`\``
