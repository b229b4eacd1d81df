import type { TokenCounts } from '../core/token-savings.ts'
import type { SqliteStatements } from './sqlite-statements.ts'
import { type HourOfSavings, SAVINGS_KEPT_MS } from './store.ts'

/** Beside the schema, and there once something was saved, so that other versions go on with the file. */
const TABLE = `CREATE TABLE IF NOT EXISTS savings (
  hour INTEGER NOT NULL, cache_name TEXT NOT NULL,
  kept_out INTEGER NOT NULL, paged_in INTEGER NOT NULL, added INTEGER NOT NULL,
  PRIMARY KEY (hour, cache_name)
) WITHOUT ROWID`

/** What was saved and what it cost, by hour and cache. */
export class SqliteSavings {
  #isThere = false

  constructor(private readonly sql: SqliteStatements) {}

  /** Inside a transaction. */
  add(cacheName: string, hour: number, { keptOut, pagedIn, added }: TokenCounts): void {
    this.sql.exec(TABLE)
    this.sql.run(
      `INSERT INTO savings (hour, cache_name, kept_out, paged_in, added) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (hour, cache_name) DO UPDATE SET
         kept_out = kept_out + excluded.kept_out, paged_in = paged_in + excluded.paged_in, added = added + excluded.added`,
      hour,
      cacheName,
      keptOut,
      pagedIn,
      added,
    )
  }

  since(from: number): HourOfSavings[] {
    if (!this.#exists()) return []
    return this.sql.all(
      `SELECT cache_name AS cacheName, hour, kept_out AS keptOut, paged_in AS pagedIn, added FROM savings
       WHERE hour >= ? ORDER BY hour, cache_name`,
      from,
    ) as HourOfSavings[]
  }

  /** Inside a transaction. */
  prune(now: number): void {
    if (this.#exists()) this.sql.run('DELETE FROM savings WHERE hour <= ?', now - SAVINGS_KEPT_MS)
  }

  #exists(): boolean {
    this.#isThere ||= this.sql.get("SELECT 1 FROM sqlite_schema WHERE name = 'savings'") !== undefined
    return this.#isThere
  }
}
