import { setImmediate as turn } from 'node:timers/promises'
import { type Entry, isExpired, type RemovedEntry, removedEntry } from '../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { MemoryChanges } from './memory-changes.ts'
import { EvictionOrder } from './memory-eviction.ts'
import { MemoryIndex } from './memory-index.ts'
import { MemoryOwners } from './memory-owners.ts'
import { MemorySegments } from './memory-segments.ts'
import { type Slot, slotOf } from './memory-slot.ts'
import type {
  Changes,
  Claim,
  EntryCount,
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
/** So many entries go before others have their turn. */
const STEP = 1_000

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
  readonly #slots = new Map<RefId, Slot>()
  #index = new MemoryIndex()
  readonly #holders = new Map<string, RefId>()
  readonly #changes = new MemoryChanges()
  #evictionOrder = new EvictionOrder()
  readonly #segments = new MemorySegments()
  readonly #owners = new MemoryOwners()
  readonly #watchers = new Watchers()
  readonly #quota: StoreQuota
  #bytes = 0
  #closed = false

  constructor(quota: StoreQuota) {
    this.#quota = quota
  }

  async claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    this.#checkOpen()
    const holder = draft.key === undefined ? undefined : this.#liveHolder(draft.key, now)
    if (holder) return { won: false, entry: holder }
    if (this.#slots.has(draft.refId)) throw new InvalidArgument(`${draft.refId} is stored already.`)
    return { won: true, entry: this.#put(draft, parts) }
  }

  async findByKey(_cacheName: string, key: string, now: number): Promise<Entry | undefined> {
    this.#checkOpen()
    return this.#liveHolder(key, now)
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    this.#checkOpen()
    this.#evictionOrder.use(refId)
    return this.#slots.get(refId)?.entry
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    this.#checkOpen()
    this.#evictionOrder.use(refId)
    const bytes = this.#slots.get(refId)?.parts[part]
    return bytes && new Uint8Array(bytes)
  }

  async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    this.#checkOpen()
    const { refId } = segment
    const more = bytes.length - (this.#segments.read(segment)?.length ?? 0)
    checkFitsQuota(this.#segments.bytesOf(refId) + more, this.#quota)
    if (!this.#makeRoom(refId, more)) throw fullOfWork(this.#quota)
    this.#bytes += this.#segments.stage(segment, bytes, now)
  }

  async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    this.#checkOpen()
    this.#evictionOrder.use(segment.refId)
    const bytes = this.#segments.read(segment)
    return bytes && new Uint8Array(bytes)
  }

  async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    this.#checkOpen()
    const { refId, key } = entry
    const before = this.#slots.get(refId)
    if (before?.entry.version !== expectedVersion) return false
    if (key !== undefined && (this.#holders.get(key) ?? refId) !== refId) return false
    this.#put(entry, parts, before)
    return true
  }

  async delete(refId: RefId): Promise<boolean> {
    this.#checkOpen()
    if (this.#remove(refId)) return true
    this.#bytes -= this.#segments.drop(refId)
    return false
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    this.#checkOpen()
    return this.#index.list(filter)
  }

  async peek(refIds: readonly RefId[]): Promise<Entry[]> {
    this.#checkOpen()
    return refIds.flatMap(refId => this.#slots.get(refId)?.entry ?? [])
  }

  async match(prefix: string, limit: number): Promise<RefId[]> {
    this.#checkOpen()
    return this.#index.match(prefix, limit)
  }

  async count(cacheName: string, now: number): Promise<EntryCount[]> {
    this.#checkOpen()
    return this.#index.count(cacheName, now)
  }

  async caches(): Promise<string[]> {
    this.#checkOpen()
    return this.#index.caches()
  }

  async changes(cacheName: string, cursor: string | undefined, limit: number): Promise<Changes> {
    this.#checkOpen()
    return this.#changes.since(cacheName, cursor, limit)
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    this.#checkOpen()
    const filter = namespace === undefined ? { cacheName } : { cacheName, namespace }
    return this.#removeAll(() => this.#index.list({ ...filter, limit: STEP }))
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    this.#checkOpen()
    const removed = await this.#removeAll(soFar => this.#index.expired(now, Math.min(limit - soFar, STEP)))
    for (const refId of this.#segments.abandoned(now, refId => this.#slots.has(refId))) {
      this.#bytes -= this.#segments.drop(refId)
    }
    return removed
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.#closed ? () => {} : this.#watchers.add(refId, onChange)
  }

  async beat(_cacheName: string, process: string): Promise<void> {
    this.#checkOpen()
    this.#owners.beat(process)
  }

  async owners(cacheName: string): Promise<TaskOwner[]> {
    this.#checkOpen()
    return this.#owners.list(cacheName)
  }

  async *tasksOf(cacheName: string, process: string): AsyncGenerator<RefId[]> {
    this.#checkOpen()
    for (const batch of this.#owners.tasksOf(cacheName, process)) {
      yield batch
      await turn()
    }
  }

  noteUse(refId: RefId): void {
    this.#evictionOrder.use(refId)
  }

  async usage(): Promise<StoreUsage> {
    return { entries: this.#slots.size, bytes: this.#bytes, ...this.#quota }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#slots.clear()
    this.#index = new MemoryIndex()
    this.#segments.clear()
    this.#holders.clear()
    this.#evictionOrder = new EvictionOrder()
    this.#owners.clear()
    this.#watchers.notifyAll()
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreUnavailable('The memory store is closed.')
  }

  #liveHolder(key: string, now: number): Entry | undefined {
    const refId = this.#holders.get(key)
    const holder = refId === undefined ? undefined : this.#slots.get(refId)?.entry
    if (!holder || isExpired(holder, now)) return undefined
    this.#evictionOrder.use(holder.refId)
    return holder
  }

  #put(given: Entry, changes: PayloadChanges | undefined, before?: Slot): Entry {
    const slot = slotOf(given, changes, before)
    const { entry, bytes } = slot
    checkFitsQuota(bytes, this.#quota)
    if (changes && 'index' in changes) this.#segments.check(given)
    const { refId, key } = entry
    if (before && before.entry.key !== key) this.#releaseKey(before.entry)
    if (key !== undefined) this.#holders.set(key, refId)
    this.#bytes += bytes - (before?.bytes ?? 0)
    if (changes && 'index' in changes) this.#bytes -= this.#segments.settle(entry)
    this.#evictionOrder.put(entry, before?.entry)
    this.#owners.put(entry, before?.entry)
    if (before) this.#replace(before, slot)
    else this.#add(slot)
    this.#makeRoom(refId)
    this.#watchers.notify(refId, entry.version)
    return entry
  }

  #add(slot: Slot): void {
    const { refId } = slot.entry
    this.#slots.set(refId, slot)
    this.#index.add(slot)
    this.#changes.note({ refId, what: 'created' })
  }

  #replace(slot: Slot, { entry, parts, bytes }: Slot): void {
    this.#index.replace(slot, entry)
    slot.parts = parts
    slot.bytes = bytes
    this.#changes.note({ refId: entry.refId, what: 'changed' })
  }

  #remove(refId: RefId): boolean {
    const slot = this.#slots.get(refId)
    if (!slot) return false
    this.#slots.delete(refId)
    this.#index.remove(slot)
    this.#changes.note({ refId, what: 'deleted' })
    this.#evictionOrder.drop(refId)
    this.#owners.drop(slot.entry)
    this.#releaseKey(slot.entry)
    this.#bytes -= slot.bytes + this.#segments.drop(refId)
    this.#watchers.notify(refId)
    return true
  }

  /** In steps, until `next` has no more. */
  async #removeAll(next: (soFar: number) => Entry[] | Promise<Entry[]>): Promise<RemovedEntry[]> {
    const removed: RemovedEntry[] = []
    for (;;) {
      const entries = await next(removed.length)
      for (const entry of entries) if (this.#remove(entry.refId)) removed.push(removedEntry(entry))
      if (entries.length < STEP) return removed
      await turn()
    }
  }

  /** An entry that expired may have lost its key to another one; then there is nothing to release. */
  #releaseKey({ key, refId }: Entry): void {
    if (key !== undefined && this.#holders.get(key) === refId) this.#holders.delete(key)
  }

  /**
   * Lets settled entries go until there is room, also for so many bytes more.
   * @returns false where there is none for these even without all settled entries; then all of them stay
   */
  #makeRoom(spared: RefId, more = 0): boolean {
    const { maxEntries, maxBytes } = this.#quota
    let entries = this.#slots.size
    let bytes = this.#bytes + more
    const evicted: RefId[] = []
    for (const refId of this.#evictionOrder) {
      if (entries <= maxEntries && bytes <= maxBytes) break
      if (refId === spared) continue
      evicted.push(refId)
      entries--
      bytes -= (this.#slots.get(refId)?.bytes ?? 0) + this.#segments.bytesOf(refId)
    }
    if (more > 0 && bytes > maxBytes) return false
    for (const refId of evicted) this.#remove(refId)
    return true
  }
}
