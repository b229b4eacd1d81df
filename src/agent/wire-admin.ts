import { permissionText } from '../access/permission.ts'
import type { AccessPolicy } from '../access/policy.ts'
import type { EntryInfo } from '../core/entry-info.ts'
import type { JsonObject } from '../core/json.ts'
import type { TokenSavings } from '../core/token-savings.ts'
import type { EntryPage } from '../flow/operate/inspect.ts'
import type { CacheStats } from '../flow/operate/stats.ts'
import type { StoreUsage } from '../stores/store.ts'
import { defined, type ToolResult, toResult } from './wire.ts'

/** What operators are shown, in the wire's snake_case. */

/** What an operator is shown of one entry. */
export function toEntryResult(info: EntryInfo): ToolResult {
  return toResult(wireEntry(info))
}

export function toPageResult({ entries, nextCursor }: EntryPage): ToolResult {
  return toResult(defined({ entries: entries.map(wireEntry), next_cursor: nextCursor }))
}

/** Tools have names that clients may make up: an answer names only so many of them. */
const MAX_TOOLS = 100

export function toStatsResult(stats: CacheStats): ToolResult {
  const { count, byStatus, byTool, valueBytes, abandonedRuns, savings, store, oldest } = stats
  const tools = byTool
    .slice(0, MAX_TOOLS)
    .map(tool => defined({ tool_name: tool.toolName, count: tool.count, value_bytes: tool.valueBytes }))
  return toResult(
    defined({
      count,
      value_bytes: valueBytes,
      by_status: { ...byStatus },
      by_tool: tools,
      more_tools: byTool.length > MAX_TOOLS ? byTool.length - MAX_TOOLS : undefined,
      abandoned_runs: abandonedRuns,
      tokens: savings && wireTokens(savings),
      store: store && wireUsage(store),
      oldest: oldest && wireEntry(oldest),
    }),
  )
}

export function wireTokens({ keptOut, pagedIn, added, net }: TokenSavings): JsonObject {
  return { kept_out: keptOut, paged_in: pagedIn, added, net }
}

export function wireUsage({ entries, bytes, maxEntries, maxBytes }: StoreUsage): JsonObject {
  return defined({ entries, bytes, max_entries: maxEntries, max_bytes: maxBytes })
}

export function wireEntry(info: EntryInfo): JsonObject {
  return defined({
    ref_id: info.refId,
    status: info.status,
    tool_name: info.toolName,
    label: info.label,
    namespace: info.namespace,
    policy: wirePolicy(info.policy),
    created_at: info.createdAt.toISOString(),
    started_at: info.startedAt?.toISOString(),
    completed_at: info.completedAt?.toISOString(),
    expires_at: info.expiresAt?.toISOString(),
    value_bytes: info.valueBytes,
    attempt: info.attempt,
    progress: info.progress && defined({ ...info.progress }),
    error_code: info.errorCode,
  })
}

/** Permissions in words; names as the wire writes them. */
function wirePolicy(policy: AccessPolicy): JsonObject {
  const fields = Object.entries(policy as unknown as JsonObject)
  return Object.fromEntries(
    fields.map(([name, value]) => [
      name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
      typeof value === 'number' ? permissionText(value) : value,
    ]),
  )
}
