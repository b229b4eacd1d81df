import type { RefId } from '../core/ref.ts'
import type { CallResponse } from '../core/response.ts'
import type { RefCache } from '../ref-cache.ts'
import { createCommand } from './command.ts'
import { OPERATOR, withReference } from './operator.ts'
import { outputOf, showAnswer } from './show-answer.ts'
import { withStoreOptions } from './store-option.ts'

const EXIT_CODES = `
Exit codes:
  0    done                                     1    it could not be done
  2    wrong usage                              5    the store cannot be used
  6    no such reference`

/** Cancels a task, in whichever process it runs. */
export function cancelCommand() {
  const command = createCommand(
    'cancel',
    'Cancel a task, in whichever process it runs. What has ended stays as it is.',
  )
  return steering(command, 'cancel', (cache, refId) => cache.cancelTask(refId, { actor: OPERATOR }))
}

/** Leaves a failed or cancelled task to a process that has its tool. */
export function retryCommand() {
  const command = createCommand(
    'retry',
    'Try a failed or cancelled task again. It is left to a process that has its tool: it waits until there is one.',
  )
  return steering(command, 'retry', (cache, refId) => cache.retryTask(refId, { actor: OPERATOR }))
}

function steering(
  command: ReturnType<typeof createCommand>,
  verb: string,
  steer: (cache: RefCache, refId: RefId) => Promise<CallResponse>,
) {
  const steered = command
    .argument('<ref>', 'the reference of the task')
    .option('--json', 'how it stands then, as JSON')
    .addHelpText('after', `\nExamples:\n  mcp-refcache ${verb} files:3f0c…9a\n${EXIT_CODES}`)
  return withStoreOptions(steered).action(async (given, values) => {
    await withReference(values, given, async (cache, refId) => {
      showAnswer(await steer(cache, refId), values.json ?? false, outputOf())
    })
  })
}
