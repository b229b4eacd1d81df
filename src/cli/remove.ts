import { createInterface } from 'node:readline/promises'
import { checkCacheName } from '../core/ref.ts'
import { createCommand } from './command.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { OPERATOR, withCache, withReference } from './operator.ts'
import { checked, text } from './option-values.ts'
import { outputOf } from './show-answer.ts'
import { existingStore, withStoreOptions } from './store-option.ts'

const RM_HELP = `
Examples:
  mcp-refcache rm files:3f0c…9a files:77d1…02

Exit codes:
  0    all are gone now                         2    wrong usage
  5    the store cannot be used                 6    some were not there; the others are gone`

/** Deletes entries for good. */
export function rmCommand() {
  const command = createCommand('rm', 'Delete references for good. Work that still runs for them is stopped.')
    .argument('<ref...>', 'what to delete')
    .option('--json', 'say what was deleted as JSON')
    .addHelpText('after', RM_HELP)
  return withStoreOptions(command).action(async (given, values) => {
    const missing: string[] = []
    for (const reference of given) if (!(await removed(reference, values))) missing.push(reference)
    const deleted = given.filter(reference => !missing.includes(reference))
    const out = outputOf()
    if (values.json) out.answer(`${JSON.stringify({ deleted, missing })}\n`)
    else
      out.note(`${deleted.length} deleted${missing.length === 0 ? '' : `; not there: ${missing.join(', ')}`}`)
    process.exitCode = missing.length === 0 ? EXIT.ok : EXIT.notFound
  })
}

/** False: it was not there. */
async function removed(given: string, values: Parameters<typeof withReference>[0]): Promise<boolean> {
  try {
    return await withReference(values, given, (cache, refId) => cache.delete(refId, { actor: OPERATOR }))
  } catch (error) {
    if (error instanceof CommandFailed && error.exitCode === EXIT.notFound) return false
    throw error
  }
}

const CLEAR_HELP = `
Examples:
  mcp-refcache clear files                          all that is in the cache 'files'
  mcp-refcache clear files --namespace user:bob --yes

Exit codes:
  0    cleared, or left alone when you said no  2    wrong usage
  5    the store cannot be used`

/** Deletes all entries of one cache, or of one namespace of it. */
export function clearCommand() {
  const command = createCommand(
    'clear',
    'Delete all references of one cache, or of one namespace of it, for good.',
  )
    .argument('<cache>', 'the cache: what its references begin with, before the colon', name =>
      checked(() => checkCacheName(name)),
    )
    .option('--namespace <name>', 'only what is in this namespace', text('--namespace'))
    .option('--yes', 'do not ask first')
    .option('--json', 'say how many were deleted as JSON')
    .addHelpText('after', CLEAR_HELP)
  return withStoreOptions(command).action(async (name, values) => {
    const { namespace, yes = false, json } = values
    const what = namespace === undefined ? `all of '${name}'` : `'${namespace}' of '${name}'`
    const store = existingStore(values)
    if (!yes && !(await isWanted(`Delete ${what} for good?`))) {
      await store.close()
      return
    }
    const deleted = await withCache(store, name, cache => cache.clear(namespace))
    const out = outputOf()
    if (json) out.answer(`${JSON.stringify({ deleted })}\n`)
    else out.note(`${deleted} deleted`)
  })
}

/** @throws CommandFailed where nobody can be asked */
async function isWanted(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw usage(`${question} Nobody is here to ask: say --yes.`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
