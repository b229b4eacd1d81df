import { actor } from '../../access/actor.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { NotFound } from '../../core/errors.ts'
import { cacheNameOf, isRefOf, type RefId } from '../../core/ref.ts'
import { canRetry } from '../../core/retry-policy.ts'
import { sumOfTokens, type TokenCounts, withNet } from '../../core/token-savings.ts'
import type { CacheCounts, InspectedEntry, Inspector } from '../../inspect/index.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { Action } from '../api.ts'
import type { ListQuery, Opened, Seen, SeenChanges, SeenPage, Sight } from './sight.ts'
import { UseCounts } from './use-counts.ts'

export interface OperatorOptions {
  readonly inspector: Inspector
  /** The cache of that name, which is not closed here. */
  readonly cacheOf: (name: string) => RefCache | Promise<RefCache>
  /** What people call a tool. @defaultValue its name */
  readonly toolLabel?: (toolName: string) => string
  readonly clock?: Clock
}

const OPERATOR = actor.system()
/** Counts are taken at most so often. */
const COUNT_EVERY_MS = 1_000
const HOUR_MS = 3_600_000
/** What the pages of a list are looked through for a tool, at most. */
const MOST_PAGES = 20

/** Whoever owns a store sees all of it. Every value that is opened, and all that is done, goes through a cache, and stands in its audit. */
export class OperatorSight implements Sight {
  readonly #uses: UseCounts
  #counted: { readonly at: number; readonly counts: Promise<Counts> } | undefined

  constructor(private readonly options: OperatorOptions) {
    this.#uses = new UseCounts(options.inspector, options.clock ?? systemClock)
  }

  async overview() {
    const { caches, savings } = await this.#counts()
    const sum = (of: (counts: (typeof caches)[number]) => number) =>
      caches.reduce((total, counts) => total + of(counts), 0)
    const tools = caches.flatMap(({ byTool }) => byTool.flatMap(({ toolName }) => toolName ?? []))
    return {
      sight: 'operator' as const,
      running: sum(({ byStatus }) => byStatus.processing),
      waiting: sum(({ byStatus }) => byStatus.pending),
      stored: sum(({ byStatus }) => byStatus.complete),
      storedBytes: sum(({ valueBytes }) => valueBytes),
      ...(savings.length > 0 ? { tokens: withNet(sumOfTokens(savings)) } : {}),
      caches: caches.map(({ cache }) => cache),
      tools: [...new Set(tools.map(name => this.#label(name)))],
    }
  }

  async list({ tool, limit, ...query }: ListQuery): Promise<SeenPage> {
    const { inspector } = this.options
    const isWanted = ({ toolName }: InspectedEntry) => tool === undefined || this.#label(toolName) === tool
    const found: InspectedEntry[] = []
    let { cursor } = query
    for (let page = 0; page < MOST_PAGES; page++) {
      const more = await inspector.list({ ...query, limit: limit - found.length, cursor })
      found.push(...more.entries.filter(isWanted))
      cursor = more.nextCursor
      if (cursor === undefined || found.length === limit) break
    }
    const uses = await this.#uses.get()
    return {
      entries: found.map(entry => this.#seen(entry, uses)),
      ...(cursor === undefined ? {} : { nextCursor: cursor }),
    }
  }

  async entry(refId: RefId): Promise<Seen> {
    return this.#seen(await this.options.inspector.entry(refId), await this.#uses.get())
  }

  async open(refId: RefId): Promise<Opened> {
    const name = cacheNameOf(refId)
    // A cache for each name that somebody makes up would never end.
    const isKnown = isRefOf(name, refId) && (await this.options.inspector.caches()).includes(name)
    if (!isKnown) throw new NotFound()
    return { cache: await this.options.cacheOf(name), actor: OPERATOR }
  }

  async look(since?: string): Promise<SeenChanges> {
    const { isComplete, changed, deleted, cursor } = await this.options.inspector.changes(since)
    const uses = changed.length > 0 ? await this.#uses.get() : new Map()
    const told = { changed: changed.map(entry => this.#seen(entry, uses)), deleted, cursor }
    return { isComplete: isComplete && since !== undefined, ...told }
  }

  async savings(since: Date) {
    const hour = new Date(Math.floor(since.getTime() / HOUR_MS) * HOUR_MS)
    const byHour = new Map<number, TokenCounts[]>()
    for (const { at, ...counts } of await this.options.inspector.savings(hour)) {
      byHour.set(at.getTime(), [...(byHour.get(at.getTime()) ?? []), counts])
    }
    return [...byHour].map(([at, all]) => ({ at: new Date(at), ...withNet(sumOfTokens(all)) }))
  }

  #counts(): Promise<Counts> {
    const { inspector, clock = systemClock } = this.options
    const now = clock.monotonic()
    if (!this.#counted || now - this.#counted.at >= COUNT_EVERY_MS) {
      this.#counted = { at: now, counts: countsOf(inspector) }
    }
    return this.#counted.counts
  }

  #label(toolName = ''): string {
    return this.options.toolLabel?.(toolName) ?? toolName
  }

  #seen(inspected: InspectedEntry, uses: ReadonlyMap<RefId, number>): Seen {
    const { policy: _, cache: __, uses: ___, task, toolName, ...entry } = inspected
    const usedBy = uses.get(entry.refId)
    return {
      ...entry,
      ...(usedBy === undefined ? {} : { usedBy }),
      ...(toolName === undefined ? {} : { toolName: this.#label(toolName) }),
      ...task,
      may: actionsOn(entry, task?.questions),
    }
  }
}

interface Counts {
  readonly caches: readonly CacheCounts[]
  readonly savings: readonly TokenCounts[]
}

async function countsOf(inspector: Inspector): Promise<Counts> {
  const [{ caches }, savings] = await Promise.all([inspector.stats(), inspector.savings()])
  return { caches, savings }
}

function actionsOn(
  { status, errorCode, valueBytes }: Pick<InspectedEntry, 'status' | 'errorCode' | 'valueBytes'>,
  questions = 0,
): Action[] {
  const isInFlight = status === 'pending' || status === 'processing'
  const mayRetry = status === 'cancelled' || (status === 'failed' && errorCode && canRetry(errorCode))
  return [
    ...(valueBytes === undefined ? [] : (['read'] as const)),
    ...(isInFlight ? (['cancel'] as const) : []),
    ...(mayRetry ? (['retry'] as const) : []),
    'delete',
    ...(questions > 0 ? (['answer'] as const) : []),
  ]
}
