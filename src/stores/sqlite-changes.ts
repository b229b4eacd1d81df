import type { RefId } from '../core/ref.ts'
import { rangeOf } from './sqlite-rows.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import { type Changes, type EntryChange, KEPT_CHANGES } from './store.ts'
import { changeCursor, positionIn } from './store-cursor.ts'

/** Beside the schema: the latest changes, noted by triggers, so that they are complete whoever changes the file. */
export const CHANGES_SCHEMA = `
  CREATE TABLE changes (position INTEGER PRIMARY KEY, ref_id TEXT NOT NULL, what TEXT NOT NULL);
  CREATE TABLE change_history (id TEXT NOT NULL);
  INSERT INTO change_history VALUES (lower(hex(randomblob(8))));
  CREATE TRIGGER addition_is_noted AFTER INSERT ON entries BEGIN
    INSERT INTO changes (ref_id, what) VALUES (NEW.ref_id, 'created');
  END;
  CREATE TRIGGER change_is_noted AFTER UPDATE OF version ON entries BEGIN
    INSERT INTO changes (ref_id, what) VALUES (NEW.ref_id, 'changed');
  END;
  CREATE TRIGGER removal_is_noted AFTER DELETE ON entries BEGIN
    INSERT INTO changes (ref_id, what) VALUES (OLD.ref_id, 'deleted');
  END;
  CREATE TRIGGER changes_are_bounded AFTER INSERT ON changes BEGIN
    DELETE FROM changes WHERE position <= NEW.position - ${KEPT_CHANGES};
  END;
`

/** What changed in any cache. */
export interface ChangedEntries {
  /** By reference, each with its version now; without one where it is gone. Undefined: not all of it is known (any more). */
  readonly versions: ReadonlyMap<RefId, number | undefined> | undefined
  readonly cursor: string
}

/** What happened in a file. Without a cursor nothing, and where to begin. */
export class SqliteChanges {
  constructor(private readonly sql: SqliteStatements) {}

  since(cacheName: string, cursor: string | undefined, limit: number): Changes {
    const { history, last, from } = this.#placeOf(cursor)
    if (from === undefined) return { isComplete: false, changes: [], cursor: changeCursor(history, last) }
    const rows = this.sql.all(
      `SELECT position, ref_id AS refId, what FROM changes
       WHERE position > ? AND ref_id > ? AND ref_id < ? ORDER BY position LIMIT ?`,
      from,
      ...rangeOf(cacheName),
      limit,
    ) as Array<{ position: number; refId: RefId; what: EntryChange['what'] }>
    const position = rows.length < limit ? last : (rows.at(-1)?.position ?? last)
    return {
      isComplete: true,
      changes: rows.map(({ refId, what }) => ({ refId, what })),
      cursor: changeCursor(history, position),
    }
  }

  entriesSince(cursor: string | undefined): ChangedEntries {
    const { history, last, from } = this.#placeOf(cursor)
    const end = changeCursor(history, last)
    if (from === undefined) return { versions: undefined, cursor: end }
    const rows = this.sql.all(
      `SELECT c.ref_id AS refId, e.version FROM changes c LEFT JOIN entries e ON e.ref_id = c.ref_id
       WHERE c.position > ? AND c.position <= ?`,
      from,
      last,
    ) as Array<{ refId: RefId; version: number | null }>
    return {
      versions: new Map(rows.map(({ refId, version }) => [refId, version ?? undefined])),
      cursor: end,
    }
  }

  /** How far the history goes, and where in it a cursor stands; `from` is absent where the file does not know all since then. */
  #placeOf(cursor: string | undefined) {
    const { history, first, last } = this.sql.get(`SELECT (SELECT id FROM change_history) AS history,
      coalesce((SELECT min(position) FROM changes), 1) AS first,
      coalesce((SELECT max(position) FROM changes), 0) AS last`) as {
      history: string
      first: number
      last: number
    }
    const from = cursor === undefined ? last : positionIn(history, cursor)
    const isKnown = from !== undefined && from <= last && from >= first - 1
    return { history, last, from: isKnown ? from : undefined }
  }
}
