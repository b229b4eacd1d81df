import type { Namespace } from '../../access/namespace.ts'
import type { Entry, EntryStatus } from '../../core/entry.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { StoreUsage } from '../../stores/store.ts'
import type { Engine } from '../engine.ts'
import { describeEntry, type EntryInfo } from './inspect.ts'
import { scan } from './list.ts'
import type { TokenSavings } from './savings.ts'

/** Options of `RefCache.stats`. */
export interface StatsOptions {
  /** One namespace, as it is or as an `EntryInfo` shows it. @defaultValue all */
  namespace?: Namespace | undefined
  /** Ends the count with its reason. */
  signal?: AbortSignal | undefined
}

/** How many entries one tool has, and how large their values are together, in bytes of JSON. */
export interface ToolStats {
  /** Absent: values that `set` put in and that no tool was named for. */
  readonly toolName?: string
  readonly count: number
  readonly valueBytes: number
}

/** What is in a cache. Entries come and go while they are counted. */
export interface CacheStats {
  readonly count: number
  readonly byStatus: Readonly<Record<EntryStatus, number>>
  /** The tool with the most entries first. */
  readonly byTool: readonly ToolStats[]
  /** Bytes of JSON of all values; stores keep large ones compressed. */
  readonly valueBytes: number
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

/** Counts all entries, in batches. */
export async function stats(engine: Engine, options: StatsOptions): Promise<CacheStats> {
  checkNames(options, OPTIONS, '`stats`')
  const byStatus = { pending: 0, processing: 0, complete: 0, failed: 0, cancelled: 0 }
  const byTool = new Map<string | undefined, { count: number; valueBytes: number }>()
  let oldest: Entry | undefined
  for await (const { entry, wanted } of scan(engine, options)) {
    if (!wanted) continue
    byStatus[entry.status] += 1
    const tool = byTool.get(entry.toolName) ?? { count: 0, valueBytes: 0 }
    tool.count += 1
    tool.valueBytes += entry.status === 'complete' ? entry.valueBytes : 0
    byTool.set(entry.toolName, tool)
    if (!oldest || entry.createdAt < oldest.createdAt) oldest = entry
  }
  const usage = await engine.store.usage?.()
  const tools = [...byTool].map(
    ([toolName, counts]): ToolStats => ({
      ...(toolName === undefined ? {} : { toolName }),
      ...counts,
    }),
  )
  return {
    count: sum(tools.map(({ count }) => count)),
    byStatus,
    byTool: tools.sort((a, b) => b.count - a.count),
    valueBytes: sum(tools.map(({ valueBytes }) => valueBytes)),
    abandonedRuns: engine.running.abandoned,
    ...(engine.savings.isEmpty ? {} : { savings: engine.savings.totals }),
    ...(usage ? { store: usage } : {}),
    ...(oldest ? { oldest: describeEntry(oldest) } : {}),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
