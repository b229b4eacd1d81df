import type { Entry } from '../core/entry.ts'
import { segmentsOf } from '../core/entry-value.ts'
import { MissingSegments } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import { type SegmentName, STAGED_FOR_MS } from './store.ts'

export const SEGMENTS_SCHEMA = `
  CREATE TABLE segments (
    ref_id TEXT NOT NULL,
    value_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (ref_id, value_id, position)
  );
  CREATE TABLE staged_values (
    ref_id TEXT NOT NULL,
    value_id TEXT NOT NULL,
    staged_at INTEGER NOT NULL,
    PRIMARY KEY (ref_id, value_id)
  ) WITHOUT ROWID;
  CREATE INDEX staged_values_by_age ON staged_values (staged_at);
  CREATE TRIGGER segments_go_with_entries AFTER DELETE ON entries BEGIN
    DELETE FROM segments WHERE ref_id = OLD.ref_id;
    DELETE FROM staged_values WHERE ref_id = OLD.ref_id;
  END;
`

/** Segments are rows of a table of their own; a trigger deletes them with their entry. */
export class SqliteSegments {
  constructor(private readonly sql: SqliteStatements) {}

  stage({ refId, valueId, position }: SegmentName, bytes: Uint8Array, now: number): void {
    const before = this.sql.get(
      'SELECT length(bytes) AS bytes FROM segments WHERE ref_id = ? AND value_id = ? AND position = ?',
      refId,
      valueId,
      position,
    ) as { bytes: number } | undefined
    this.sql.run(
      `INSERT INTO segments (ref_id, value_id, position, bytes) VALUES (?, ?, ?, ?)
       ON CONFLICT (ref_id, value_id, position) DO UPDATE SET bytes = excluded.bytes`,
      refId,
      valueId,
      position,
      bytes,
    )
    this.sql.run(
      `INSERT INTO staged_values (ref_id, value_id, staged_at, bytes) VALUES (?, ?, ?, ?)
       ON CONFLICT (ref_id, value_id) DO UPDATE
       SET staged_at = excluded.staged_at, bytes = bytes + excluded.bytes`,
      refId,
      valueId,
      now,
      bytes.length - (before?.bytes ?? 0),
    )
  }

  read({ refId, valueId, position }: SegmentName): Uint8Array | undefined {
    const sql = 'SELECT bytes FROM segments WHERE ref_id = ? AND value_id = ? AND position = ?'
    return (this.sql.get(sql, refId, valueId, position) as { bytes: Uint8Array } | undefined)?.bytes
  }

  /**
   * Keeps the segments that the entry names, and no others of it.
   * @throws StoreUnavailable where one of them is not there
   */
  settle(entry: Entry): void {
    const { refId } = entry
    const { id, count } = segmentsOf(entry) ?? { id: '', count: 0 }
    const named = 'value_id = ? AND position < ?'
    const counted = `SELECT count(*) AS count FROM segments WHERE ref_id = ? AND ${named}`
    const found = this.sql.get(counted, refId, id, count) as { count: number }
    if (Number(found.count) !== count) throw new MissingSegments()
    this.sql.run(`DELETE FROM segments WHERE ref_id = ? AND NOT (${named})`, refId, id, count)
    this.sql.run('DELETE FROM staged_values WHERE ref_id = ?', refId)
  }

  /** Drops all that was staged for an entry that is not there. */
  drop(refId: RefId): void {
    this.sql.run('DELETE FROM segments WHERE ref_id = ?', refId)
    this.sql.run('DELETE FROM staged_values WHERE ref_id = ?', refId)
  }

  /** Drops what was staged long ago for an entry that never came. */
  dropAbandoned(now: number): void {
    const abandoned = `SELECT ref_id FROM staged_values
      WHERE staged_at <= ? AND ref_id NOT IN (SELECT ref_id FROM entries)`
    const before = now - STAGED_FOR_MS
    if (this.sql.get(`${abandoned} LIMIT 1`, before) === undefined) return
    this.sql.run(`DELETE FROM segments WHERE ref_id IN (${abandoned})`, before)
    this.sql.run(`DELETE FROM staged_values WHERE ref_id IN (${abandoned})`, before)
  }
}
