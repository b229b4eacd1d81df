import { setImmediate as turn } from 'node:timers/promises'
import { actor } from '../../access/actor.ts'
import { type Clock, systemClock, waitAtMost } from '../../core/clock.ts'
import type { EntryStatus } from '../../core/entry.ts'
import { isFound } from '../../core/entry-info.ts'
import { NotFound } from '../../core/errors.ts'
import { cacheNameOf, isRefOf, type RefId } from '../../core/ref.ts'
import { canRetry } from '../../core/retry-policy.ts'
import { sumOfTokens, type TokenCounts, withNet } from '../../core/token-savings.ts'
import { cursorOfPlace } from '../../inspect/cursors.ts'
import type { InspectedEntry, Inspector } from '../../inspect/index.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { Action } from '../api.ts'
import { OperatorNews } from './operator-news.ts'
import { SharedFeed } from './shared-feed.ts'
import type { ListQuery, Opened, Seen, SeenChanges, SeenPage, Sight } from './sight.ts'
import { type Counted, StoreCounts } from './store-counts.ts'

export interface OperatorOptions {
  readonly inspector: Inspector
  /** The cache of that name, which is not closed here. */
  readonly cacheOf: (name: string) => RefCache | Promise<RefCache>
  /** What people call a tool. @defaultValue its name */
  readonly toolLabel?: (toolName: string) => string
  readonly clock?: Clock
}

const OPERATOR = actor.system()
const IN_FLIGHT = ['pending', 'processing'] as const
/** Where counting takes long, so many tasks at most are counted one by one. */
const MOST_TASKS = 200
const HOUR_MS = 3_600_000
/** A list waits so long for how many users its entries have. */
const PATIENCE_MS = 50
/** So many pages are looked through for what is wanted, at most. */
const MOST_PAGES = 20

/** Whoever owns a store sees all of it. Every value that is opened, and all that is done, goes through a cache, and stands in its audit. */
export class OperatorSight implements Sight {
  readonly #counts: StoreCounts
  readonly #news: OperatorNews
  readonly #feed: SharedFeed
  /** The names of the caches that have been seen. */
  readonly #caches = new Set<string>()

  constructor(private readonly options: OperatorOptions) {
    const { inspector, clock = systemClock } = options
    this.#counts = new StoreCounts(inspector, clock)
    this.#news = new OperatorNews(inspector)
    this.#feed = new SharedFeed(() => this.#seenNews(), clock)
  }

  async overview() {
    const counted = await this.#counts.get()
    const caches = counted?.caches.map(({ cache }) => cache) ?? (await this.options.inspector.caches())
    const tools = (counted?.caches ?? []).flatMap(({ byTool }) =>
      byTool.flatMap(({ toolName }) => toolName ?? []),
    )
    return {
      sight: 'operator' as const,
      ...(await this.#inFlight(counted)),
      ...(counted ? storedOf(counted) : {}),
      ...(counted && counted.from < this.#feed.changedAt ? { areCountsOld: true as const } : {}),
      caches,
      tools: [...new Set(tools.map(name => this.#label(name)))],
    }
  }

  /** As it is now, also where all that is counted is old. */
  async #inFlight(counted: Counted | undefined): Promise<{ running: number; waiting: number }> {
    const counts = { running: sumIn(counted, 'processing'), waiting: sumIn(counted, 'pending') }
    if (!this.#counts.isSlow) return counts
    const { entries, nextCursor } = await this.options.inspector.list({
      statuses: IN_FLIGHT,
      limit: MOST_TASKS,
    })
    if (nextCursor !== undefined && counted) return counts
    const running = entries.filter(({ status }) => status === 'processing').length
    return { running, waiting: entries.length - running }
  }

  async list({ tool, find, limit, ...query }: ListQuery): Promise<SeenPage> {
    const { inspector } = this.options
    const isWanted = (entry: InspectedEntry) => {
      const toolName = this.#label(entry.toolName)
      return (tool === undefined || toolName === tool) && isFound({ ...entry, toolName }, find)
    }
    const found: InspectedEntry[] = []
    await this.#knowUsers()
    let { cursor } = query
    for (let page = 0; page < MOST_PAGES; page++) {
      const more = await inspector.list({ ...query, limit, cursor })
      const wanted = more.entries.filter(isWanted)
      const taken = wanted.slice(0, limit - found.length)
      found.push(...taken)
      const last = taken.at(-1)
      cursor = last && taken.length < wanted.length ? cursorAfter(last) : more.nextCursor
      if (cursor === undefined || found.length === limit) break
      await turn()
    }
    return {
      entries: found.map(entry => this.#seen(entry)),
      ...(cursor === undefined ? {} : { nextCursor: cursor }),
    }
  }

  async entry(refId: RefId): Promise<Seen> {
    await this.#knowUsers()
    return this.#seen(await this.options.inspector.entry(refId))
  }

  async open(refId: RefId): Promise<Opened> {
    const name = cacheNameOf(refId)
    // A cache for each name that somebody makes up would never end.
    if (!isRefOf(name, refId) || !(await this.#isCache(name))) throw new NotFound()
    return { cache: await this.options.cacheOf(name), actor: OPERATOR }
  }

  /** The store is asked for a name that is new. */
  async #isCache(name: string): Promise<boolean> {
    if (!this.#caches.has(name)) {
      for (const one of await this.options.inspector.caches()) this.#caches.add(one)
    }
    return this.#caches.has(name)
  }

  look(since: number | undefined): Promise<SeenChanges> {
    return this.#feed.look(since)
  }

  async savings(since: Date) {
    const hour = new Date(Math.floor(since.getTime() / HOUR_MS) * HOUR_MS)
    const byHour = new Map<number, TokenCounts[]>()
    for (const { at, ...counts } of await this.options.inspector.savings(hour)) {
      byHour.set(at.getTime(), [...(byHour.get(at.getTime()) ?? []), counts])
    }
    return [...byHour].map(([at, all]) => ({ at: new Date(at), ...withNet(sumOfTokens(all)) }))
  }

  /** The first time that may take long. The events of a page begin after it, and then the page loads all anew. */
  #knowUsers(): Promise<void> {
    return waitAtMost(this.options.clock ?? systemClock, PATIENCE_MS, this.#feed.refresh())
  }

  async #seenNews() {
    const { changed, ...told } = await this.#news.next()
    return { ...told, changed: changed.map(entry => this.#seen(entry)) }
  }

  #label(toolName = ''): string {
    return this.options.toolLabel?.(toolName) ?? toolName
  }

  #seen(inspected: InspectedEntry): Seen {
    const { policy: _, cache: __, uses: ___, hasValue, task, toolName, ...entry } = inspected
    const usedBy = this.#news.usersOf(entry.refId)
    return {
      ...entry,
      ...(usedBy === undefined ? {} : { usedBy }),
      ...(toolName === undefined ? {} : { toolName: this.#label(toolName) }),
      ...task,
      may: actionsOn({ ...entry, hasValue }, task?.questions),
    }
  }
}

function cursorAfter({ createdAt, refId }: InspectedEntry): string {
  return cursorOfPlace({ createdAt: createdAt.getTime(), refId })
}

function sumIn(counted: Counted | undefined, status: EntryStatus): number {
  return (counted?.caches ?? []).reduce((sum, { byStatus }) => sum + byStatus[status], 0)
}

function storedOf(counted: Counted) {
  const { caches, savings } = counted
  return {
    stored: sumIn(counted, 'complete'),
    storedBytes: caches.reduce((sum, { valueBytes }) => sum + valueBytes, 0),
    ...(savings.length > 0 ? { tokens: withNet(sumOfTokens(savings)) } : {}),
  }
}

function actionsOn(
  { status, errorCode, hasValue }: Pick<InspectedEntry, 'status' | 'errorCode' | 'hasValue'>,
  questions = 0,
): Action[] {
  const isInFlight = status === 'pending' || status === 'processing'
  const mayRetry = status === 'cancelled' || (status === 'failed' && errorCode && canRetry(errorCode))
  return [
    ...(hasValue ? (['read'] as const) : []),
    ...(isInFlight ? (['cancel'] as const) : []),
    ...(mayRetry ? (['retry'] as const) : []),
    'delete',
    ...(questions > 0 ? (['answer'] as const) : []),
  ]
}
