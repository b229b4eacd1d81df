import { type Entry, isInFlight } from '../core/entry.ts'
import { segmentsOf } from '../core/entry-value.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteValue } from './sqlite-driver.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import type { StoreUsage } from './store.ts'
import { checkFitsQuota, type StoreQuota, USE_NOTED_EVERY_MS } from './store-quota.ts'

/**
 * Beside the schema: how many bytes each entry has, and each value that is being written; the totals of all are kept by triggers, so
 * that they are right whoever changes the file. What is in the file already is counted once.
 *
 * `makes_room`: null for what never does, 0 for what does first, 1 for results that nobody fetched. Of a file from before it is
 * not known which results were fetched.
 */
export const USAGE_SCHEMA = `
  ALTER TABLE entries ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE entries ADD COLUMN makes_room INTEGER;
  ALTER TABLE entries ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE staged_values ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE staged_values SET bytes = (
    SELECT coalesce(sum(length(s.bytes)), 0) FROM segments s
    WHERE s.ref_id = staged_values.ref_id AND s.value_id = staged_values.value_id
  );
  UPDATE entries SET
    bytes = (SELECT coalesce(sum(length(p.bytes)), 0) FROM parts p WHERE p.ref_id = entries.ref_id) + (
      SELECT coalesce(sum(length(s.bytes)), 0) FROM segments s
      WHERE s.ref_id = entries.ref_id AND NOT EXISTS (
        SELECT 1 FROM staged_values v WHERE v.ref_id = s.ref_id AND v.value_id = s.value_id
      )
    ),
    makes_room = CASE WHEN status IN ('pending', 'processing') THEN NULL ELSE 0 END;
  CREATE INDEX entries_by_use ON entries (makes_room, used_at) WHERE makes_room IS NOT NULL;

  CREATE TABLE store_totals (entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
  INSERT INTO store_totals VALUES (
    (SELECT count(*) FROM entries),
    (SELECT coalesce(sum(bytes), 0) FROM entries) + (SELECT coalesce(sum(bytes), 0) FROM staged_values)
  );
  CREATE TRIGGER entry_is_added AFTER INSERT ON entries BEGIN
    UPDATE store_totals SET entries = entries + 1, bytes = bytes + NEW.bytes;
  END;
  CREATE TRIGGER entry_is_changed AFTER UPDATE OF bytes ON entries WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE store_totals SET bytes = bytes + NEW.bytes - OLD.bytes;
  END;
  CREATE TRIGGER entry_is_removed AFTER DELETE ON entries BEGIN
    UPDATE store_totals SET entries = entries - 1, bytes = bytes - OLD.bytes;
  END;
  CREATE TRIGGER staged_is_added AFTER INSERT ON staged_values BEGIN
    UPDATE store_totals SET bytes = bytes + NEW.bytes;
  END;
  CREATE TRIGGER staged_is_changed AFTER UPDATE OF bytes ON staged_values WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE store_totals SET bytes = bytes + NEW.bytes - OLD.bytes;
  END;
  CREATE TRIGGER staged_is_removed AFTER DELETE ON staged_values BEGIN
    UPDATE store_totals SET bytes = bytes - OLD.bytes;
  END;
`

/** So many uses are kept in memory until they are written; what is beyond is forgotten. */
const MAX_PENDING_USES = 5_000
/** So much goes in one transaction, so that none of them takes long, its commit included. The next one goes on. */
export const STEP = { entries: 500, bytes: 64 * 1024 * 1024, ms: 4 }

/** How a change of an entry moves it in the order: parameters are those of `ofChanged`. */
export const CHANGED_USE = 'makes_room = CASE WHEN ? THEN NULL ELSE coalesce(makes_room, 1) END, used_at = ?'

interface UsageRow {
  readonly ref_id: RefId
  readonly bytes: number
}

/** Whether all fits, whether the next write goes on making room, or whether what is left never makes room. */
export type RoomMade = { readonly evicted: readonly RefId[]; readonly outcome: 'fits' | 'goes on' | 'full' }

/** How full a file is, and what makes room in it. Every method but `noteUse` and `read` runs within a transaction. */
export class SqliteUsage {
  /** When entries were used since that was last written. */
  readonly #uses = new Map<RefId, number>()
  /** The time that the store was last told. */
  #now = 0

  constructor(
    private readonly sql: SqliteStatements,
    private readonly quota: StoreQuota,
  ) {}

  read(): StoreUsage {
    return { ...this.#totals(), ...this.quota }
  }

  isOver({ entries, bytes } = this.#totals()): boolean {
    return entries > this.quota.maxEntries || bytes > this.quota.maxBytes
  }

  hearTime(now: number): void {
    this.#now = now
  }

  /** `makes_room` and `used_at` of an entry that is claimed. */
  ofNew(entry: Entry): SqliteValue[] {
    return [isInFlight(entry) ? null : 0, this.#now]
  }

  /** The parameters of `CHANGED_USE`. */
  ofChanged(entry: Entry): SqliteValue[] {
    return [isInFlight(entry) ? 1 : 0, Math.max(this.#now, entry.updatedAt ?? 0)]
  }

  /** The parts of an entry were written. @throws ValueTooLarge */
  count(entry: Entry): void {
    const { refId } = entry
    const { id, count } = segmentsOf(entry) ?? { id: '', count: 0 }
    const counted = `SELECT (SELECT coalesce(sum(length(bytes)), 0) FROM parts WHERE ref_id = ?) + (
      SELECT coalesce(sum(length(bytes)), 0) FROM segments WHERE ref_id = ? AND value_id = ? AND position < ?
    ) AS bytes`
    const { bytes } = this.sql.get(counted, refId, refId, id, count) as { bytes: number }
    checkFitsQuota(bytes, this.quota)
    this.sql.run('UPDATE entries SET bytes = ? WHERE ref_id = ?', bytes, refId)
  }

  /** A segment of a value was staged. @throws ValueTooLarge */
  checkStaged(refId: RefId): void {
    const counted = `SELECT (SELECT coalesce(sum(bytes), 0) FROM staged_values WHERE ref_id = ?) +
      coalesce((SELECT bytes FROM entries WHERE ref_id = ?), 0) AS bytes`
    const { bytes } = this.sql.get(counted, refId, refId) as { bytes: number }
    checkFitsQuota(bytes, this.quota)
  }

  noteUse(refId: RefId, at = this.#now): void {
    if (this.#uses.size < MAX_PENDING_USES || this.#uses.has(refId)) this.#uses.set(refId, at)
  }

  /** The uses that have to be written: not those of an entry whose last one was written a moment ago. */
  takeDueUses(): Array<[refId: RefId, at: number]> {
    const some = [...this.#uses].slice(0, STEP.entries)
    for (const [refId] of some) this.#uses.delete(refId)
    const isDue = `SELECT 1 FROM entries
      WHERE ref_id = ? AND (makes_room = 1 OR (makes_room = 0 AND used_at <= ?))`
    return some.filter(([refId, at]) => this.sql.get(isDue, refId, at - USE_NOTED_EVERY_MS) !== undefined)
  }

  writeUses(uses: ReadonlyArray<[refId: RefId, at: number]>): void {
    const use = `UPDATE entries SET makes_room = 0, used_at = max(used_at, ?)
      WHERE ref_id = ? AND makes_room IS NOT NULL`
    for (const [refId, at] of uses) this.sql.run(use, at, refId)
  }

  /** Lets settled entries go until all fits, or until this step has done enough. */
  makeRoom(spared = ''): RoomMade {
    const evicted: RefId[] = []
    const totals = this.#totals()
    if (this.isOver(totals)) this.writeUses(this.takeDueUses())
    for (let freed = 0; this.isOver(totals); ) {
      if (freed > STEP.bytes || evicted.length >= STEP.entries) return { evicted, outcome: 'goes on' }
      const next = this.#first(spared)
      if (!next) return { evicted, outcome: totals.bytes > this.quota.maxBytes ? 'full' : 'fits' }
      this.sql.run('DELETE FROM entries WHERE ref_id = ?', next.ref_id)
      evicted.push(next.ref_id)
      totals.entries--
      totals.bytes -= next.bytes
      freed += next.bytes
    }
    return { evicted, outcome: 'fits' }
  }

  #first(spared: RefId): UsageRow | undefined {
    const first = `SELECT ref_id, bytes FROM entries WHERE makes_room IS NOT NULL AND ref_id <> ?
      ORDER BY makes_room, used_at, rowid LIMIT 1`
    return this.sql.get(first, spared) as UsageRow | undefined
  }

  #totals(): { entries: number; bytes: number } {
    const { entries, bytes } = this.sql.get('SELECT entries, bytes FROM store_totals') as {
      entries: number
      bytes: number
    }
    return { entries, bytes }
  }
}
