import { type Clock, systemClock } from '../core/clock.ts'
import { type Entry, type EntryStatus, isExpired } from '../core/entry.ts'
import { type EntryCounts, sumOf } from '../core/entry-counts.ts'
import { NotFound } from '../core/errors.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import { type TokenSavings, withNet } from '../core/token-savings.ts'
import type { Store, StoreUsage } from '../stores/store.ts'
import { cursorOfFeed, cursorOfPlace, type FeedCursors, feedOfCursor, placeOfCursor } from './cursors.ts'
import { type InspectedEntry, inspected } from './describe.ts'

/** All that an inspector has of a store: nothing of it writes. */
type LookedAt = Pick<
  Store,
  'list' | 'peek' | 'match' | 'count' | 'caches' | 'changes' | 'savings' | 'usage' | 'close'
>

/** Options of `openInspector`. */
export interface InspectorOptions {
  /** @defaultValue the system's */
  readonly clock?: Clock
  /** Looks at this cache alone. @defaultValue all of the store */
  readonly cache?: string | undefined
  /** Shows what running tasks say of how far they are (`task.progress`), too: words of a handler. @defaultValue false */
  readonly progressMessages?: boolean | undefined
}

/** Options of `Inspector.list`. */
export interface InspectorListOptions {
  /** One cache. @defaultValue all of the store */
  readonly cache?: string | undefined
  readonly statuses?: readonly EntryStatus[] | undefined
  /** At most this many, the newest first. @defaultValue 100 */
  readonly limit?: number | undefined
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined
}

/** What a cache holds, counted. */
export interface CacheCounts extends EntryCounts {
  readonly cache: string
}

/** What happened since a cursor. */
export interface Inspected {
  /** False where the store does not know all of it any more: list everything anew, and go on from `cursor`. */
  readonly isComplete: boolean
  /** What was created or changed and is still there, as it is now; each once. */
  readonly changed: readonly InspectedEntry[]
  /** What is gone: deleted, expired, or evicted. */
  readonly deleted: readonly RefId[]
  readonly cursor: string
}

/** What references saved and cost the agents of a cache within an hour. */
export interface InspectedSavings extends TokenSavings {
  readonly cache: string
  /** When the hour began. */
  readonly at: Date
}

/** Looks at a store, and changes nothing there. */
export interface Inspector {
  /** The names of the caches that have entries. */
  caches(): Promise<string[]>
  /** A page of entries, the newest first. What has expired is left out, so a page may hold fewer than its limit. */
  list(
    options?: InspectorListOptions,
  ): Promise<{ readonly entries: readonly InspectedEntry[]; readonly nextCursor?: string }>
  /** @throws NotFound */
  entry(refId: RefId): Promise<InspectedEntry>
  /** References that begin so, at most `limit` of them. */
  match(prefix: string, limit?: number): Promise<RefId[]>
  stats(): Promise<{ readonly caches: readonly CacheCounts[]; readonly store?: StoreUsage }>
  /** What was created, changed and deleted; without a cursor nothing, and where to begin. */
  changes(cursor?: string): Promise<Inspected>
  /**
   * What references saved and cost, by hour and cache, the oldest first; of all processes that were at work on the store. An hour in
   * which nothing was counted is left out, and so are hours that the store does not know (any more).
   * @param since hours that began then or later; without it, all that the store knows: those of the last 90 days
   */
  savings(since?: Date): Promise<readonly InspectedSavings[]>
  /** Closes the store, too. */
  close(): Promise<void>
}

/** How many changes of one cache are asked for at once. */
const CHANGES_AT_ONCE = 1_000

/**
 * A look at a store from outside, by its operator: what there is, who asked for it, how tasks stand in whichever process. It never
 * changes an entry, never sweeps, never settles and never counts as a use. Never a value, an input, the id of a session, or, unless
 * `progressMessages` says so, what a handler said in words. For a SQLite file, open the store with `readOnly: true`: then nothing of the file changes either.
 */
export function openInspector(
  store: Store,
  { clock = systemClock, cache, progressMessages = false }: InspectorOptions = {},
): Inspector {
  return new StoreInspector(cache === undefined ? store : onlyCache(store, cache), clock, progressMessages)
}

/** The same store, as if it had one cache alone. */
function onlyCache(store: LookedAt, cacheName: string): LookedAt {
  const isInside = (refId: RefId) => cacheNameOf(refId) === cacheName
  return {
    list: filter => (filter.cacheName === cacheName ? store.list(filter) : Promise.resolve([])),
    peek: refIds => store.peek(refIds.filter(isInside)),
    match: async (prefix, limit) => (prefix.startsWith(`${cacheName}:`) ? store.match(prefix, limit) : []),
    count: (name, now) => store.count(name, now),
    caches: async () => [cacheName],
    changes: (name, cursor, limit) => store.changes(name, cursor, limit),
    savings: async since =>
      ((await store.savings?.(since)) ?? []).filter(hour => hour.cacheName === cacheName),
    usage: async () => store.usage?.(),
    close: () => store.close(),
  }
}

class StoreInspector implements Inspector {
  constructor(
    private readonly store: LookedAt,
    private readonly clock: Clock,
    private readonly progressMessages: boolean,
  ) {}

  caches(): Promise<string[]> {
    return this.store.caches()
  }

  async list({ cache, statuses, limit = 100, cursor }: InspectorListOptions = {}) {
    const after = cursor === undefined ? {} : { after: placeOfCursor(cursor) }
    const filter = { newestFirst: true, limit: limit + 1, ...after, ...(statuses ? { statuses } : {}) }
    const names = cache === undefined ? await this.caches() : [cache]
    const lists = await Promise.all(names.map(cacheName => this.store.list({ ...filter, cacheName })))
    const newest = lists.flat().sort(newestFirst)
    const page = newest.slice(0, limit)
    const last = page.at(-1)
    return {
      entries: this.#described(page),
      ...(last && newest.length > limit ? { nextCursor: cursorOfPlace(last) } : {}),
    }
  }

  async entry(refId: RefId): Promise<InspectedEntry> {
    const [entry] = this.#described(await this.store.peek([refId]))
    if (!entry) throw new NotFound()
    return entry
  }

  match(prefix: string, limit = 10): Promise<RefId[]> {
    return this.store.match(prefix, limit)
  }

  async stats() {
    const now = this.clock.now()
    const names = await this.caches()
    const counts = await Promise.all(names.map(name => this.store.count(name, now)))
    const usage = await this.store.usage?.()
    const caches = names.map((cache, at) => ({ cache, ...sumOf(counts[at] ?? []) }))
    return {
      caches: caches.filter(({ count }) => count > 0),
      ...(usage ? { store: usage } : {}),
    }
  }

  async changes(cursor?: string): Promise<Inspected> {
    const before: FeedCursors | undefined = cursor === undefined ? undefined : feedOfCursor(cursor)
    const cursors = new Map<string, string>()
    const changed = new Set<RefId>()
    const deleted = new Set<RefId>()
    let isComplete = true
    const there = new Set(await this.caches())
    // A cache that is gone from the list may have lost its last entry just now.
    const names = [...new Set([...there, ...(before?.keys() ?? [])])]
    const feeds = await Promise.all(names.map(cache => this.#feedOf(cache, before)))
    for (const { cache, told, first } of feeds) {
      // Where nothing more is told of one that is gone, it is forgotten.
      if (there.has(cache) || told.changes.length > 0) cursors.set(cache, told.cursor)
      isComplete &&= told.isComplete
      for (const { refId, what } of told.changes) {
        deleted.delete(refId)
        changed.delete(refId)
        ;(what === 'deleted' ? deleted : changed).add(refId)
      }
      for (const { refId } of first) changed.add(refId)
    }
    const entries = await this.store.peek([...changed])
    return {
      isComplete,
      changed: this.#described(entries),
      deleted: [...deleted],
      cursor: cursorOfFeed(cursors),
    }
  }

  async savings(since = new Date(0)): Promise<InspectedSavings[]> {
    const hours = (await this.store.savings?.(since.getTime())) ?? []
    return hours.map(({ cacheName, hour, ...counts }) => ({
      cache: cacheName,
      at: new Date(hour),
      ...withNet(counts),
    }))
  }

  close(): Promise<void> {
    return this.store.close()
  }

  /** What a cache had before it was known to the feed was never told: that is `first`. */
  async #feedOf(cacheName: string, before: FeedCursors | undefined) {
    const isNew = before !== undefined && !before.has(cacheName)
    const told = await this.store.changes(cacheName, before?.get(cacheName), CHANGES_AT_ONCE)
    const newest = { cacheName, newestFirst: true, limit: CHANGES_AT_ONCE }
    return { cache: cacheName, told, first: isNew ? await this.store.list(newest) : [] }
  }

  #described(entries: readonly Entry[]): InspectedEntry[] {
    const now = this.clock.now()
    const there = entries.filter(entry => !isExpired(entry, now))
    return there.map(entry => inspected(entry, now, this.progressMessages))
  }
}

function newestFirst(one: Entry, other: Entry): number {
  return other.createdAt - one.createdAt || (one.refId < other.refId ? 1 : -1)
}
