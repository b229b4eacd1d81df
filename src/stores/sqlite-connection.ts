import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from '../core/backoff.ts'
import { StoreUnavailable } from '../core/errors.ts'
import { loadDriver, type SqliteDatabase, type SqliteDriver } from './sqlite-driver.ts'
import { asStoreError, isBusy } from './sqlite-errors.ts'
import { openDatabase } from './sqlite-file.ts'
import { filesAt, isReplaced, type OpenFiles, removeLeftovers } from './sqlite-place.ts'
import type { SqliteRecords } from './sqlite-records.ts'
import type { Warnings } from './warnings.ts'

/** SQLite's own waiting blocks the process, so only the first part of a wait is left to it. */
const MAX_BLOCK_MS = 100
const TRIES = { firstMs: 5, maxMs: 200 }
/** One try and the pause after it count for no more: in a process that was suspended, or got no core, time goes by without a try. */
const MAX_COUNTED_MS = 500

export interface ConnectionOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly driver: SqliteDriver | undefined
  readonly readOnly: boolean
  readonly warnings: Warnings
  readonly recordsOf: (database: SqliteDatabase) => SqliteRecords
  /** Another file stands at the path now: whatever was known may be gone. */
  readonly onReplaced: () => void
}

/** The open file: opened on first use, and again where another one stands at its path; waits while others are in the way. */
export class SqliteConnection {
  #records: SqliteRecords | undefined
  #files: OpenFiles | undefined
  #opening: Promise<void> | undefined
  #closed = false

  constructor(private readonly options: ConnectionOptions) {}

  /** What is open now; absent before the first use, and after the end. */
  get records(): SqliteRecords | undefined {
    return this.#records
  }

  /**
   * Runs `work` on the open database; while another process is in the way, again after ever longer pauses.
   * @throws StoreUnavailable
   */
  async run<T>(work: (records: SqliteRecords) => T, access?: 'write'): Promise<T> {
    const { path, busyTimeoutMs, readOnly } = this.options
    if (readOnly && access === 'write') {
      throw new StoreUnavailable(
        `The store on ${path} is open for reading only: whoever opened it asked for that, or may not write to the file and its folder.`,
      )
    }
    let [left, since] = [busyTimeoutMs, performance.now()]
    const backoff = new Backoff(TRIES)
    for (;;) {
      try {
        if (!this.#records || ((access === 'write' || readOnly) && this.#isReplaced())) await this.open()
        if (!this.#records) throw this.#closedError()
        this.#records.checkFormat()
        return work(this.#records)
      } catch (error) {
        const [pause, now] = [backoff.next(), performance.now()]
        left -= Math.min(now - since, MAX_COUNTED_MS)
        since = now
        if (!isBusy(error) || pause > left) throw asStoreError(error, path)
        await sleep(pause * (0.5 + Math.random()))
      }
    }
  }

  open(): Promise<void> {
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** @param last what is done with the open file before */
  close(last: (records: SqliteRecords) => void): void {
    this.#closed = true
    if (this.#records) last(this.#records)
    this.#records?.database.close()
    this.#records = undefined
  }

  #isReplaced(): boolean {
    return this.#files !== undefined && isReplaced(this.options.path, this.#files)
  }

  async #openOnce(): Promise<void> {
    const { path, busyTimeoutMs, warnings, recordsOf, readOnly } = this.options
    const driver = this.options.driver ?? (await loadDriver())
    if (this.#closed) throw this.#closedError()
    const blockMs = Math.min(MAX_BLOCK_MS, Math.floor(busyTimeoutMs))
    const warn = (message: string) => warnings.tellOnce('REFCACHE_SQLITE_PLACE', message, message)
    if (this.#files && !readOnly) removeLeftovers(this.#files)
    const records = recordsOf(openDatabase(driver, path, { blockMs, warn, readOnly }))
    try {
      if (this.#records) this.#moveTo(records, this.#records)
    } catch (error) {
      records.database.close()
      throw error
    }
    this.#records = records
    this.#files = filesAt(path)
  }

  /** Tasks in flight go along, so that identical calls join them. What is finished went with the file. */
  #moveTo(records: SqliteRecords, gone: SqliteRecords): void {
    const { path, warnings, onReplaced, readOnly } = this.options
    if (readOnly) {
      gone.database.close()
      onReplaced()
      return
    }
    const tasks = tasksOf(gone)
    records.adopt(tasks)
    gone.database.close()
    onReplaced()
    warnings.tell(
      'REFCACHE_SQLITE_REPLACED',
      `The cache file ${path} was removed or replaced while it was open. The one at that path is used now; what was stored in the old one is gone, but for ${tasks.length} task(s) in flight.`,
    )
  }

  #closedError(): StoreUnavailable {
    return new StoreUnavailable(`The store on ${this.options.path} is closed.`)
  }
}

/** A file that cannot be read any more has nothing to give. */
function tasksOf(gone: SqliteRecords) {
  try {
    return gone.inFlight()
  } catch {
    return []
  }
}
