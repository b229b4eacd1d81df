import { setImmediate as turn } from 'node:timers/promises'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import type { Entry, RemovedEntry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'
import { SqliteClocks, uptime } from './sqlite-clocks.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import type { SqliteDriver } from './sqlite-driver.ts'
import { transaction } from './sqlite-file.ts'
import { defaultPath, pathOf } from './sqlite-place.ts'
import { type Removed, SqliteRecords } from './sqlite-records.ts'
import { SqliteSpace, truncateWal } from './sqlite-space.ts'
import { countInSteps, listInSteps, tasksInSteps } from './sqlite-steps.ts'
import { SqliteWatch } from './sqlite-watch.ts'
import type {
  Changes,
  Claim,
  EntryCount,
  HourOfSavings,
  ListFilter,
  OnChange,
  Payload,
  PayloadChanges,
  ProcessTime,
  SegmentName,
  Store,
  StoreTime,
  StoreUsage,
  TaskOwner,
} from './store.ts'
import { checkQuota } from './store-quota.ts'
import { Warnings } from './warnings.ts'

export type { SqliteDatabase, SqliteDriver, SqliteStatement, SqliteValue } from './sqlite-driver.ts'

/** Options of `sqliteStore`. */
export interface SqliteStoreOptions {
  /**
   * Most bytes of inputs and values to keep, as they are stored, of all caches on the file.
   * @defaultValue 2 GiB
   */
  readonly maxBytes?: number | undefined
  /**
   * Most entries to keep.
   * @defaultValue 100_000
   */
  readonly maxEntries?: number | undefined
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
   * Only look: no file is made or changed, and whatever would write fails with `StoreUnavailable`. For `openInspector`.
   * @defaultValue false
   */
  readonly readOnly?: boolean | undefined
  /**
   * A module with the API of `node:sqlite`, to use instead of it. One process must not open one file with two
   * drivers: two SQLite libraries in one process do not see each other's locks.
   * @defaultValue `node:sqlite` on Node 22.13 or newer, else the package `@photostructure/sqlite`
   */
  readonly driver?: SqliteDriver | undefined
}

const DEFAULT_MAX_BYTES = 2 * 1024 * 1024 * 1024
const DEFAULT_MAX_ENTRIES = 100_000

/**
 * A store in one SQLite file, for any number of processes on one machine. The file is opened on first use, by
 * default `$XDG_CACHE_HOME/mcp-refcache/cache-3.db` (`~/.cache` without it), and is readable for its user
 * alone.
 *
 * SQLite works synchronously, in small steps: large values are written segment by segment. When the store is full,
 * the settled entry that was used least recently makes room; results that nobody fetched go last, tasks in flight
 * never. With each sweep the file shrinks to what is in it. A network file system will not do.
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
  readonly #warnings = new Warnings()
  readonly #clocks = new SqliteClocks()
  readonly #space: SqliteSpace
  readonly #readOnly: boolean
  readonly #connection: SqliteConnection
  readonly #watch: SqliteWatch
  #closed = false

  constructor(path: string, options: SqliteStoreOptions) {
    const { busyTimeout = '5s', pollInterval = '50ms', readOnly = false, driver } = options
    const { maxBytes = DEFAULT_MAX_BYTES, maxEntries = DEFAULT_MAX_ENTRIES } = options
    const quota = checkQuota({ maxEntries, maxBytes })
    const onEvicted = (refIds: readonly RefId[]) => {
      for (const refId of refIds) this.#watch.notify(refId)
    }
    const pollIntervalMs = toMilliseconds(pollInterval, 'pollInterval')
    this.#space = new SqliteSpace(path)
    this.#readOnly = readOnly
    this.#connection = new SqliteConnection({
      path,
      busyTimeoutMs: toMilliseconds(busyTimeout, 'busyTimeout'),
      driver,
      readOnly,
      warnings: this.#warnings,
      recordsOf: database => new SqliteRecords(database, { quota, onEvicted }),
      onReplaced: () => this.#watch.notifyAll(),
    })
    this.#watch = new SqliteWatch(this.#connection, pollIntervalMs)
  }

  async claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    const claim = await this.#write(records => records.claim(draft, now, parts))
    if (claim.won) this.#watch.notify(draft.refId, draft.version)
    return claim
  }

  async findByKey(_cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    return this.#connection.run(records => records.findByKey(key, now))
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    return this.#connection.run(records => records.get(refId))
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#connection.run(records => records.read(refId, part))
  }

  async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    await this.#write(records => records.stage(segment, bytes, now))
  }

  async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    return this.#connection.run(records => records.readSegment(segment))
  }

  async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const updated = await this.#write(records => records.update(entry, expectedVersion, parts))
    if (updated) this.#watch.notify(entry.refId, entry.version)
    return updated
  }

  async delete(refId: RefId): Promise<boolean> {
    const deleted = await this.#write(records => records.delete(refId))
    if (deleted) this.#watch.notify(refId)
    return deleted
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    return listInSteps(this.#connection, filter)
  }

  async peek(refIds: readonly RefId[]): Promise<Entry[]> {
    return this.#connection.run(({ listing }) => listing.peek(refIds))
  }

  async match(prefix: string, limit: number): Promise<RefId[]> {
    return this.#connection.run(({ listing }) => listing.match(prefix, limit))
  }

  async count(cacheName: string, now: number): Promise<EntryCount[]> {
    return countInSteps(this.#connection, cacheName, now)
  }

  async caches(): Promise<string[]> {
    return this.#connection.run(({ listing }) => listing.caches())
  }

  async changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    return this.#connection.run(({ changes }) => changes.since(cacheName, cursor, limit))
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    return this.#remove((records, { next }) => records.clear(cacheName, namespace, next))
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    const pruned = await this.#remove((records, _, soFar) => records.prune(now, limit - soFar))
    // On a full disk expired entries go all the same.
    await this.#write(records => records.tidy()).catch(() => {})
    const { records } = this.#connection
    if (records) void this.#space.shrink(records.database)
    return pruned
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.#watch.watch(refId, onChange)
  }

  async time(_cacheName: string, own: ProcessTime): Promise<StoreTime> {
    return this.#connection.run(records => this.#clocks.time(records.database, own), 'write')
  }

  async beat(_cacheName: string, process: string): Promise<void> {
    return this.#write(({ database, owners }) => transaction(database, () => owners.beat(process, uptime())))
  }

  async owners(cacheName: string): Promise<TaskOwner[]> {
    return this.#connection.run(({ owners }) => owners.list(cacheName))
  }

  tasksOf(cacheName: string, process: string): AsyncGenerator<RefId[]> {
    return tasksInSteps(this.#connection, cacheName, process)
  }

  noteUse(refId: RefId, now: number): void {
    this.#connection.records?.noteUse(refId, now)
  }

  async usage(): Promise<StoreUsage> {
    return this.#connection.run(records => records.usage())
  }

  async addSavings(cacheName: string, hour: number, more: TokenCounts): Promise<void> {
    return this.#write(({ database, savings }) => {
      transaction(database, () => savings.add(cacheName, hour, more))
    })
  }

  async savings(since: number): Promise<HourOfSavings[]> {
    return this.#connection.run(({ savings }) => savings.since(since))
  }

  warnTo(warn: (message: string) => void): void {
    this.#warnings.to(warn)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#space.end()
    this.#connection.close(records => {
      if (this.#readOnly) return
      this.#clocks.leave(records.database)
      tidyForNow(records)
      truncateWal(records.database)
    })
    this.#watch.close()
  }

  /** Step by step, so that neither this process nor others at the file have to wait for all of it. */
  async #remove(
    step: (records: SqliteRecords, last: Removed, soFar: number) => Removed,
  ): Promise<RemovedEntry[]> {
    const removed: RemovedEntry[] = []
    for (let last: Removed = { removed }; ; ) {
      last = await this.#write(records => step(records, last, removed.length))
      if (last.next === undefined) break
      removed.push(...last.removed)
      await turn()
    }
    for (const { refId } of removed) this.#watch.notify(refId)
    return removed
  }

  async #write<T>(work: (records: SqliteRecords) => T): Promise<T> {
    return this.#connection.run(records => {
      const result = work(records)
      this.#space.limitWal(records.database)
      return result
    }, 'write')
  }
}

/** When entries were last used is not worth an error. */
function tidyForNow(records: SqliteRecords): void {
  try {
    records.tidy()
  } catch {}
}
