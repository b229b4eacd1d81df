import { isDeepStrictEqual } from 'node:util'
import { parse as parseToml, patch as patchToml } from '@decimalturn/toml-patch'
import { applyEdits, type ModificationOptions, modify } from 'jsonc-parser'
import { parseRoot } from './parse-config.ts'

/** One change of a configuration. Without a value, the key is taken away. */
export interface Change {
  /** The keys that lead there. */
  readonly place: readonly string[]
  readonly value?: unknown
}

/**
 * The text with the changes made. Comments, order, and all that they do not name stay as they are. Pure.
 *
 * @throws Error where the text could not be changed without changing more: then nobody should write it
 */
export function editConfig(text: string, path: string, changes: readonly Change[]): string {
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
  const plain = text.slice(mark.length)
  const wanted = copy(parseRoot(plain, path))
  for (const change of changes) make(change, wanted)
  const edited = /\.toml$/i.test(path)
    ? patchToml(plain, withChanges(parseToml(plain), changes))
    : editJsonc(plain, changes)
  if (!isDeepStrictEqual(copy(parseRoot(edited, path)), wanted)) {
    throw new Error(`${path} cannot be changed without changing more than its servers: change it by hand.`)
  }
  return `${mark}${edited}`
}

function editJsonc(text: string, changes: readonly Change[]): string {
  const formattingOptions = formattingOf(text)
  return changes.reduce(
    (edited, { place, value }) => applyEdits(edited, modify(edited, [...place], value, formattingOptions)),
    text,
  )
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

type Table = Record<string, unknown>

function withChanges(root: object, changes: readonly Change[]): object {
  const changed = copy(root)
  for (const change of changes) make(change, changed)
  return changed
}

function make({ place, value }: Change, root: Table): void {
  const last = place.at(-1)
  if (last === undefined) return
  let table = root
  for (const key of place.slice(0, -1)) {
    if (!Object.hasOwn(table, key) || !isPlain(table[key])) put(table, key, {})
    table = table[key] as Table
  }
  if (value === undefined) delete table[last]
  else put(table, last, copied(value))
}

/** Also under the name `__proto__`. */
function put(table: Table, key: string, value: unknown): void {
  Object.defineProperty(table, key, { value, configurable: true, enumerable: true, writable: true })
}

/** Of tables and lists alone: TOML's dates are objects of their own kind. */
function copy(value: object): Table {
  return copied(value) as Table
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copied(one)]))
}

function isPlain(value: unknown): value is Table {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
