import { randomUUID } from 'node:crypto'
import { CLOCK_SLACK_MS } from '../core/clock.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import { isBusy, isFull } from './sqlite-errors.ts'
import { transaction } from './sqlite-file.ts'
import type { ProcessTime, StoreTime } from './store.ts'

/** A process that was not heard of for so long is not at work any more; one that asks more rarely says so. */
const MIN_PATIENCE_MS = 60_000

/** Beside the schema, so that older versions go on with the file. `beat` and `silent_at` are by the machine's monotonic clock. */
const TABLE = `CREATE TABLE IF NOT EXISTS process_clocks (
  process TEXT NOT NULL PRIMARY KEY, now REAL NOT NULL, earliest REAL NOT NULL, beat REAL NOT NULL, silent_at REAL NOT NULL
)`

/**
 * What time it is for the processes that are at work on a file. Each says so from time to time. One that comes to others
 * takes their time, whatever its own clock says, so all of them have one time.
 */
export class SqliteClocks {
  readonly #process = randomUUID()
  #lastBeat: number | undefined
  #hasJoined = false

  time(database: SqliteDatabase, own: ProcessTime): StoreTime {
    const beat = uptime()
    const joins = !this.#hasJoined
    const agree = () => {
      const others = this.#others(database, beat)
      return {
        now: joins && others && differ(others.now, own.now) ? others.now : own.now,
        earliest: others && differ(others.earliest, own.earliest) ? others.earliest : own.earliest,
      }
    }
    let takesWrites = true
    let agreed = own
    try {
      // In one step: of two processes that begin at the same moment, one takes the other's time.
      transaction(database, () => {
        database.exec(TABLE)
        agreed = agree()
        this.#tell(database, joins ? agreed : own, beat)
      })
      this.#lastBeat = beat
    } catch (error) {
      // Where another one writes at this moment, it is told the next time.
      if (!isBusy(error) && !isFull(error)) throw error
      takesWrites = !isFull(error)
      agreed = isMissing(database) ? own : agree()
    }
    this.#hasJoined = true
    return { ...agreed, from: 'others', takesWrites }
  }

  leave(database: SqliteDatabase): void {
    try {
      transaction(database, () =>
        database.prepare('DELETE FROM process_clocks WHERE process = ?').run(this.#process),
      )
    } catch {
      // It falls silent, then.
    }
  }

  /** Where they differ because the machine slept or its clock was set: the latest time, and the earliest. */
  #others(database: SqliteDatabase, beat: number): ProcessTime | undefined {
    const { now, earliest } = database
      .prepare(
        `SELECT max(now + ? - beat) AS now, min(earliest + ? - beat) AS earliest FROM process_clocks
         WHERE process <> ? AND beat <= ? AND silent_at > ?`,
      )
      .get(beat, beat, this.#process, beat, beat) as Record<keyof ProcessTime, number | null>
    return now === null || earliest === null ? undefined : { now, earliest }
  }

  #tell(database: SqliteDatabase, { now, earliest }: ProcessTime, beat: number): void {
    const patience = Math.max(MIN_PATIENCE_MS, 3 * (beat - (this.#lastBeat ?? beat)))
    database
      .prepare(
        'INSERT OR REPLACE INTO process_clocks (process, now, earliest, beat, silent_at) VALUES (?, ?, ?, ?, ?)',
      )
      .run(this.#process, now, earliest, beat, beat + patience)
    // A restart of the machine turns its monotonic clock back.
    database.prepare('DELETE FROM process_clocks WHERE silent_at < ? OR beat > ?').run(beat, beat)
  }
}

function differ(one: number, other: number): boolean {
  return Math.abs(one - other) > CLOCK_SLACK_MS
}

function isMissing(database: SqliteDatabase): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'process_clocks'").get() === undefined
}

/** Milliseconds by a clock that all processes of the machine share and nobody can set. */
export function uptime(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}
