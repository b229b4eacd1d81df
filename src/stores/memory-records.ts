import { setImmediate as turn } from 'node:timers/promises'
import { type Entry, isExpired, type RemovedEntry, removedEntry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import { MemoryChanges } from './memory-changes.ts'
import { EvictionOrder } from './memory-eviction.ts'
import { MemoryIndex } from './memory-index.ts'
import { MemoryOwners } from './memory-owners.ts'
import { MemorySegments } from './memory-segments.ts'
import { type Slot, slotOf } from './memory-slot.ts'
import type { PayloadChanges } from './store.ts'
import { checkFitsQuota, type StoreQuota } from './store-quota.ts'
import type { Watchers } from './watchers.ts'

/** So many entries go before others have their turn. */
export const STEP = 1_000

/** All entries of a store in memory, with everything that is kept of them in step: indexes, keys, order of use, watchers. */
export class MemoryRecords {
  readonly slots = new Map<RefId, Slot>()
  readonly index = new MemoryIndex()
  readonly changes = new MemoryChanges()
  readonly evictionOrder = new EvictionOrder()
  readonly segments = new MemorySegments()
  readonly owners = new MemoryOwners()
  readonly #holders = new Map<string, RefId>()
  /** Of parts and segments. */
  bytes = 0

  constructor(
    private readonly quota: StoreQuota,
    private readonly watchers: Watchers,
  ) {}

  liveHolder(key: string, now: number): Entry | undefined {
    const refId = this.#holders.get(key)
    const holder = refId === undefined ? undefined : this.slots.get(refId)?.entry
    if (!holder || isExpired(holder, now)) return undefined
    this.evictionOrder.use(holder.refId)
    return holder
  }

  /** Whether another entry has the key, expired or not. */
  isKeyTaken({ refId, key }: Entry): boolean {
    return key !== undefined && (this.#holders.get(key) ?? refId) !== refId
  }

  put(given: Entry, changes: PayloadChanges | undefined, before?: Slot): Entry {
    const slot = slotOf(given, changes, before)
    const { entry, bytes } = slot
    checkFitsQuota(bytes, this.quota)
    if (changes && 'index' in changes) this.segments.check(given)
    const { refId, key } = entry
    if (before && before.entry.key !== key) this.#releaseKey(before.entry)
    if (key !== undefined) this.#holders.set(key, refId)
    this.bytes += bytes - (before?.bytes ?? 0)
    if (changes && 'index' in changes) this.bytes -= this.segments.settle(entry)
    this.evictionOrder.put(entry, before?.entry)
    this.owners.put(entry, before?.entry)
    if (before) this.#replace(before, slot)
    else this.#add(slot)
    this.makeRoom(refId)
    this.watchers.notify(refId, entry.version)
    return entry
  }

  #add(slot: Slot): void {
    const { refId } = slot.entry
    this.slots.set(refId, slot)
    this.index.add(slot)
    this.changes.note({ refId, what: 'created' })
  }

  #replace(slot: Slot, { entry, parts, bytes }: Slot): void {
    this.index.replace(slot, entry)
    slot.parts = parts
    slot.bytes = bytes
    this.changes.note({ refId: entry.refId, what: 'changed' })
  }

  remove(refId: RefId): boolean {
    const slot = this.slots.get(refId)
    if (!slot) return false
    this.slots.delete(refId)
    this.index.remove(slot)
    this.changes.note({ refId, what: 'deleted' })
    this.evictionOrder.drop(refId)
    this.owners.drop(slot.entry)
    this.#releaseKey(slot.entry)
    this.bytes -= slot.bytes + this.segments.drop(refId)
    this.watchers.notify(refId)
    return true
  }

  /** In steps, until `next` has no more. */
  async removeAll(next: (soFar: number) => Entry[] | Promise<Entry[]>): Promise<RemovedEntry[]> {
    const removed: RemovedEntry[] = []
    for (;;) {
      const entries = await next(removed.length)
      for (const entry of entries) if (this.remove(entry.refId)) removed.push(removedEntry(entry))
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
  makeRoom(spared: RefId, more = 0): boolean {
    const { maxEntries, maxBytes } = this.quota
    let entries = this.slots.size
    let bytes = this.bytes + more
    const evicted: RefId[] = []
    for (const refId of this.evictionOrder) {
      if (entries <= maxEntries && bytes <= maxBytes) break
      if (refId === spared) continue
      evicted.push(refId)
      entries--
      bytes -= (this.slots.get(refId)?.bytes ?? 0) + this.segments.bytesOf(refId)
    }
    if (more > 0 && bytes > maxBytes) return false
    for (const refId of evicted) this.remove(refId)
    return true
  }
}
