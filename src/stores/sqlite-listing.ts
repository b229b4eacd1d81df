import { ENTRY_STATUSES, type Entry, type EntryStatus } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { SqliteValue } from './sqlite-driver.ts'
import { atMost, entryOf, exactly } from './sqlite-rows.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import type { EntryCount, ListFilter, Place } from './store.ts'

/**
 * Beside the schema: entries in order of creation, by cache, by status and by namespace. What is counted stands in the first of these
 * indexes, so that counting reads no records. What is in the file already is taken from its records.
 */
export const LISTING_SCHEMA = `
  ALTER TABLE entries ADD COLUMN cache_name TEXT
    GENERATED ALWAYS AS (substr(ref_id, 1, instr(ref_id, ':') - 1)) VIRTUAL;
  ALTER TABLE entries ADD COLUMN created_at REAL NOT NULL DEFAULT 0;
  ALTER TABLE entries ADD COLUMN tool_name TEXT;
  ALTER TABLE entries ADD COLUMN value_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE entries SET
    created_at = coalesce(record ->> '$.createdAt', 0),
    tool_name = record ->> '$.toolName',
    value_bytes = CASE WHEN status = 'complete' THEN coalesce(record ->> '$.valueBytes', 0) ELSE 0 END
  WHERE json_valid(record);
  DROP INDEX entries_by_status;
  DROP INDEX entries_by_namespace;
  CREATE INDEX entries_by_creation ON entries
    (cache_name, created_at, ref_id, expires_at, namespace, status, tool_name, value_bytes);
  CREATE INDEX entries_by_status ON entries (status, cache_name, created_at, ref_id);
  CREATE INDEX entries_by_namespace ON entries (namespace, status, cache_name, created_at, ref_id);
`

const DEFAULT_LIST_LIMIT = 100
/** So many entries are counted in one step. */
const COUNTED_AT_ONCE = 10_000

interface ListedRow {
  readonly ref_id: RefId
  readonly created_at: number
  readonly record: string
}

interface CountedRow {
  readonly namespace: string
  readonly status: EntryStatus
  readonly tool_name: string | null
  readonly count: number
  readonly value_bytes: number
}

/** What one step counted, and where the next one goes on; `next` is absent after the last. */
export interface Counted {
  readonly counts: readonly EntryCount[]
  readonly next?: Place
}

/** Looks at the entries of a file. */
export class SqliteListing {
  constructor(private readonly sql: SqliteStatements) {}

  list(filter: ListFilter): Entry[] {
    const limit = atMost(filter.limit ?? DEFAULT_LIST_LIMIT)
    return this.#rows(filter, limit).map(entryOf)
  }

  peek(refIds: readonly RefId[]): Entry[] {
    return refIds.flatMap(refId => {
      const row = this.sql.get('SELECT record FROM entries WHERE ref_id = ?', refId)
      return row === undefined ? [] : [entryOf(row)]
    })
  }

  match(prefix: string, limit: number): RefId[] {
    const rows = this.sql.all(
      'SELECT ref_id FROM entries WHERE ref_id >= ? AND ref_id < ? ORDER BY ref_id LIMIT ?',
      prefix,
      `${prefix}\u{10ffff}`,
      atMost(limit),
    )
    return (rows as ListedRow[]).map(row => row.ref_id)
  }

  /** From one name to the next, so that it costs as much as there are names. */
  caches(): string[] {
    const rows = this.sql.all(`
      WITH RECURSIVE names (name) AS (
        SELECT min(cache_name) FROM entries
        UNION ALL
        SELECT (SELECT min(cache_name) FROM entries WHERE cache_name > name) FROM names WHERE name IS NOT NULL
      )
      SELECT name FROM names WHERE name IS NOT NULL`)
    return (rows as Array<{ name: string }>).map(({ name }) => name)
  }

  /** One step of it. */
  count(cacheName: string, now: number, after: Place | undefined): Counted {
    const [where, ...parameters] = beyond(after, false)
    const ordered = `FROM entries INDEXED BY entries_by_creation WHERE cache_name = ?${where} ORDER BY created_at, ref_id`
    const last = this.sql.get(
      `SELECT created_at AS createdAt, ref_id AS refId ${ordered} LIMIT 1 OFFSET ${COUNTED_AT_ONCE - 1}`,
      cacheName,
      ...parameters,
    ) as Place | undefined
    const rows = this.sql.all(
      `SELECT namespace, status, tool_name, count(*) AS count, sum(value_bytes) AS value_bytes
       FROM (SELECT namespace, status, tool_name, value_bytes, expires_at ${ordered} LIMIT ${COUNTED_AT_ONCE})
       WHERE expires_at IS NULL OR expires_at > ? GROUP BY namespace, status, tool_name`,
      cacheName,
      ...parameters,
      now,
    ) as CountedRow[]
    return { counts: rows.map(countOf), ...(last ? { next: last } : {}) }
  }

  /** Each status has its own stretch of an index, in order; the first of them all together are the first of these. */
  #rows(filter: ListFilter, limit: number): ListedRow[] {
    const { namespace, newestFirst = false } = filter
    if (namespace === undefined && !filter.statuses) return this.#select('entries_by_creation', filter, limit)
    const index = namespace === undefined ? 'entries_by_status' : 'entries_by_namespace'
    const statuses = filter.statuses ?? ENTRY_STATUSES
    const rows = statuses.flatMap(status => this.#select(index, filter, limit, status))
    const direction = newestFirst ? -1 : 1
    rows.sort((a, b) => direction * (a.created_at - b.created_at || (a.ref_id < b.ref_id ? -1 : 1)))
    return rows.slice(0, limit)
  }

  #select(index: string, filter: ListFilter, limit: number, status?: EntryStatus): ListedRow[] {
    const { cacheName, namespace, after, newestFirst = false } = filter
    const [where, ...parameters] = beyond(after, newestFirst)
    const order = newestFirst ? 'created_at DESC, ref_id DESC' : 'created_at, ref_id'
    const sql = `SELECT ref_id, created_at, record FROM entries INDEXED BY ${index}
      WHERE cache_name = ?${namespace === undefined ? '' : ' AND namespace = ?'}${status ? ' AND status = ?' : ''}${where}
      ORDER BY ${order} LIMIT ?`
    return this.sql.all(
      sql,
      cacheName,
      ...(namespace === undefined ? [] : [exactly(namespace)]),
      ...(status ? [status] : []),
      ...parameters,
      limit,
    ) as ListedRow[]
  }
}

/** A condition with its parameters. */
function beyond(place: Place | undefined, downwards: boolean): [where: string, ...parameters: SqliteValue[]] {
  if (!place) return ['']
  return [` AND (created_at, ref_id) ${downwards ? '<' : '>'} (?, ?)`, place.createdAt, place.refId]
}

function countOf({
  namespace,
  status,
  tool_name: toolName,
  count,
  value_bytes: valueBytes,
}: CountedRow): EntryCount {
  const named = toolName === null ? {} : { toolName }
  return { namespace: JSON.parse(namespace) as string, status, ...named, count, valueBytes }
}
