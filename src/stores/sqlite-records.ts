import { type Entry, isExpired, isInFlight, type RemovedEntry, removedEntries } from '../core/entry.ts'
import { InvalidArgument } from '../core/errors.ts'
import { parseJson, stringifyJson } from '../core/json-text.ts'
import type { RefId } from '../core/ref.ts'
import { SqliteChanges } from './sqlite-changes.ts'
import type { SqliteDatabase, SqliteValue } from './sqlite-driver.ts'
import { checkFormat, transaction } from './sqlite-file.ts'
import { SqliteListing } from './sqlite-listing.ts'
import { SqliteOwners } from './sqlite-owners.ts'
import { atMost, checkFits, columnsOf, entryOf, exactly, fixedColumnsOf, rangeOf } from './sqlite-rows.ts'
import { SqliteSavings } from './sqlite-savings.ts'
import { SqliteSegments } from './sqlite-segments.ts'
import { SqliteStatements } from './sqlite-statements.ts'
import { CHANGED_USE, SqliteUsage, STEP } from './sqlite-usage.ts'
import {
  type Claim,
  PAYLOADS,
  type Payload,
  type PayloadChanges,
  type SegmentName,
  type StoreUsage,
} from './store.ts'
import { fullOfWork, type StoreQuota } from './store-quota.ts'

export interface RecordsOptions {
  readonly quota: StoreQuota
  /** Hears which entries made room. */
  readonly onEvicted: (refIds: readonly RefId[]) => void
}

/** A task on its way from one file to another. */
export interface Draft {
  readonly entry: Entry
  readonly input: Uint8Array | undefined
}

/** What one step removed, and where the next one goes on; `next` is absent after the last. */
export interface Removed {
  readonly removed: readonly RemovedEntry[]
  readonly next?: RefId
}

/** The store's contract as SQL on one open database; each method is synchronous and one transaction. */
export class SqliteRecords {
  readonly listing: SqliteListing
  readonly #sql: SqliteStatements
  readonly #segments: SqliteSegments
  readonly #usage: SqliteUsage
  readonly owners: SqliteOwners
  readonly savings: SqliteSavings
  readonly changes: SqliteChanges

  constructor(
    readonly database: SqliteDatabase,
    private readonly options: RecordsOptions,
  ) {
    this.#sql = new SqliteStatements(database)
    this.listing = new SqliteListing(this.#sql)
    this.#segments = new SqliteSegments(this.#sql)
    this.#usage = new SqliteUsage(this.#sql, options.quota)
    this.owners = new SqliteOwners(this.#sql)
    this.savings = new SqliteSavings(this.#sql)
    this.changes = new SqliteChanges(this.#sql)
  }

  /** Before anything is read: a newer version may have converted the file. */
  checkFormat(): void {
    checkFormat(this.database)
  }

  /** Looks without a lock first: hits, the most frequent answer, never wait for a writer. */
  claim(draft: Entry, now: number, parts?: PayloadChanges): Claim {
    const found = this.findByKey(draft.key, now)
    if (found) return { won: false, entry: found }
    return this.#write(draft.refId, () => {
      const holder = this.findByKey(draft.key, now)
      return holder ? { won: false, entry: holder } : { won: true, entry: this.#insert(draft, parts) }
    })
  }

  findByKey(key: string | undefined, now: number): Entry | undefined {
    this.#usage.hearTime(now)
    if (key === undefined) return undefined
    const holder = this.#entry('SELECT record FROM entries WHERE key = ?', key)
    return holder && !isExpired(holder, now) ? this.#used(holder) : undefined
  }

  get(refId: RefId): Entry | undefined {
    const entry = this.#entry('SELECT record FROM entries WHERE ref_id = ?', refId)
    return entry && this.#used(entry)
  }

  read(refId: RefId, part: Payload): Uint8Array | undefined {
    const row = this.#sql.get('SELECT bytes FROM parts WHERE ref_id = ? AND part = ?', refId, part)
    if (row && part !== 'input') this.#usage.noteUse(refId)
    return (row as { bytes: Uint8Array } | undefined)?.bytes
  }

  /** @throws StoreFull where only what never makes room takes it */
  stage(segment: SegmentName, bytes: Uint8Array, now: number): void {
    checkFits(bytes)
    this.#usage.hearTime(now)
    const stage = () => {
      this.#segments.stage(segment, bytes, now)
      this.#usage.checkStaged(segment.refId)
    }
    this.#write(segment.refId, stage, 'refuse')
  }

  readSegment(segment: SegmentName): Uint8Array | undefined {
    return this.#segments.read(segment)
  }

  /** A key that another entry holds makes the statement change nothing, just as a wrong version does. */
  update(entry: Entry, expectedVersion: number, parts: PayloadChanges = {}): boolean {
    return this.#write(entry.refId, () => {
      const updated = this.#sql.run(
        `UPDATE OR IGNORE entries
         SET namespace = ?, key = ?, status = ?, owner = ?, version = ?, expires_at = ?, record = ?, value_bytes = ?, ${CHANGED_USE}
         WHERE ref_id = ? AND version = ?`,
        ...columnsOf(entry, stringifyJson(entry)),
        ...this.#usage.ofChanged(entry),
        entry.refId,
        expectedVersion,
      )
      if (updated === 0) return false
      this.#writeParts(entry, parts)
      return true
    })
  }

  delete(refId: RefId): boolean {
    return transaction(this.database, () => {
      if (this.#sql.run('DELETE FROM entries WHERE ref_id = ?', refId) === 1) return true
      this.#segments.drop(refId)
      return false
    })
  }

  /** One step of it. */
  clear(cacheName: string, namespace: string | undefined, after: RefId = ''): Removed {
    const [first, last] = rangeOf(cacheName)
    const inside = namespace === undefined ? '' : 'AND namespace = ?'
    return transaction(this.database, () =>
      this.#removeSome(
        `SELECT ref_id FROM entries WHERE ref_id > ? AND ref_id < ? ${inside} ORDER BY ref_id LIMIT ?`,
        after > first ? after : first,
        last,
        ...(namespace === undefined ? [] : [exactly(namespace)]),
        STEP.entries,
      ),
    )
  }

  /** One step of it. */
  prune(now: number, limit: number): Removed {
    this.#usage.hearTime(now)
    const expired = 'SELECT ref_id FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?'
    return transaction(this.database, () => {
      this.#segments.dropAbandoned(now)
      this.savings.prune(now)
      return this.#removeSome(expired, now, atMost(Math.min(limit, STEP.entries)))
    })
  }

  noteUse(refId: RefId, now: number): void {
    this.#usage.hearTime(now)
    this.#usage.noteUse(refId, now)
  }

  /** What waits for a quiet moment: writes when entries were used, and makes room where the last writes left that to do. */
  tidy(): void {
    const uses = this.#usage.takeDueUses()
    if (uses.length > 0) transaction(this.database, () => this.#usage.writeUses(uses))
    if (this.#usage.isOver()) this.#write(undefined, () => undefined)
  }

  usage(): StoreUsage {
    return this.#usage.read()
  }

  /** All tasks in flight, with what they need to be run. */
  inFlight(): Draft[] {
    const rows = this.#sql.all(
      `SELECT record FROM entries INDEXED BY entries_by_status WHERE status IN ('pending', 'processing')`,
    )
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
        this.#sql.run('DELETE FROM entries WHERE ref_id = ?', entry.refId)
        const { key, ...withoutKey } = entry
        const taken = key !== undefined && this.#entry('SELECT record FROM entries WHERE key = ?', key)
        this.#insert(taken ? withoutKey : entry, input ? { input } : {})
      }
    })
  }

  /** A number that changes when another connection, of any process, changed the file. */
  dataVersion(): unknown {
    return (this.#sql.get('PRAGMA data_version') as { data_version: unknown }).data_version
  }

  /** Changes something, and makes room for it, in one step. Where there is no room, it exceeds the quota, or nothing is changed. */
  #write<T>(spared: RefId | undefined, work: () => T, whenFull: 'exceed' | 'refuse' = 'exceed'): T {
    let evicted: readonly RefId[] = []
    const result = transaction(this.database, () => {
      const done = work()
      const room = this.#usage.makeRoom(spared)
      if (room.outcome === 'full' && whenFull === 'refuse') throw fullOfWork(this.options.quota)
      evicted = room.evicted
      return done
    })
    if (evicted.length > 0) this.options.onEvicted(evicted)
    return result
  }

  #used(entry: Entry): Entry {
    if (!isInFlight(entry)) this.#usage.noteUse(entry.refId)
    return entry
  }

  /** Inside a transaction. An expired holder loses the key, and stays until it is pruned. */
  #insert(draft: Entry, parts: PayloadChanges = {}): Entry {
    if (draft.key !== undefined) this.#sql.run('UPDATE entries SET key = NULL WHERE key = ?', draft.key)
    const record = stringifyJson(draft)
    const inserted = this.#sql.run(
      `INSERT INTO entries (
         namespace, key, status, owner, version, expires_at, record, value_bytes, makes_room, used_at, created_at, tool_name, ref_id
       ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ref_id) DO NOTHING`,
      ...columnsOf(draft, record),
      ...this.#usage.ofNew(draft),
      ...fixedColumnsOf(draft),
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
      if (!bytes) this.#sql.run('DELETE FROM parts WHERE ref_id = ? AND part = ?', refId, part)
      else this.#writePart(refId, part, bytes)
    }
    if (Object.keys(parts).length > 0) this.#usage.count(entry)
  }

  #writePart(refId: RefId, part: Payload, bytes: Uint8Array): void {
    checkFits(bytes)
    this.#sql.run(
      `INSERT INTO parts (ref_id, part, bytes) VALUES (?, ?, ?)
       ON CONFLICT (ref_id, part) DO UPDATE SET bytes = excluded.bytes`,
      refId,
      part,
      bytes,
    )
  }

  #entry(sql: string, parameter: string): Entry | undefined {
    const row = this.#sql.get(sql, parameter)
    return row === undefined ? undefined : entryOf(row)
  }

  /** As many of them as one step may, so that large values do not hold up the process, or others at the file. */
  #removeSome(wanted: string, ...parameters: SqliteValue[]): Removed {
    const begun = performance.now()
    const rows = this.#sql.all(wanted, ...parameters) as ReadonlyArray<{ ref_id: RefId }>
    const records: string[] = []
    let bytes = 0
    let next: RefId | undefined
    for (const { ref_id: refId } of rows) {
      const isLong = bytes > STEP.bytes || performance.now() - begun > STEP.ms
      // A step that removes nothing would be taken for the last one.
      if (isLong && next !== undefined) break
      const row = this.#sql.get('DELETE FROM entries WHERE ref_id = ? RETURNING record, bytes', refId)
      const gone = row as { record: string; bytes: number }
      records.push(gone.record)
      bytes += gone.bytes
      next = refId
    }
    return { removed: removedEntries(records), ...(next === undefined ? {} : { next }) }
  }
}
