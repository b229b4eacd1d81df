import { isDeepStrictEqual } from 'node:util'
import type { Change } from './change.ts'
import { commentsIn, editJsonc, sourceAt } from './edit-jsonc.ts'
import { editToml } from './edit-toml.ts'
import { parseRoot } from './parse-config.ts'

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
    ? editToml(plain, changes, withChanges)
    : withComments(editJsonc(plain, changes), plain, path, changes)
  if (!isDeepStrictEqual(copy(parseRoot(edited, path)), wanted)) {
    throw new Error(`${path} cannot be changed without changing more than its servers: change it by hand.`)
  }
  return `${mark}${edited}`
}

/** The text, which has every comment that the one before had. @throws Error where one is lost */
function withComments(edited: string, before: string, path: string, changes: readonly Change[]): string {
  const moved = changes.flatMap(({ place, isMoved }) => (isMoved ? (sourceAt(before, place) ?? '') : []))
  const kept = [...commentsIn(edited), ...moved.flatMap(commentsIn)]
  for (const comment of commentsIn(before)) {
    const at = kept.indexOf(comment)
    if (at < 0) throw new Error(`${path} cannot be changed without losing comments: change it by hand.`)
    kept.splice(at, 1)
  }
  return edited
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
