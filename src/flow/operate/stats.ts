import type { Namespace } from '../../access/namespace.ts'
import type { Entry, EntryStatus } from '../../core/entry.ts'
import { checkNames, type Names } from '../../core/options.ts'
import type { StoreUsage } from '../../stores/store.ts'
import type { Engine } from '../engine.ts'
import { describeEntry, type EntryInfo } from './inspect.ts'
import { namespaceFilter, scan } from './list.ts'
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

/** The store counts, in steps. */
export async function stats(engine: Engine, options: StatsOptions): Promise<CacheStats> {
  checkNames(options, OPTIONS, '`stats`')
  const { namespace, signal } = options
  const isWanted = namespaceFilter(engine, namespace)
  const byStatus = { pending: 0, processing: 0, complete: 0, failed: 0, cancelled: 0 }
  const byTool = new Map<string | undefined, { count: number; valueBytes: number }>()
  signal?.throwIfAborted()
  const counts = await engine.store.count(engine.name, engine.clock.expiryNow())
  for (const { namespace, status, toolName, count, valueBytes } of counts) {
    if (!isWanted(namespace)) continue
    byStatus[status] += count
    const tool = byTool.get(toolName) ?? { count: 0, valueBytes: 0 }
    tool.count += count
    tool.valueBytes += valueBytes
    byTool.set(toolName, tool)
  }
  const oldest = await oldestOf(engine, options)
  const usage = await engine.store.usage?.()
  const tools = [...byTool].map(
    ([toolName, counted]): ToolStats => ({
      ...(toolName === undefined ? {} : { toolName }),
      ...counted,
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

async function oldestOf(engine: Engine, { namespace, signal }: StatsOptions): Promise<Entry | undefined> {
  for await (const { entry, wanted } of scan(engine, { namespace, signal, oldestFirst: true })) {
    if (wanted) return entry
  }
  return undefined
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
