import { isDeepStrictEqual } from 'node:util'
import {
  applyEdits,
  createScanner,
  type Edit,
  findNodeAtLocation,
  getNodeValue,
  type ModificationOptions,
  modify,
  type Node,
  parseTree,
  type SyntaxKind,
} from 'jsonc-parser'
import type { Change } from './change.ts'

/** Of the kinds of tokens, which the library has as types alone. */
const KIND = { comma: 5, lineComment: 12, blockComment: 13, lastTrivia: 15, end: 17 } as const

/** The text of a JSON file with the changes made, and with all its comments. Pure. */
export function editJsonc(text: string, changes: readonly Change[]): string {
  return changes.reduce((edited, change) => applyEdits(edited, editsFor(edited, change)), text)
}

/** What stands at a place, as it is written there. */
export function sourceAt(text: string, place: readonly string[]): string | undefined {
  const node = nodeAt(text, place)
  return node && text.slice(node.offset, node.offset + node.length)
}

/** The comments of a text, in order. */
export function commentsIn(text: string): string[] {
  return tokensIn(text).flatMap(({ kind, offset, end }) =>
    kind === KIND.lineComment || kind === KIND.blockComment ? [text.slice(offset, end).trim()] : [],
  )
}

function editsFor(text: string, { place, value, source, isMoved = false }: Change): Edit[] {
  const node = nodeAt(text, place)
  if (value === undefined) return node?.parent ? removal(text, node.parent, isMoved) : []
  const added = node && prefixOf(getNodeValue(node), value)
  const [first] = node?.children ?? []
  if (added && first) return [insertionBefore(text, first, added)]
  const options = formattingOf(text)
  if (source === undefined) return modify(text, [...place], value, options)
  // A stand-in, so that what comes around it is written as everywhere.
  const edited = applyEdits(text, modify(text, [...place], 0, options))
  const standIn = nodeAt(edited, place) as Node
  const whole = `${edited.slice(0, standIn.offset)}${source}${edited.slice(standIn.offset + standIn.length)}`
  return [{ offset: 0, length: text.length, content: whole }]
}

function nodeAt(text: string, place: readonly string[]): Node | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true })
  return root && findNodeAtLocation(root, [...place])
}

/** What a list has more at its front than before. */
function prefixOf(before: unknown, after: unknown): unknown[] | undefined {
  if (!Array.isArray(before) || !Array.isArray(after) || after.length <= before.length) return undefined
  const more = after.length - before.length
  return isDeepStrictEqual(after.slice(more), before) ? after.slice(0, more) : undefined
}

/** As the list is written already: in one line, or each in its own. */
function insertionBefore(text: string, first: Node, added: readonly unknown[]): Edit {
  const lead = /(?:^|\n)([ \t]*)$/.exec(text.slice(0, first.offset))
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const gap = lead ? `${eol}${lead[1]}` : /[:,] /.test(text) ? ' ' : ''
  return {
    offset: first.offset,
    length: 0,
    content: added.map(one => `${JSON.stringify(one)},${gap}`).join(''),
  }
}

/** Takes a property away. Comments around it stay, and those within it where it goes nowhere else. */
function removal(text: string, property: Node, isMoved: boolean): Edit[] {
  const { offset, length } = property
  const end = offset + length
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const left = (isMoved ? [] : commentsIn(text.slice(offset, end))).map(comment => `${comment}${eol}`)
  const tokens = tokensIn(text).filter(({ isTrivia }) => !isTrivia)
  const next = tokens.find(token => token.offset >= end)
  const before = tokens.findLast(token => token.end <= offset)
  const comma = [next, before].find(token => token?.kind === KIND.comma)
  const isCommaNext = comma !== undefined && comma === next
  const commaEdit = comma ? [{ offset: comma.offset, length: 1, content: '' }] : []
  const own = { offset, length, content: left.join('') }
  if (left.length > 0) return [own, ...commaEdit]
  const until = isCommaNext && text.slice(end, comma.offset).trim() === '' ? comma.end : end
  const range = withItsLine(text, offset, until)
  const isIn = (edit: Edit) => edit.offset >= range.offset && edit.offset < range.offset + range.length
  return [range, ...commaEdit.filter(edit => !isIn(edit))]
}

/** The line, where nothing else stands in it; otherwise the space before or behind. */
function withItsLine(text: string, offset: number, end: number): Edit {
  const [space = ''] = /[ \t]*$/.exec(text.slice(0, offset)) ?? []
  const [behind = ''] = /^[ \t]*(?:\r?\n)?/.exec(text.slice(end)) ?? []
  const start = offset - space.length
  const isLine = (start === 0 || text[start - 1] === '\n') && behind.endsWith('\n')
  const isOpen = /[{\n]$/.test(text.slice(0, start)) && !behind.endsWith('\n')
  if (isLine) return { offset: start, length: end + behind.length - start, content: '' }
  if (isOpen) return { offset, length: end + behind.length - offset, content: '' }
  return { offset: start, length: end - start, content: '' }
}

interface Token {
  readonly kind: SyntaxKind
  readonly offset: number
  readonly end: number
  readonly isTrivia: boolean
}

function tokensIn(text: string): Token[] {
  const scanner = createScanner(text, false)
  const tokens: Token[] = []
  for (let kind = scanner.scan(); kind !== KIND.end; kind = scanner.scan()) {
    const offset = scanner.getTokenOffset()
    const isTrivia = kind >= KIND.lineComment && kind <= KIND.lastTrivia
    tokens.push({ kind, offset, end: offset + scanner.getTokenLength(), isTrivia })
  }
  return tokens
}

/** As the text has it already: what stands in one line stays there. */
function formattingOf(text: string): ModificationOptions {
  if (!text.trim().includes('\n')) return {}
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  '
  return {
    formattingOptions: {
      insertSpaces: !indent.startsWith('\t'),
      tabSize: indent.startsWith('\t') ? 1 : indent.length,
      eol: /\r\n/.test(text) ? '\r\n' : '\n',
      keepLines: true,
    },
  }
}
