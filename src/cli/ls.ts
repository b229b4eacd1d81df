import { Option } from '@commander-js/extra-typings'
import { ENTRY_STATUSES } from '../core/entry.ts'
import { createCommand } from './command.ts'
import { ENTRY_COLUMNS, entryJson, entryRow } from './entry-lines.ts'
import { text, wholeNumber } from './option-values.ts'
import { outputOf } from './show-answer.ts'
import { withInspector, withStoreOptions } from './store-option.ts'
import { formatTable } from './table.ts'

const DEFAULT_LIMIT = 50

const AFTER = `
Examples:
  mcp-refcache ls                                   the newest references of all servers
  mcp-refcache ls --cache files --status failed
  mcp-refcache ls --json --limit 1000 | jq -r '.entries[].ref_id'

Exit codes:
  0    listed                                   2    wrong usage
  5    the store cannot be used`

/** Lists entries, the newest first. */
export function lsCommand() {
  const command = createCommand(
    'ls',
    'List the references of a store, the newest first: status, tool, who asked, size, age, and how far tasks are.',
    'Values are not shown, and nothing is changed.',
  )
    .option('--cache <name>', 'only of this cache: one server', text('--cache'))
    .addOption(new Option('--status <status>', 'only what stands so').choices(ENTRY_STATUSES))
    .option('--limit <n>', `at most so many (${DEFAULT_LIMIT})`, wholeNumber('--limit', 1))
    .option('--cursor <text>', 'go on where another list ended: its next_cursor', text('--cursor'))
    .option('--json', 'as JSON, with whole references')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async values => {
    const { cache, status, limit = DEFAULT_LIMIT, cursor, json } = values
    const statuses = status === undefined ? undefined : [status]
    const { entries, nextCursor } = await withInspector(values, inspector =>
      inspector.list({ cache, statuses, limit, cursor }),
    )
    const out = outputOf()
    if (json) {
      const more = nextCursor === undefined ? {} : { next_cursor: nextCursor }
      out.answer(`${JSON.stringify({ entries: entries.map(entryJson), ...more })}\n`)
      return
    }
    const isShort = out.width !== undefined
    const rows = entries.map(entry => entryRow(entry, Date.now(), isShort))
    if (rows.length > 0) out.answer(formatTable(ENTRY_COLUMNS, rows, out.width))
    else out.note('There is nothing.')
    if (nextCursor !== undefined) out.note(`There is more: --limit N, or --cursor ${nextCursor}`)
  })
}
