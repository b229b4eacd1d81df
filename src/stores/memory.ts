import { setImmediate as turn } from 'node:timers/promises'
import type { Entry, RemovedEntry } from '../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import type { TokenCounts } from '../core/token-savings.ts'
import { MemoryRecords, STEP } from './memory-records.ts'
import { MemorySavings } from './memory-savings.ts'
import type {
  Changes,
  Claim,
  EntryCount,
  HourOfSavings,
  ListFilter,
  OnChange,
  Payload,
  PayloadChanges,
  SegmentName,
  Store,
  StoreUsage,
  TaskOwner,
} from './store.ts'
import { checkFitsQuota, checkQuota, fullOfWork, type StoreQuota } from './store-quota.ts'
import { Watchers } from './watchers.ts'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /**
   * Most entries to keep.
   * @defaultValue 10_000
   */
  readonly maxEntries?: number | undefined
  /**
   * Most bytes of inputs and values to keep; the entries themselves, some hundred bytes each, are not
   * counted.
   * @defaultValue 512 MiB
   */
  readonly maxBytes?: number | undefined
}

const DEFAULT_MAX_ENTRIES = 10_000
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024

/**
 * A store in this process alone; its entries end with it. When it is full, the settled entry that was used
 * least recently makes room; results that nobody fetched go last. A task in flight is never dropped, so the bounds
 * may be exceeded by tasks in flight.
 *
 * @throws InvalidArgument when a bound is not an integer of at least 1.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxEntries = DEFAULT_MAX_ENTRIES, maxBytes = DEFAULT_MAX_BYTES } = options
  return new MemoryStore(checkQuota({ maxEntries, maxBytes }))
}

class MemoryStore implements Store {
  readonly capabilities = { durable: false, shared: false, watch: true }
  readonly #watchers = new Watchers()
  readonly #savings = new MemorySavings()
  readonly #quota: StoreQuota
  #records: MemoryRecords
  #closed = false

  constructor(quota: StoreQuota) {
    this.#quota = quota
    this.#records = new MemoryRecords(quota, this.#watchers)
  }

  async claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    this.#checkOpen()
    const holder = draft.key === undefined ? undefined : this.#records.liveHolder(draft.key, now)
    if (holder) return { won: false, entry: holder }
    if (this.#records.slots.has(draft.refId)) throw new InvalidArgument(`${draft.refId} is stored already.`)
    return { won: true, entry: this.#records.put(draft, parts) }
  }

  async findByKey(_cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    this.#checkOpen()
    return this.#records.liveHolder(key, now)
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    this.#checkOpen()
    this.#records.evictionOrder.use(refId)
    return this.#records.slots.get(refId)?.entry
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    this.#checkOpen()
    this.#records.evictionOrder.use(refId)
    const bytes = this.#records.slots.get(refId)?.parts[part]
    return bytes && new Uint8Array(bytes)
  }

  async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    this.#checkOpen()
    const { refId } = segment
    const more = bytes.length - (this.#records.segments.read(segment)?.length ?? 0)
    checkFitsQuota(this.#records.segments.bytesOf(refId) + more, this.#quota)
    if (!this.#records.makeRoom(refId, more)) throw fullOfWork(this.#quota)
    this.#records.bytes += this.#records.segments.stage(segment, bytes, now)
  }

  async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    this.#checkOpen()
    this.#records.evictionOrder.use(segment.refId)
    const bytes = this.#records.segments.read(segment)
    return bytes && new Uint8Array(bytes)
  }

  async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    this.#checkOpen()
    const before = this.#records.slots.get(entry.refId)
    if (before?.entry.version !== expectedVersion || this.#records.isKeyTaken(entry)) return false
    this.#records.put(entry, parts, before)
    return true
  }

  async delete(refId: RefId): Promise<boolean> {
    this.#checkOpen()
    if (this.#records.remove(refId)) return true
    this.#records.bytes -= this.#records.segments.drop(refId)
    return false
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    this.#checkOpen()
    return this.#records.index.list(filter)
  }

  async peek(refIds: readonly RefId[]): Promise<Entry[]> {
    this.#checkOpen()
    return refIds.flatMap(refId => this.#records.slots.get(refId)?.entry ?? [])
  }

  async match(prefix: string, limit: number): Promise<RefId[]> {
    this.#checkOpen()
    return this.#records.index.match(prefix, limit)
  }

  async count(cacheName: string, now: number): Promise<EntryCount[]> {
    this.#checkOpen()
    return this.#records.index.count(cacheName, now)
  }

  async caches(): Promise<string[]> {
    this.#checkOpen()
    return this.#records.index.caches()
  }

  async changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    this.#checkOpen()
    return this.#records.changes.since(cacheName, cursor, limit)
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    this.#checkOpen()
    const filter = namespace === undefined ? { cacheName } : { cacheName, namespace }
    return this.#records.removeAll(() => this.#records.index.list({ ...filter, limit: STEP }))
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    this.#checkOpen()
    const removed = await this.#records.removeAll(soFar =>
      this.#records.index.expired(now, Math.min(limit - soFar, STEP)),
    )
    for (const refId of this.#records.segments.abandoned(now, refId => this.#records.slots.has(refId))) {
      this.#records.bytes -= this.#records.segments.drop(refId)
    }
    this.#savings.prune(now)
    return removed
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.#closed ? () => {} : this.#watchers.add(refId, onChange)
  }

  async beat(_cacheName: string, process: string): Promise<void> {
    this.#checkOpen()
    this.#records.owners.beat(process)
  }

  async owners(cacheName: string): Promise<TaskOwner[]> {
    this.#checkOpen()
    return this.#records.owners.list(cacheName)
  }

  async *tasksOf(cacheName: string, process: string): AsyncGenerator<RefId[]> {
    this.#checkOpen()
    for (const batch of this.#records.owners.tasksOf(cacheName, process)) {
      yield batch
      await turn()
    }
  }

  noteUse(refId: RefId): void {
    this.#records.evictionOrder.use(refId)
  }

  async usage(): Promise<StoreUsage> {
    return { entries: this.#records.slots.size, bytes: this.#records.bytes, ...this.#quota }
  }

  async addSavings(cacheName: string, hour: number, more: TokenCounts): Promise<void> {
    this.#checkOpen()
    this.#savings.add(cacheName, hour, more)
  }

  async savings(since: number): Promise<HourOfSavings[]> {
    this.#checkOpen()
    return this.#savings.since(since)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#records = new MemoryRecords(this.#quota, this.#watchers)
    this.#savings.clear()
    this.#watchers.notifyAll()
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreUnavailable('The memory store is closed.')
  }
}
