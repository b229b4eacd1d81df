import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import type { Entry } from '../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { loadDriver, type SqliteDriver } from './sqlite-driver.ts'
import { asStoreError, isBusy } from './sqlite-errors.ts'
import { defaultPath, openDatabase } from './sqlite-file.ts'
import { SqliteRecords } from './sqlite-records.ts'
import type { Claim, ListFilter, Part, PartChanges, Store } from './store.ts'
import { Watchers } from './watchers.ts'

export type { SqliteDatabase, SqliteDriver, SqliteStatement, SqliteValue } from './sqlite-driver.ts'

export interface SqliteStoreOptions {
  /**
   * How long to go on trying while other processes hold the file's lock, before `StoreUnavailable`.
   * @defaultValue '5s'
   */
  readonly busyTimeout?: Duration
  /**
   * How often to look for changes that other processes made, as long as something is watched.
   * @defaultValue '50ms'
   */
  readonly pollInterval?: Duration
  /**
   * A module with the API of `node:sqlite`, to use instead of it. One process must not open one file with two
   * drivers: two SQLite libraries in one process do not see each other's locks.
   * @defaultValue `node:sqlite` on Node 22.13 or newer, else the package `@photostructure/sqlite`
   */
  readonly driver?: SqliteDriver
}

/** SQLite's own waiting blocks the process, so only the first part of a wait is left to it. */
const MAX_BLOCK_MS = 100
const FIRST_PAUSE_MS = 5
const MAX_PAUSE_MS = 200

/**
 * A store in one SQLite file, for any number of processes on one machine. The file is opened on first use, by
 * default `$XDG_CACHE_HOME/mcp-refcache/cache.db` (`~/.cache` without it), and is readable for its user
 * alone.
 *
 * SQLite works synchronously: writing a value of 50 MB blocks the process for some tenths of a second. The
 * file does not shrink; room that deleted values leave is used again. A network file system will not do.
 *
 * @throws InvalidArgument when an option is malformed, or the path is `':memory:'` (use `memoryStore()`).
 */
export function sqliteStore(path: string = defaultPath(), options: SqliteStoreOptions = {}): Store {
  if (path === '' || path === ':memory:') {
    throw new InvalidArgument(
      'sqliteStore needs the path of a file. To do without a file, use memoryStore().',
    )
  }
  return new SqliteStore(resolve(path), options)
}

class SqliteStore implements Store {
  readonly capabilities = { durable: true, shared: true, watch: true }
  readonly #path: string
  readonly #busyTimeoutMs: number
  readonly #pollIntervalMs: number
  readonly #driver: SqliteDriver | undefined
  readonly #watchers = new Watchers()
  #records: SqliteRecords | undefined
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

  async claim(draft: Entry, now: number, parts?: PartChanges): Promise<Claim> {
    const claim = await this.#run(records => records.claim(draft, now, parts))
    if (claim.won) this.#watchers.notify(draft.refId)
    return claim
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    return this.#run(records => records.get(refId))
  }

  async read(refId: RefId, part: Part): Promise<Uint8Array | undefined> {
    return this.#run(records => records.read(refId, part))
  }

  async update(entry: Entry, expectedVersion: number, parts?: PartChanges): Promise<boolean> {
    const updated = await this.#run(records => records.update(entry, expectedVersion, parts))
    if (updated) this.#watchers.notify(entry.refId)
    return updated
  }

  async delete(refId: RefId): Promise<boolean> {
    const deleted = await this.#run(records => records.delete(refId))
    if (deleted) this.#watchers.notify(refId)
    return deleted
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    return this.#run(records => records.list(filter))
  }

  async clear(cacheName: string, namespace?: string): Promise<number> {
    const cleared = await this.#run(records => records.clear(cacheName, namespace))
    if (cleared > 0) this.#watchers.notifyAll()
    return cleared
  }

  async prune(now: number, limit: number): Promise<number> {
    const pruned = await this.#run(records => records.prune(now, limit))
    if (pruned > 0) this.#watchers.notifyAll()
    return pruned
  }

  watch(refId: RefId, onChange: () => void): () => void {
    if (this.#closed) return () => {}
    const end = this.#watchers.add(refId, onChange)
    // The timer does not keep the process alive: whoever waits for a change has a timer of its own.
    this.#poll ??= setInterval(() => this.#lookForChanges(), this.#pollIntervalMs).unref()
    return () => {
      end()
      if (this.#watchers.size === 0) this.#stopPolling()
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopPolling()
    this.#records?.close()
    this.#records = undefined
    this.#watchers.notifyAll()
  }

  /**
   * Runs `work` on the open database; while another process is in the way, again after ever longer pauses.
   */
  async #run<T>(work: (records: SqliteRecords) => T): Promise<T> {
    const giveUpAt = performance.now() + this.#busyTimeoutMs
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
      try {
        if (!this.#records) await this.#open()
        if (!this.#records) throw this.#closedError()
        return work(this.#records)
      } catch (error) {
        if (!isBusy(error) || performance.now() + pause > giveUpAt) throw asStoreError(error, this.#path)
      }
      await sleep(pause * (0.5 + Math.random()))
    }
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
    this.#records = new SqliteRecords(openDatabase(driver, this.#path, blockMs))
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
