import { ownerOf } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import { entryOf, rangeOf } from './sqlite-rows.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import { BEATS_KEPT_MS, TASKS_AT_ONCE, type TaskOwner } from './store.ts'

const SCHEMA = `
  ALTER TABLE entries ADD COLUMN owner TEXT;
  CREATE INDEX entries_by_owner ON entries (owner, ref_id, status) WHERE owner IS NOT NULL;
  CREATE TABLE beats (process TEXT NOT NULL PRIMARY KEY, beat REAL NOT NULL) WITHOUT ROWID;
`

/** Inside a transaction. Tasks that are there already get their owner. */
export function addOwners(database: SqliteDatabase): void {
  database.exec(SCHEMA)
  const inFlight = database.prepare(
    `SELECT ref_id, record FROM entries WHERE status IN ('pending', 'processing')`,
  )
  const setOwner = database.prepare('UPDATE entries SET owner = ? WHERE ref_id = ?')
  for (const row of inFlight.all() as Array<{ ref_id: RefId }>) {
    try {
      setOwner.run(ownerOf(entryOf(row)) ?? null, row.ref_id)
    } catch (error) {
      // Nobody can run a damaged one.
      if (!(error instanceof SyntaxError)) throw error
    }
  }
}

/** Hops from one owner to the next: it never walks their tasks. */
const OWNERS = `
  WITH RECURSIVE owners (owner) AS (
    SELECT min(owner) FROM entries WHERE owner >= ''
    UNION ALL
    SELECT (SELECT min(e.owner) FROM entries e WHERE e.owner > o.owner) FROM owners o WHERE o.owner IS NOT NULL
  )
  SELECT owner AS process, (SELECT beat FROM beats WHERE process = owner) AS beat,
    (SELECT count(*) FROM entries e
     WHERE e.owner = o.owner AND e.ref_id > ?1 AND e.ref_id < ?2 AND e.status = 'processing') AS running
  FROM owners o
  WHERE EXISTS (SELECT 1 FROM entries e WHERE e.owner = o.owner AND e.ref_id > ?1 AND e.ref_id < ?2)
`

/** Which processes have tasks in flight, and their signs of life: of each, when it was, by the machine's monotonic clock. */
export class SqliteOwners {
  constructor(private readonly sql: SqliteStatements) {}

  /** Inside a transaction. */
  beat(process: string, now: number): void {
    this.sql.run('INSERT OR REPLACE INTO beats (process, beat) VALUES (?, ?)', process, now)
    // A restart of the machine turns its monotonic clock back.
    this.sql.run('DELETE FROM beats WHERE beat < ? OR beat > ?', now - BEATS_KEPT_MS, now)
  }

  list(cacheName: string): TaskOwner[] {
    const rows = this.sql.all(OWNERS, ...rangeOf(cacheName)) as Array<
      Omit<TaskOwner, 'beat'> & { beat: number | null }
    >
    return rows.map(({ process, beat, running }) => ({
      process,
      running,
      ...(beat === null ? {} : { beat }),
    }))
  }

  /** At most `TASKS_AT_ONCE`, in order of refId, from `after` on. */
  tasksOf(cacheName: string, process: string, after: RefId | undefined): RefId[] {
    const [first, last] = rangeOf(cacheName)
    const rows = this.sql.all(
      'SELECT ref_id FROM entries WHERE owner = ? AND ref_id > ? AND ref_id < ? ORDER BY ref_id LIMIT ?',
      process,
      after !== undefined && after > first ? after : first,
      last,
      TASKS_AT_ONCE,
    )
    return (rows as Array<{ ref_id: RefId }>).map(row => row.ref_id)
  }
}
