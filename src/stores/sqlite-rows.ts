import { type Entry, parseEntry } from '../core/entry.ts'
import { ValueTooLarge } from '../core/errors.ts'
import type { SqliteValue } from './sqlite-driver.ts'
import type { ListFilter } from './store.ts'

/** SQLite's own bound for one string or blob; it is found out here before the bytes are copied. */
const MAX_PART_BYTES = 1_000_000_000

/** @throws ValueTooLarge */
export function checkFits({ length }: Uint8Array): void {
  if (length <= MAX_PART_BYTES) return
  throw new ValueTooLarge(`${length} bytes can never fit into SQLite, which holds ${MAX_PART_BYTES}.`)
}

/** The columns that are written with each change of an entry. */
export function columnsOf(entry: Entry, record: string): SqliteValue[] {
  const { namespace, key, status, version, expiresAt } = entry
  return [exactly(namespace), key ?? null, status, version, expiresAt ?? null, record]
}

/** @throws SyntaxError when the record is damaged */
export function entryOf(row: unknown): Entry {
  return parseEntry((row as { record: string }).record)
}

/** Which entries a filter wants: a condition, and its parameters. */
export function conditionOf({ cacheName, namespace, statuses, after }: Omit<ListFilter, 'limit'>): {
  where: string
  parameters: SqliteValue[]
} {
  const [first, last] = rangeOf(cacheName)
  const conditions = ['ref_id > ? AND ref_id < ?']
  const parameters: SqliteValue[] = [after !== undefined && after > first ? after : first, last]
  if (namespace !== undefined) {
    conditions.push('namespace = ?')
    parameters.push(exactly(namespace))
  }
  if (statuses) {
    conditions.push(`status IN (${statuses.map(() => '?').join(', ')})`)
    parameters.push(...statuses)
  }
  return { where: conditions.join(' AND '), parameters }
}

/** SQLite takes a negative limit for none, and refuses Infinity. */
export function atMost(limit: number): number {
  return Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER)
}

/** All refIds of a cache lie between these two: its name has no colon, and `;` is the character after it. */
function rangeOf(cacheName: string): [first: string, last: string] {
  return [`${cacheName}:`, `${cacheName};`]
}

/**
 * As JSON, because half a surrogate pair would lose its identity on the way to UTF-8: a namespace is a
 * boundary.
 */
function exactly(text: string): string {
  return JSON.stringify(text)
}
