import type { Entry, EntryStatus } from './entry.ts'

/** How many entries one tool has, and how large their values are together, in bytes of JSON. */
export interface ToolStats {
  /** Absent: values that `set` put in and that no tool was named for. */
  readonly toolName?: string
  readonly count: number
  readonly valueBytes: number
}

/** How many entries there are, by what they are. */
export interface EntryCounts {
  readonly count: number
  readonly byStatus: Readonly<Record<EntryStatus, number>>
  /** The tool with the most entries first. */
  readonly byTool: readonly ToolStats[]
  /** Bytes of JSON of all values; stores keep large ones compressed. */
  readonly valueBytes: number
}

/** Adds up what a store counted. */
export function sumOf(
  kinds: ReadonlyArray<Pick<Entry, 'status' | 'toolName'> & Omit<ToolStats, 'toolName'>>,
): EntryCounts {
  const byStatus = { pending: 0, processing: 0, complete: 0, failed: 0, cancelled: 0 }
  const byTool = new Map<string | undefined, { count: number; valueBytes: number }>()
  const total = { count: 0, valueBytes: 0 }
  for (const { status, toolName, count, valueBytes } of kinds) {
    const tool = byTool.get(toolName) ?? { count: 0, valueBytes: 0 }
    byTool.set(toolName, tool)
    byStatus[status] += count
    for (const sums of [total, tool]) {
      sums.count += count
      sums.valueBytes += valueBytes
    }
  }
  const tools = [...byTool].map(([toolName, sums]) => ({
    ...(toolName === undefined ? {} : { toolName }),
    ...sums,
  }))
  return { ...total, byStatus, byTool: tools.sort((a, b) => b.count - a.count) }
}
