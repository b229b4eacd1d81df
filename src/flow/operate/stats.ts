import type { Namespace } from '../../access/namespace.ts'
import type { Entry } from '../../core/entry.ts'
import { type EntryCounts, sumOf } from '../../core/entry-counts.ts'
import { describeEntry, type EntryInfo } from '../../core/entry-info.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { TokenSavings } from '../../core/token-savings.ts'
import type { StoreUsage } from '../../stores/store.ts'
import type { Engine } from '../engine.ts'
import { namespaceFilter, scan } from './list.ts'

/** Options of `RefCache.stats`. */
export interface StatsOptions {
  /** One namespace, as it is or as an `EntryInfo` shows it. @defaultValue all */
  namespace?: Namespace | undefined
  /** Ends the count with its reason. */
  signal?: AbortSignal | undefined
}

/** What is in a cache. Entries come and go while they are counted. */
export interface CacheStats extends EntryCounts {
  /** Handlers of this process that ignore their aborted signal, and still go on after their grace (`abortGrace`). */
  readonly abandonedRuns: number
  /** How full the store is, whatever namespace was asked for, with all caches on it. Absent where the store does not say. */
  readonly store?: StoreUsage
  /**
   * Tokens that answers to agents saved and cost, in this process since it began, whatever namespace was asked for. Absent as long as
   * there is nothing to tell.
   */
  readonly savings?: TokenSavings
  readonly oldest?: EntryInfo
}

const OPTIONS: Names<StatsOptions> = { namespace: true, signal: true }

/** The store counts, in steps. */
export async function stats(engine: Engine, options: StatsOptions): Promise<CacheStats> {
  checkNames(options, OPTIONS, '`stats`')
  const { namespace, signal } = options
  const isWanted = namespaceFilter(engine, namespace)
  signal?.throwIfAborted()
  const counts = await engine.store.count(engine.name, engine.clock.expiryNow())
  const oldest = await oldestOf(engine, options)
  const usage = await engine.store.usage?.()
  return {
    ...sumOf(counts.filter(counted => isWanted(counted.namespace))),
    abandonedRuns: engine.running.abandoned,
    ...(engine.savings.isEmpty ? {} : { savings: engine.savings.totals }),
    ...(usage ? { store: usage } : {}),
    ...(oldest ? { oldest: describeEntry(oldest) } : {}),
  }
}

async function oldestOf(engine: Engine, { namespace, signal }: StatsOptions): Promise<Entry | undefined> {
  for await (const { entry, wanted } of scan(engine, { namespace, signal, oldestFirst: true })) {
    if (wanted) return entry
  }
  return undefined
}
