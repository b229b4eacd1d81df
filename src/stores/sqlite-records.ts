import { type Entry, isExpired, parseEntry, type RemovedEntry, removedEntries } from '../core/entry.ts'
import { InvalidArgument, ValueTooLarge } from '../core/errors.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.ts'
import { checkFormat, transaction } from './sqlite-file.ts'
import { SqliteSegments } from './sqlite-segments.ts'
import {
  type Claim,
  type ListFilter,
  PAYLOADS,
  type Payload,
  type PayloadChanges,
  type SegmentName,
} from './store.ts'

/** SQLite's own bound for one string or blob; it is found out here before the bytes are copied. */
const MAX_PART_BYTES = 1_000_000_000
const DEFAULT_LIST_LIMIT = 100

/** A task on its way from one file to another. */
export interface Draft {
  readonly entry: Entry
  readonly input: Uint8Array | undefined
}

/** The store's contract as SQL on one open database; each method is synchronous and one transaction. */
export class SqliteRecords {
  readonly #statements = new Map<string, SqliteStatement>()
  readonly #segments = new SqliteSegments({
    run: (sql, ...parameters) => this.#change(sql, ...parameters),
    get: (sql, ...parameters) => this.#sql(sql).get(...parameters),
  })

  constructor(readonly database: SqliteDatabase) {}

  /** Before anything is read: a newer version may have converted the file. */
  checkFormat(): void {
    checkFormat(this.database)
  }

  /** Looks without a lock first: hits, the most frequent answer, never wait for a writer. */
  claim(draft: Entry, now: number, parts?: PayloadChanges): Claim {
    const found = this.findByKey(draft.key, now)
    if (found) return { won: false, entry: found }
    return transaction(this.database, () => {
      const holder = this.findByKey(draft.key, now)
      return holder ? { won: false, entry: holder } : { won: true, entry: this.#insert(draft, parts) }
    })
  }

  findByKey(key: string | undefined, now: number): Entry | undefined {
    if (key === undefined) return undefined
    const holder = this.#entry('SELECT record FROM entries WHERE key = ?', key)
    return holder && !isExpired(holder, now) ? holder : undefined
  }

  get(refId: RefId): Entry | undefined {
    return this.#entry('SELECT record FROM entries WHERE ref_id = ?', refId)
  }

  read(refId: RefId, part: Payload): Uint8Array | undefined {
    const row = this.#sql('SELECT bytes FROM parts WHERE ref_id = ? AND part = ?').get(refId, part)
    return (row as { bytes: Uint8Array } | undefined)?.bytes
  }

  stage(segment: SegmentName, bytes: Uint8Array, now: number): void {
    checkFits(bytes)
    transaction(this.database, () => this.#segments.stage(segment, bytes, now))
  }

  readSegment(segment: SegmentName): Uint8Array | undefined {
    return this.#segments.read(segment)
  }

  /** A key that another entry holds makes the statement change nothing, just as a wrong version does. */
  update(entry: Entry, expectedVersion: number, parts: PayloadChanges = {}): boolean {
    const update = this.#sql(
      `UPDATE OR IGNORE entries
       SET namespace = ?, key = ?, status = ?, version = ?, expires_at = ?, record = ?
       WHERE ref_id = ? AND version = ?`,
    )
    return transaction(this.database, () => {
      const parameters = [...columns(entry, stringifyJson(entry)), entry.refId, expectedVersion]
      if (Number(update.run(...parameters).changes) === 0) return false
      this.#writeParts(entry, parts)
      return true
    })
  }

  delete(refId: RefId): boolean {
    return transaction(this.database, () => this.#change('DELETE FROM entries WHERE ref_id = ?', refId) === 1)
  }

  list({ cacheName, namespace, statuses, limit, after }: ListFilter): Entry[] {
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
    // The planner would rather walk all entries in order than look at the few in flight.
    const index = statuses ? 'INDEXED BY entries_by_status' : ''
    const where = conditions.join(' AND ')
    const statement = this.#sql(`SELECT record FROM entries ${index} WHERE ${where} ORDER BY ref_id LIMIT ?`)
    const rows = statement.all(...parameters, atMost(limit ?? DEFAULT_LIST_LIMIT))
    return rows.map(entryOf)
  }

  clear(cacheName: string, namespace?: string): RemovedEntry[] {
    const range = rangeOf(cacheName)
    const inCache = 'DELETE FROM entries WHERE ref_id > ? AND ref_id < ?'
    if (namespace === undefined) return this.#removeAll(inCache, ...range)
    return this.#removeAll(`${inCache} AND namespace = ?`, ...range, exactly(namespace))
  }

  prune(now: number, limit: number): RemovedEntry[] {
    transaction(this.database, () => this.#segments.dropAbandoned(now))
    return this.#removeAll(
      `DELETE FROM entries WHERE ref_id IN
       (SELECT ref_id FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
      now,
      atMost(limit),
    )
  }

  /** All tasks in flight, with what they need to be run. */
  inFlight(): Draft[] {
    const rows = this.#sql(
      `SELECT record FROM entries INDEXED BY entries_by_status WHERE status IN ('pending', 'processing')`,
    ).all()
    return rows.map(row => {
      const entry = entryOf(row)
      return { entry, input: this.read(entry.refId, 'input') }
    })
  }

  /** Stores tasks that were in flight in another file; what is here already, and as new, stays. */
  adopt(drafts: readonly Draft[]): void {
    transaction(this.database, () => {
      for (const { entry, input } of drafts) {
        const stored = this.get(entry.refId)
        if (stored && stored.version >= entry.version) continue
        this.#change('DELETE FROM entries WHERE ref_id = ?', entry.refId)
        const { key, ...withoutKey } = entry
        const taken = key !== undefined && this.#entry('SELECT record FROM entries WHERE key = ?', key)
        this.#insert(taken ? withoutKey : entry, input ? { input } : {})
      }
    })
  }

  /**
   * Empties the -wal file into the main one, as far as no other connection is in the way; what stays is not lost.
   * SQLite itself never begins it anew as long as some process reads and another one writes. True when it is empty.
   */
  truncateWal(): boolean {
    try {
      const { busy } = this.#sql('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: unknown }
      return busy === 0
    } catch {
      return false
    }
  }

  /** A number that changes when another connection, of any process, changed the file. */
  dataVersion(): unknown {
    return (this.#sql('PRAGMA data_version').get() as { data_version: unknown }).data_version
  }

  close(): void {
    this.truncateWal()
    this.database.close()
  }

  /** Inside a transaction. An expired holder loses the key, and stays until it is pruned. */
  #insert(draft: Entry, parts: PayloadChanges = {}): Entry {
    if (draft.key !== undefined) this.#change('UPDATE entries SET key = NULL WHERE key = ?', draft.key)
    const record = stringifyJson(draft)
    const inserted = this.#change(
      `INSERT INTO entries (namespace, key, status, version, expires_at, record, ref_id)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ref_id) DO NOTHING`,
      ...columns(draft, record),
      draft.refId,
    )
    if (inserted === 0) throw new InvalidArgument(`${draft.refId} is stored already.`)
    this.#writeParts(draft, parts)
    return parseJson(record) as unknown as Entry
  }

  #writeParts(entry: Entry, parts: PayloadChanges): void {
    const { refId } = entry
    if ('index' in parts) this.#segments.settle(entry)
    for (const part of PAYLOADS) {
      if (!(part in parts)) continue
      const bytes = parts[part]
      if (!bytes) this.#change('DELETE FROM parts WHERE ref_id = ? AND part = ?', refId, part)
      else this.#writePart(refId, part, bytes)
    }
  }

  #writePart(refId: RefId, part: Payload, bytes: Uint8Array): void {
    checkFits(bytes)
    this.#change(
      `INSERT INTO parts (ref_id, part, bytes) VALUES (?, ?, ?)
       ON CONFLICT (ref_id, part) DO UPDATE SET bytes = excluded.bytes`,
      refId,
      part,
      bytes,
    )
  }

  #entry(sql: string, parameter: string): Entry | undefined {
    const row = this.#sql(sql).get(parameter)
    return row === undefined ? undefined : entryOf(row)
  }

  #removeAll(sql: string, ...parameters: SqliteValue[]): RemovedEntry[] {
    const rows = transaction(this.database, () => this.#sql(`${sql} RETURNING record`).all(...parameters))
    return removedEntries(rows.map(row => (row as { record: string }).record))
  }

  #change(sql: string, ...parameters: SqliteValue[]): number {
    return Number(this.#sql(sql).run(...parameters).changes)
  }

  #sql(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function checkFits({ length }: Uint8Array): void {
  if (length <= MAX_PART_BYTES) return
  throw new ValueTooLarge(`${length} bytes can never fit into SQLite, which holds ${MAX_PART_BYTES}.`)
}

function columns(entry: Entry, record: string): SqliteValue[] {
  const { namespace, key, status, version, expiresAt } = entry
  return [exactly(namespace), key ?? null, status, version, expiresAt ?? null, record]
}

function entryOf(row: unknown): Entry {
  return parseEntry((row as { record: string }).record)
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

/** SQLite takes a negative limit for none, and refuses Infinity. */
function atMost(limit: number): number {
  return Math.min(Math.max(limit, 0), Number.MAX_SAFE_INTEGER)
}
