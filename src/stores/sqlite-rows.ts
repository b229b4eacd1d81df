import { type Entry, ownerOf, parseEntry } from '../core/entry.ts'
import { ValueTooLarge } from '../core/errors.ts'
import type { SqliteValue } from './sqlite-driver.ts'

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
  const valueBytes = status === 'complete' ? entry.valueBytes : 0
  const owner = ownerOf(entry) ?? null
  return [exactly(namespace), key ?? null, status, owner, version, expiresAt ?? null, record, valueBytes]
}

/** Those that stay as they are. */
export function fixedColumnsOf({ createdAt, toolName, refId }: Entry): SqliteValue[] {
  return [createdAt, toolName ?? null, refId]
}

/** @throws SyntaxError when the record is damaged */
export function entryOf(row: unknown): Entry {
  return parseEntry((row as { record: string }).record)
}

/** SQLite takes a negative limit for none, and refuses Infinity. */
export function atMost(limit: number): number {
  return Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER)
}

/** All refIds of a cache lie between these two: its name has no colon, and `;` is the character after it. */
export function rangeOf(cacheName: string): [first: string, last: string] {
  return [`${cacheName}:`, `${cacheName};`]
}

/**
 * As JSON, because half a surrogate pair would lose its identity on the way to UTF-8: a namespace is a
 * boundary.
 */
export function exactly(text: string): string {
  return JSON.stringify(text)
}
