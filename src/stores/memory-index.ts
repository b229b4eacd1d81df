import { setImmediate as turn } from 'node:timers/promises'
import { type Entry, type EntryStatus, isExpired, isInFlight } from '../core/entry.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import { MemoryOrder } from './memory-order.ts'
import type { Slot } from './memory-slot.ts'
import type { EntryCount, ListFilter, Place } from './store.ts'
import { Counts } from './store-counts.ts'

const DEFAULT_LIST_LIMIT = 100
/** So many entries are looked at before others have their turn. */
const STEP = 2_000

/** The entries of one cache, in order of creation. */
class CacheIndex {
  readonly all = new MemoryOrder<Slot>(byCreation)
  /** A sweep must not look at all that is settled. */
  readonly inFlight = new MemoryOrder<Slot>(byCreation)
}

/** In which orders entries are found. */
export class MemoryIndex {
  readonly #caches = new Map<string, CacheIndex>()
  readonly #expiring = new MemoryOrder<Slot>(byExpiry)

  add(slot: Slot): void {
    const { entry } = slot
    const cache = this.#caches.get(cacheNameOf(entry.refId)) ?? new CacheIndex()
    this.#caches.set(cacheNameOf(entry.refId), cache)
    cache.all.add(slot)
    if (isInFlight(entry)) cache.inFlight.add(slot)
    if (entry.expiresAt !== undefined) this.#expiring.add(slot)
  }

  remove(slot: Slot): void {
    const cacheName = cacheNameOf(slot.entry.refId)
    const cache = this.#caches.get(cacheName)
    cache?.all.remove(slot)
    cache?.inFlight.remove(slot)
    this.#expiring.remove(slot)
    if (cache?.all.isEmpty) this.#caches.delete(cacheName)
  }

  /** Another version of the entry takes its place. */
  replace(slot: Slot, entry: Entry): void {
    const { entry: before } = slot
    const stays =
      before.createdAt === entry.createdAt &&
      before.expiresAt === entry.expiresAt &&
      isInFlight(before) === isInFlight(entry)
    if (!stays) this.remove(slot)
    slot.entry = entry
    if (!stays) this.add(slot)
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    const { cacheName, namespace, statuses, limit = DEFAULT_LIST_LIMIT, newestFirst } = filter
    const cache = this.#caches.get(cacheName)
    const order = statuses?.every(isOfTasks) ? cache?.inFlight : cache?.all
    const filters = namespace !== undefined || statuses !== undefined
    const found: Entry[] = []
    for (let after = filter.after; order && found.length < limit; await turn()) {
      const step = filters ? STEP : Math.min(STEP, limit - found.length)
      const looked = order.beyond(after && creationKey(after), step, newestFirst)
      for (const { entry } of looked) {
        if (found.length < limit && matches(entry, filter)) found.push(entry)
      }
      if (looked.length < step || found.length >= limit) break
      after = looked.at(-1)?.entry
    }
    return found
  }

  /** Up to `limit` entries that expired at or before `now`. */
  expired(now: number, limit: number): Entry[] {
    return this.#expiring
      .beyond(undefined, limit)
      .flatMap(({ entry }) => (isExpired(entry, now) ? [entry] : []))
  }

  async match(prefix: string, limit: number): Promise<RefId[]> {
    const found: RefId[] = []
    for await (const slots of this.#steps()) {
      for (const { entry } of slots) if (entry.refId.startsWith(prefix)) found.push(entry.refId)
    }
    return found.sort().slice(0, limit)
  }

  async count(cacheName: string, now: number): Promise<EntryCount[]> {
    const counts = new Counts()
    for await (const slots of this.#steps(cacheName)) {
      for (const { entry } of slots) if (!isExpired(entry, now)) counts.add(entry, sizeOf(entry))
    }
    return counts.all
  }

  caches(): string[] {
    return [...this.#caches.keys()].sort()
  }

  async *#steps(cacheName?: string): AsyncGenerator<Slot[]> {
    for (const name of cacheName === undefined ? this.caches() : [cacheName]) {
      for (let after: Entry | undefined; ; ) {
        const looked = this.#caches.get(name)?.all.beyond(after && creationKey(after), STEP) ?? []
        yield looked
        if (looked.length < STEP) break
        after = looked.at(-1)?.entry
        await turn()
      }
    }
  }
}

function creationKey({ createdAt, refId }: Place) {
  return { at: createdAt, refId }
}

function byCreation({ entry }: Slot) {
  return creationKey(entry)
}

function byExpiry({ entry }: Slot) {
  return { at: entry.expiresAt ?? Number.POSITIVE_INFINITY, refId: entry.refId }
}

function isOfTasks(status: EntryStatus): boolean {
  return status === 'pending' || status === 'processing'
}

function matches({ namespace, status }: Entry, filter: ListFilter): boolean {
  return (
    (filter.namespace === undefined || namespace === filter.namespace) &&
    (filter.statuses === undefined || filter.statuses.includes(status))
  )
}

const NO_VALUE = { count: 1, valueBytes: 0 }

function sizeOf(entry: Entry) {
  return entry.status === 'complete' ? { count: 1, valueBytes: entry.valueBytes } : NO_VALUE
}
