import { type Entry, isExpired, type RemovedEntry, removedEntry } from '../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import { ExactNumber } from '../core/exact-number.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import { EvictionOrder } from './memory-eviction.ts'
import { MemorySegments } from './memory-segments.ts'
import {
  type Claim,
  type ListFilter,
  type OnChange,
  PAYLOADS,
  type Payload,
  type PayloadChanges,
  type SegmentName,
  type Store,
  type StoreUsage,
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

interface Slot {
  readonly entry: Entry
  readonly parts: { readonly [P in Payload]?: Uint8Array }
  readonly bytes: number
}

const DEFAULT_MAX_ENTRIES = 10_000
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024
const DEFAULT_LIST_LIMIT = 100

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
  readonly #holders = new Map<string, RefId>()
  readonly #evictionOrder = new EvictionOrder()
  readonly #segments = new MemorySegments()
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
    const found: Entry[] = []
    for (const { entry } of this.#slots.values()) if (matches(entry, filter)) found.push(entry)
    found.sort((a, b) => (a.refId < b.refId ? -1 : 1))
    return found.slice(0, Math.max(0, filter.limit ?? DEFAULT_LIST_LIMIT))
  }

  async clear(cacheName: string, namespace?: string): Promise<RemovedEntry[]> {
    return this.#removeWhere(entry =>
      matches(entry, { cacheName, ...(namespace === undefined ? {} : { namespace }) }),
    )
  }

  async prune(now: number, limit: number): Promise<RemovedEntry[]> {
    const removed = this.#removeWhere(entry => isExpired(entry, now), limit)
    for (const refId of this.#segments.abandoned(now, refId => this.#slots.has(refId))) {
      this.#bytes -= this.#segments.drop(refId)
    }
    return removed
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    return this.#closed ? () => {} : this.#watchers.add(refId, onChange)
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
    this.#segments.clear()
    this.#holders.clear()
    this.#evictionOrder.clear()
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
    const parts = changes ? merged(before?.parts, changes) : (before?.parts ?? {})
    const bytes = PAYLOADS.reduce((sum, part) => sum + (parts[part]?.length ?? 0), 0)
    checkFitsQuota(bytes, this.#quota)
    if (changes && 'index' in changes) this.#segments.check(given)
    const entry = frozenCopy(given)
    const { refId, key } = entry
    if (before && before.entry.key !== key) this.#releaseKey(before.entry)
    if (key !== undefined) this.#holders.set(key, refId)
    this.#slots.set(refId, { entry, parts, bytes })
    this.#bytes += bytes - (before?.bytes ?? 0)
    if (changes && 'index' in changes) this.#bytes -= this.#segments.settle(entry)
    this.#evictionOrder.put(entry, before?.entry)
    this.#makeRoom(refId)
    this.#watchers.notify(refId, entry.version)
    return entry
  }

  #remove(refId: RefId): boolean {
    const slot = this.#slots.get(refId)
    if (!slot) return false
    this.#slots.delete(refId)
    this.#evictionOrder.drop(refId)
    this.#releaseKey(slot.entry)
    this.#bytes -= slot.bytes + this.#segments.drop(refId)
    this.#watchers.notify(refId)
    return true
  }

  #removeWhere(condition: (entry: Entry) => boolean, limit = Number.POSITIVE_INFINITY): RemovedEntry[] {
    this.#checkOpen()
    const removed: RemovedEntry[] = []
    for (const [refId, { entry }] of this.#slots) {
      if (removed.length >= limit) break
      if (condition(entry) && this.#remove(refId)) removed.push(removedEntry(entry))
    }
    return removed
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

function matches(entry: Entry, filter: ListFilter): boolean {
  const { cacheName, namespace, statuses, after } = filter
  return (
    cacheNameOf(entry.refId) === cacheName &&
    (namespace === undefined || entry.namespace === namespace) &&
    (statuses === undefined || statuses.includes(entry.status)) &&
    (after === undefined || entry.refId > after)
  )
}

function merged(before: Slot['parts'] = {}, changes: PayloadChanges): Slot['parts'] {
  const parts: { -readonly [P in Payload]?: Uint8Array } = { ...before }
  for (const part of PAYLOADS) {
    if (!(part in changes)) continue
    const bytes = changes[part]
    if (bytes) parts[part] = new Uint8Array(bytes)
    else delete parts[part]
  }
  return parts
}

/**
 * Copied once when it comes in, frozen so that it need not be copied each time it goes out. As JSON has it.
 */
function frozenCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T
  // By entries, so that a member called `__proto__` stays a member.
  const members: Array<[string, unknown]> = []
  for (const [name, inner] of Object.entries(value)) {
    if (inner !== undefined) members.push([name, frozenCopy(inner)])
  }
  return Object.freeze(Object.fromEntries(members)) as T
}
