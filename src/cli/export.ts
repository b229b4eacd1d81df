import { extname } from 'node:path'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../values/export/formats.ts'
import { createCommand } from './command.ts'
import { OPERATOR, withReference } from './operator.ts'
import { wrongChoice } from './option-values.ts'
import { outputOf } from './show-answer.ts'
import { withStoreOptions } from './store-option.ts'
import { writeFileWhole, writeOut } from './write-export.ts'

const BY_EXTENSION: Readonly<Record<string, ExportFormat>> = {
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
}

const AFTER = `
Examples:
  mcp-refcache export files:3f0c…9a orders.csv      the rows of a list
  mcp-refcache export files:3f0c…9a page.html       as the tool gave it
  mcp-refcache export 'files:3f0c…9a#/users' users.jsonl
  mcp-refcache export files:3f0c…9a - --format json | jq .

Exit codes:
  0    written                                  1    not written
  2    wrong usage                              5    the store cannot be used
  6    no such reference                        7    the value is not there yet`

export function exportCommand() {
  const command = createCommand(
    'export',
    'Write a value, or a part of it, to a new file that is yours alone (0600).',
  )
    .argument('<ref>', 'a reference, or a part of one: ref#/json/pointer, ref#L10-L20')
    .argument('<file>', "where to; '-' is stdout")
    .option('--format <format>', 'json, jsonl, csv, text or original (by the name of the file)', formatOf)
    .option('--force', 'replace a file that is there')
    .option('--json', 'say what was written as JSON')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async (given, file, values) => {
    const format = values.format ?? BY_EXTENSION[extname(file).toLowerCase()] ?? 'original'
    process.exitCode = await withReference(values, given, async (cache, reference) => {
      const { content, rows } = await cache[ADAPTERS].openExport(reference, { format, actor: OPERATOR })
      if (file === '-') {
        await writeOut(content, process.stdout)
        return 0
      }
      const bytes = await writeFileWhole(content, file, values.force ?? false)
      report({ file, bytes, rows: rows?.() }, values.json ?? false)
      return 0
    })
  })
}

function report(
  { file, bytes, rows }: { file: string; bytes: number; rows?: number | undefined },
  asJson: boolean,
) {
  const out = outputOf()
  if (asJson) out.answer(`${JSON.stringify({ file, bytes, rows })}\n`)
  else out.note(`${file}: ${bytes} bytes${rows === undefined ? '' : `, ${rows} rows`}`)
}

function formatOf(given: string): ExportFormat {
  return EXPORT_FORMATS.find(one => one === given) ?? wrongChoice('--format', given, EXPORT_FORMATS)
}
