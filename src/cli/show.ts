import type { InspectedEntry } from '../inspect/index.ts'
import { createCommand } from './command.ts'
import { entryJson, progressText, sizeText, timeText } from './entry-lines.ts'
import { outputOf } from './show-answer.ts'
import { referenceOf, withInspector, withStoreOptions } from './store-option.ts'
import { formatTable } from './table.ts'

const AFTER = `
Examples:
  mcp-refcache show files:3f0c9a12

Exit codes:
  0    shown                                    2    wrong usage
  5    the store cannot be used                 6    no such reference`

/** Shows what is known of one entry. */
export function showCommand() {
  const command = createCommand(
    'show',
    'Show what is known of one reference: who asked for it, how its task stands and which process has it, until when it is kept.',
    'Its value is not shown (get does that), and nothing is changed.',
  )
    .argument('<ref>', 'the reference')
    .option('--json', 'what is known of it, as JSON')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async (given, values) => {
    const entry = await withInspector(values, async inspector =>
      inspector.entry(await referenceOf(inspector, given)),
    )
    const out = outputOf()
    if (values.json) out.answer(`${JSON.stringify(entryJson(entry))}\n`)
    else out.answer(formatTable([{ title: 'reference' }, { title: entry.refId }], factsOf(entry), out.width))
  })
}

function factsOf(entry: InspectedEntry): string[][] {
  const { cache, status, toolName, label, namespace, startedBy, valueBytes, attempt, task } = entry
  const facts: Array<[string, string | undefined]> = [
    ['cache', cache],
    ['status', status],
    ['tool', toolName],
    ['label', label],
    ['asked for by', startedBy],
    ['namespace', namespace],
    ['size', valueBytes === undefined ? undefined : sizeText(valueBytes)],
    ['progress', progressText(entry, false)],
    ['attempt', String(attempt)],
    ['process', task?.owner],
    ['next attempt', task?.retryAt?.toISOString()],
    ['made', whenText(entry.createdAt)],
    ['started', whenText(entry.startedAt)],
    ['ended', whenText(entry.completedAt)],
    ['kept until', entry.expiresAt?.toISOString()],
  ]
  return facts.flatMap(([name, fact]) => (fact === undefined || fact === '' ? [] : [[name, fact]]))
}

function whenText(time: Date | undefined): string | undefined {
  return time && `${time.toISOString()} (${timeText(Date.now() - time.getTime())} ago)`
}
