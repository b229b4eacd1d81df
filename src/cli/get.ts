import { ADAPTERS } from '../ref-cache-adapters.ts'
import { createCommand } from './command.ts'
import { OPERATOR, withReference } from './operator.ts'
import { time, wholeNumber } from './option-values.ts'
import { outputOf, showAnswer } from './show-answer.ts'
import { withStoreOptions } from './store-option.ts'
import { writeOut } from './write-export.ts'

const AFTER = `
Examples:
  mcp-refcache get files:3f0c…9a                    a preview, as an agent gets it
  mcp-refcache get files:3f0c…9a --page 3
  mcp-refcache get 'files:3f0c…9a#/rows/17'         a part
  mcp-refcache get files:3f0c…9a --full > all.json  all of it, to the last byte
  mcp-refcache get files:3f0c…9a --wait 1m          when its task is done

Exit codes:
  0    a value                                  1    the task failed or was cancelled
  2    wrong usage                              5    the store cannot be used
  6    no such reference                        7    the task has not come to its end`

export function getCommand() {
  const command = createCommand(
    'get',
    'Show a value: as much of it as an agent gets, a page, a part, or all.',
  )
    .argument('<ref>', 'a reference, or a part of one: ref#/json/pointer, ref#L10-L20')
    .option('--page <n>', 'that page, from 1', wholeNumber('--page', 1))
    .option('--page-size <n>', 'so many items on a page', wholeNumber('--page-size', 1))
    .option('--max-size <tokens>', 'how much is shown (1000)', wholeNumber('--max-size', 1))
    .option('--full', 'all of it, as the tool gave it')
    .option('--wait <time>', 'wait so long for the end of the task', time('--wait'))
    .option('--json', 'the answer as an agent gets it, as JSON')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async (given, values) => {
    const { page, pageSize, maxSize, wait, full, json = false } = values
    process.exitCode = await withReference(values, given, async (cache, reference) => {
      const answer = await cache.get(reference, { actor: OPERATOR, page, pageSize, maxSize, wait })
      if (!full || answer.status !== 'complete') return showAnswer(answer, json, outputOf())
      const { content } = await cache[ADAPTERS].openExport(reference, { format: 'original', actor: OPERATOR })
      await writeOut(content, process.stdout)
      return 0
    })
  })
}
