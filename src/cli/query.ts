import type { JsonValue } from '../core/json.ts'
import type { RefId } from '../core/ref.ts'
import type { RefCache } from '../ref-cache.ts'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import { createCommand } from './command.ts'
import { usage } from './exit.ts'
import { OPERATOR, withReference } from './operator.ts'
import { text, wholeNumber, wrongChoice } from './option-values.ts'
import { outputOf, showAnswer, shown } from './show-answer.ts'
import { withStoreOptions } from './store-option.ts'
import { writeOut } from './write-export.ts'

const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const
type Format = (typeof FORMATS)[number]

/** A question ends by its own limits long before. */
const WAIT = '10m'

const AFTER = `
The tables of a value are what its preview names: a list of records is items, a log or a text is lines(line, text), and
root is the value itself.

Examples:
  mcp-refcache query files:3f0c…9a 'select level, count(*) n from items group by 1'
  mcp-refcache query files:3f0c…9a 'select * from items' --format csv > items.csv
  mcp-refcache query files:3f0c…9a --search /error.*timeout/i --context 2
  mcp-refcache query files:3f0c…9a 'select * from items join users u using (id)' --table u=files:77d1…02

Exit codes:
  0    an answer                                1    the question failed
  2    wrong usage                              5    the store cannot be used
  6    no such reference                        7    the value is not there yet`

export function queryCommand() {
  const command = createCommand(
    'query',
    'Ask a value in SQL, or search it. The answer is kept as a reference, too.',
  )
    .argument('<ref>', 'the reference of the value')
    .argument('[sql]', 'one SELECT of SQLite over the tables of the value')
    .option('--search <text>', 'lines or items with this text, or that match /expression/i', text('--search'))
    .option('--context <n>', 'so many lines before and after each match', wholeNumber('--context', 0))
    .option('--table <name=ref>', 'another reference, as a table of that name; may be repeated', tables)
    .option(
      '--format <format>',
      'how an answer in SQL is written: table, json, jsonl or csv (table)',
      formatOf,
    )
    .option('--json', 'as --format json')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async (given, sql, values) => {
    const { search, context, table: tables, format = values.json ? 'json' : 'table' } = values
    if ((sql === undefined) === (search === undefined)) throw usage('Ask either in SQL or with --search.')
    process.exitCode = await withReference(values, given, async (cache, reference) => {
      const question = { actor: OPERATOR, sql, search, context, tables, wait: WAIT } as const
      const answer = await cache.query(reference, question)
      if (answer.status !== 'complete') return showAnswer(answer, values.json ?? false, outputOf())
      await writeAnswer(cache, answer.refId, format)
      return 0
    })
  })
}

async function writeAnswer(cache: RefCache, refId: RefId, format: Format): Promise<void> {
  const out = outputOf()
  if (format === 'table') {
    const value: JsonValue = await cache.resolve(refId, { actor: OPERATOR })
    const isEmpty = Array.isArray(value) && value.length === 0
    if (isEmpty) out.note('no rows')
    else out.answer(shown(value, out.width))
  } else {
    const { content } = await cache[ADAPTERS].openExport(refId, { format, actor: OPERATOR })
    await writeOut(content, process.stdout)
    if (format === 'json') out.answer('\n')
  }
  out.note(`kept as ${refId}`)
}

function formatOf(given: string): Format {
  return FORMATS.find(one => one === given) ?? wrongChoice('--format', given, FORMATS)
}

function tables(given: string, before: Record<string, RefId> = {}): Record<string, RefId> {
  const [, name, refId] = /^([^=\s]+)=(\S+)$/.exec(given) ?? []
  if (name === undefined || refId === undefined) throw usage("--table is written 'name=ref'.")
  return { ...before, [name]: refId }
}
