import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from '../core/backoff.ts'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import type { Entry, RemovedEntry } from '../core/entry.ts'
import { StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { SqliteClocks } from './sqlite-clocks.ts'
import { loadDriver, type SqliteDriver } from './sqlite-driver.ts'
import { asStoreError, isBusy } from './sqlite-errors.ts'
import { openDatabase } from './sqlite-file.ts'
import { defaultPath, filesAt, isReplaced, type OpenFiles, pathOf, removeLeftovers } from './sqlite-place.ts'
import { SqliteRecords } from './sqlite-records.ts'
import type {
  Claim,
  ListFilter,
  OnChange,
  Payload,
  PayloadChanges,
  ProcessTime,
  SegmentName,
  Store,
  StoreTime,
} from './store.ts'
import { Warnings } from './warnings.ts'
import { Watchers } from './watchers.ts'

export type { SqliteDatabase, SqliteDriver, SqliteStatement, SqliteValue } from './sqlite-driver.ts'

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /**
   * How long to go on trying while other processes hold the file's lock, before `StoreUnavailable`.
   * @defaultValue '5s'
   */
  readonly busyTimeout?: Duration | undefined
  /**
   * How often to look for changes that other processes made, as long as something is watched.
   * @defaultValue '50ms'
   */
  readonly pollInterval?: Duration | undefined
  /**
   * A module with the API of `node:sqlite`, to use instead of it. One process must not open one file with two
   * drivers: two SQLite libraries in one process do not see each other's locks.
   * @defaultValue `node:sqlite` on Node 22.13 or newer, else the package `@photostructure/sqlite`
   */
  readonly driver?: SqliteDriver | undefined
}

/** SQLite's own waiting blocks the process, so only the first part of a wait is left to it. */
const MAX_BLOCK_MS = 100
const TRIES = { firstMs: 5, maxMs: 200 }
/** Beyond this the -wal file is emptied. */
const MAX_WAL_BYTES = 16 * 1024 * 1024
const TRUNCATION_PAUSE_MS = 100
const TRUNCATION_TRIES = { firstMs: 200, maxMs: 800 }

/**
 * A store in one SQLite file, for any number of processes on one machine. The file is opened on first use, by
 * default `$XDG_CACHE_HOME/mcp-refcache/cache-2.db` (`~/.cache` without it), and is readable for its user
 * alone.
 *
 * SQLite works synchronously, in small steps: large values are written segment by segment. The
 * file does not shrink; room that deleted values leave is used again. A network file system will not do.
 *
 * A file that is removed or replaced while it is open is noticed at the next write: the one at the path is opened
 * instead, and tasks in flight go there.
 *
 * @param place a path, or a `file:` URL as text or as `URL`.
 * @throws InvalidArgument when an option is malformed, or the place is no file (`':memory:'`: use `memoryStore()`);
 *   StoreUnavailable when there is no default place, because the environment names no home
 */
export function sqliteStore(place: string | URL = defaultPath(), options: SqliteStoreOptions = {}): Store {
  return new SqliteStore(pathOf(place), options)
}

class SqliteStore implements Store {
  readonly capabilities = { durable: true, shared: true, watch: true }
  readonly #path: string
  readonly #busyTimeoutMs: number
  readonly #pollIntervalMs: number
  readonly #driver: SqliteDriver | undefined
  readonly #watchers = new Watchers()
  readonly #warnings = new Warnings()
  readonly #clocks = new SqliteClocks()
  #records: SqliteRecords | undefined
  #files: OpenFiles | undefined
  readonly #truncations = new Backoff(TRUNCATION_TRIES)
  #nextTruncation = 0
  #opening: Promise<void> | undefined
  #poll: NodeJS.Timeout | undefined
  #seenVersion: unknown
  #closed = false

  constructor(path: string, { busyTimeout = '5s', pollInterval = '50ms', driver }: SqliteStoreOptions) {
    this.#path = path
    this.#busyTimeoutMs = toMilliseconds(busyTimeout, 'busyTimeout')
    this.#pollIntervalMs = toMilliseconds(pollInterval, 'pollInterval')
    this.#driver = driver
  }

  async claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    const claim = await this.#write(records => records.claim(draft, now, parts))
    if (claim.won) this.#watchers.notify(draft.refId, draft.version)
    return claim
  }

  async findByKey(_cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    return this.#run(records => records.findByKey(key, now))
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    return this.#run(records => records.get(refId))
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#run(records => records.read(refId, part))
  }

  async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    await this.#write(records => records.stage(segment, bytes, now))
  }

  async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    return this.#run(records => records.readSegment(segment))
  }

  async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const updated = await this.#write(records => records.update(entry, expectedVersion, parts))
    if (updated) this.#watchers.notify(entry.refId, entry.version)
    return updated
  }

  async delete(refId: RefId): Promise<boolean> {
    const deleted = await this.#write(records => records.delete(refId))
    if (deleted) this.#watchers.notify(refId)
    return deleted
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    return this.#run(records => records.list(filter))
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    const cleared = await this.#write(records => records.clear(cacheName, namespace))
    if (cleared.length > 0) this.#watchers.notifyAll()
    return cleared
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    const pruned = await this.#write(records => records.prune(now, limit))
    if (pruned.length > 0) this.#watchers.notifyAll()
    return pruned
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    if (this.#closed) return () => {}
    const end = this.#watchers.add(refId, onChange)
    // The timer does not keep the process alive: whoever waits for a change has a timer of its own.
    this.#poll ??= setInterval(() => this.#lookForChanges(), this.#pollIntervalMs).unref()
    return () => {
      end()
      if (this.#watchers.size === 0) this.#stopPolling()
    }
  }

  async time(_cacheName: string, own: ProcessTime): Promise<StoreTime> {
    return this.#run(records => this.#clocks.time(records.database, own), 'write')
  }

  warnTo(warn: (message: string) => void): void {
    this.#warnings.to(warn)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopPolling()
    if (this.#records) this.#clocks.leave(this.#records.database)
    this.#records?.close()
    this.#records = undefined
    this.#watchers.notifyAll()
  }

  async #write<T>(work: (records: SqliteRecords) => T): Promise<T> {
    return this.#run(records => {
      const result = work(records)
      this.#limitWal(records)
      return result
    }, 'write')
  }

  /**
   * Runs `work` on the open database; while another process is in the way, again after ever longer pauses.
   */
  async #run<T>(work: (records: SqliteRecords) => T, access?: 'write'): Promise<T> {
    const giveUpAt = performance.now() + this.#busyTimeoutMs
    const backoff = new Backoff(TRIES)
    for (;;) {
      try {
        if (!this.#records || (access === 'write' && this.#isReplaced())) await this.#open()
        if (!this.#records) throw this.#closedError()
        this.#records.checkFormat()
        return work(this.#records)
      } catch (error) {
        const pause = backoff.next()
        if (!isBusy(error) || performance.now() + pause > giveUpAt) throw asStoreError(error, this.#path)
        await sleep(pause * (0.5 + Math.random()))
      }
    }
  }

  #isReplaced(): boolean {
    return this.#files !== undefined && isReplaced(this.#path, this.#files)
  }

  #open(): Promise<void> {
    this.#opening ??= this.#openOnce().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openOnce(): Promise<void> {
    const driver = this.#driver ?? (await loadDriver())
    if (this.#closed) throw this.#closedError()
    const blockMs = Math.min(MAX_BLOCK_MS, Math.floor(this.#busyTimeoutMs))
    const warn = (message: string) => this.#warnings.tellOnce('REFCACHE_SQLITE_PLACE', message, message)
    if (this.#files) removeLeftovers(this.#files)
    const records = new SqliteRecords(openDatabase(driver, this.#path, { blockMs, warn }))
    try {
      if (this.#records) this.#moveTo(records, this.#records)
    } catch (error) {
      records.close()
      throw error
    }
    this.#records = records
    this.#files = filesAt(this.#path)
  }

  /** Tasks in flight go along, so that identical calls join them. What is finished went with the file. */
  #moveTo(records: SqliteRecords, gone: SqliteRecords): void {
    const tasks = tasksOf(gone)
    records.adopt(tasks)
    gone.close()
    this.#watchers.notifyAll()
    this.#warnings.tell(
      'REFCACHE_SQLITE_REPLACED',
      `The cache file ${this.#path} was removed or replaced while it was open. The one at that path is used now; what was stored in the old one is gone, but for ${tasks.length} task(s) in flight.`,
    )
  }

  /** Where others are in the way, a try takes blockMs and may be for nothing; so after each it waits longer. */
  #limitWal(records: SqliteRecords): void {
    if (performance.now() < this.#nextTruncation || sizeOf(`${this.#path}-wal`) < MAX_WAL_BYTES) return
    const done = records.truncateWal()
    if (done) this.#truncations.reset()
    this.#nextTruncation = performance.now() + (done ? TRUNCATION_PAUSE_MS : this.#truncations.next())
  }

  /**
   * Own changes are told at once and do not count here. A failure is told, too: who reads then learns why.
   */
  #lookForChanges(): void {
    if (!this.#records) {
      this.#open().catch(() => this.#watchers.notifyAll())
      return
    }
    try {
      const version = this.#records.dataVersion()
      if (version !== this.#seenVersion) this.#watchers.notifyAll()
      this.#seenVersion = version
    } catch {
      this.#watchers.notifyAll()
    }
  }

  #stopPolling(): void {
    clearInterval(this.#poll)
    this.#poll = undefined
  }

  #closedError(): StoreUnavailable {
    return new StoreUnavailable(`The store on ${this.#path} is closed.`)
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size
  } catch {
    return 0
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
