import { randomUUID } from 'node:crypto'
import { CLOCK_SLACK_MS } from '../core/clock.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import { isBusy } from './sqlite-errors.ts'
import type { StoreTime } from './store.ts'

/** A process that was not heard of for so long is not at work any more; one that asks more rarely says so. */
const MIN_PATIENCE_MS = 60_000

/** Beside the schema, so that older versions go on with the file. `beat` and `silent_at` are by the machine's monotonic clock. */
const TABLE = `CREATE TABLE IF NOT EXISTS clocks (
  process TEXT NOT NULL PRIMARY KEY, time REAL NOT NULL, beat REAL NOT NULL, silent_at REAL NOT NULL
)`

/** What time it is for the processes that are at work on a file: each says so from time to time. */
export class SqliteClocks {
  readonly #process = randomUUID()
  #lastBeat: number | undefined

  /** The slowest of the other clocks, where it is slower than this one. */
  slowest(database: SqliteDatabase, now: number): StoreTime | undefined {
    const beat = uptime()
    this.#tell(database, now, beat)
    const row = database
      .prepare(
        'SELECT min(time + ? - beat) AS slowest FROM clocks WHERE process <> ? AND beat <= ? AND silent_at > ?',
      )
      .get(beat, this.#process, beat, beat) as { slowest: number | null }
    const { slowest } = row
    return slowest === null || slowest > now - CLOCK_SLACK_MS ? undefined : { now: slowest, from: 'slowest' }
  }

  /** What others are told. Where one of them writes at this moment, it is told the next time. */
  #tell(database: SqliteDatabase, time: number, beat: number): void {
    const patience = Math.max(MIN_PATIENCE_MS, 3 * (beat - (this.#lastBeat ?? beat)))
    try {
      database.exec(TABLE)
      database
        .prepare('INSERT OR REPLACE INTO clocks (process, time, beat, silent_at) VALUES (?, ?, ?, ?)')
        .run(this.#process, time, beat, beat + patience)
      // A restart of the machine turns its monotonic clock back.
      database.prepare('DELETE FROM clocks WHERE silent_at < ? OR beat > ?').run(beat, beat)
      this.#lastBeat = beat
    } catch (error) {
      if (!isBusy(error)) throw error
    }
  }

  leave(database: SqliteDatabase): void {
    try {
      database.prepare('DELETE FROM clocks WHERE process = ?').run(this.#process)
    } catch {
      // It falls silent, then.
    }
  }
}

/** Milliseconds by a clock that all processes of the machine share and nobody can set. */
function uptime(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}
