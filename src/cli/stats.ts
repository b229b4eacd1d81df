import { savingsText } from '../agent/savings-text.ts'
import { wireTokens, wireUsage } from '../agent/wire-admin.ts'
import { sumOfTokens, type TokenSavings, withNet } from '../core/token-savings.ts'
import type { CacheCounts, Inspector } from '../inspect/index.ts'
import type { StoreUsage } from '../stores/store.ts'
import { createCommand } from './command.ts'
import { sizeText } from './entry-lines.ts'
import { outputOf } from './show-answer.ts'
import { withInspector, withStoreOptions } from './store-option.ts'
import { type Column, formatTable } from './table.ts'

const AFTER = `
Examples:
  mcp-refcache stats
  mcp-refcache stats --store redis://localhost:6379 --json

Exit codes:
  0    counted                                  2    wrong usage
  5    the store cannot be used`

const COLUMNS: readonly Column[] = [
  { title: 'cache' },
  { title: 'tool' },
  ...['entries', 'running', 'complete', 'failed', 'size'].map(title => ({ title, align: 'right' as const })),
]

/** Counts what a store has. */
export function statsCommand() {
  const command = createCommand(
    'stats',
    'Count what a store has, by cache, status and tool, say how full it is, and what references saved agents in the last 90 days. Nothing is changed.',
  )
    .option('--json', 'the counts as JSON')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async values => {
    const { caches, store, tokens } = await withInspector(values, look)
    const out = outputOf()
    if (values.json) {
      const counts = {
        caches: caches.map(countsJson),
        ...(store ? { store: wireUsage(store) } : {}),
        ...(tokens ? { tokens: wireTokens(tokens) } : {}),
      }
      out.answer(`${JSON.stringify(counts)}\n`)
      return
    }
    out.answer(formatTable(COLUMNS, caches.flatMap(rowsOf), out.width))
    if (store) out.note(fullness(store))
    if (tokens) out.note(savingsText(tokens, 'in the last 90 days'))
  })
}

async function look(inspector: Inspector) {
  const savings = await inspector.savings()
  const tokens: TokenSavings | undefined = savings.length > 0 ? withNet(sumOfTokens(savings)) : undefined
  return { ...(await inspector.stats()), tokens }
}

function rowsOf({ cache, count, byStatus, byTool, valueBytes }: CacheCounts): string[][] {
  const { pending, processing, complete, failed, cancelled } = byStatus
  const total = [count, pending + processing, complete, failed + cancelled].map(String)
  return [
    [cache, '', ...total, sizeText(valueBytes)],
    ...byTool.map(({ toolName = '', count, valueBytes }) => {
      return ['', toolName, String(count), '', '', '', sizeText(valueBytes)]
    }),
  ]
}

function fullness({ entries, maxEntries, bytes, maxBytes }: StoreUsage): string {
  const parts = [
    entries === undefined ? undefined : `${entries}${maxEntries ? ` of ${maxEntries}` : ''} entries`,
    bytes === undefined ? undefined : `${sizeText(bytes)}${maxBytes ? ` of ${sizeText(maxBytes)}` : ''}`,
  ]
  return `The store has ${parts.filter(part => part !== undefined).join(', ')}.`
}

function countsJson({ cache, count, byStatus, byTool, valueBytes }: CacheCounts) {
  const tools = byTool.map(({ toolName, ...counts }) => ({
    ...(toolName === undefined ? {} : { tool_name: toolName }),
    count: counts.count,
    value_bytes: counts.valueBytes,
  }))
  return { cache, count, value_bytes: valueBytes, by_status: byStatus, by_tool: tools }
}
