import { once } from 'node:events'
import type { AuditSink } from '../access/audit.ts'
import { auditFile } from '../audit/index.ts'
import { type Inspector, openInspector } from '../inspect/index.ts'
import type { RefCache } from '../ref-cache.ts'
import type { Store } from '../stores/store.ts'
import { OperatorSight } from '../ui/server/operator-sight.ts'
import { nameAtServer } from '../wrap/tools/names.ts'
import { createCommand } from './command.ts'
import { usage } from './exit.ts'
import { operatorCache } from './operator.ts'
import { checked, text, wholeNumber } from './option-values.ts'
import { servePage } from './serve-page.ts'
import { outputOf } from './show-answer.ts'
import { existingStore, type StoreValues, toFailure, withStoreOptions } from './store-option.ts'

const AFTER = `
The page shows what runs now and how far it is, what is stored and who used it, and what a value is like; it pages and asks
values in SQL, and cancels, retries, answers and deletes. It is served to this machine alone. Its link is good for one browser,
for ten minutes; when it was used or came too late, the next one is printed.

Examples:
  mcp-refcache ui                                   the store of all servers behind 'wrap'
  mcp-refcache ui --store app.db --port 4000        pages that are open go on after a restart at the same port
  mcp-refcache ui --audit looked.jsonl              with a line for each value that was opened, and all that was done

Exit codes:
  130  ended by Ctrl-C                          2    wrong usage
  4    the port is in use                       5    the store cannot be used`

/** Serves the live page of a store. */
export function uiCommand() {
  const command = createCommand(
    'ui',
    'Show a store in your browser, live: tasks with their progress, references with their size, shape and use.',
    'Tasks run where they ran before: nothing runs here but your questions.',
  )
    .option('--port <n>', 'serve the page at http://127.0.0.1:N (a free port)', wholeNumber('--port', 0))
    .option('--audit <file>', 'write down what is opened and done, a line of JSON each', text('--audit'))
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async values => {
    const { port = 0, audit: file } = values
    if (port > 65_535) throw usage('--port takes a port: a number up to 65535.')
    const ended = endOfProcess()
    const looked = new LookedAtStore(values, file === undefined ? undefined : checked(() => auditFile(file)))
    try {
      await looked.check()
      const out = outputOf()
      const listener = await servePage(
        port,
        '--port',
        () => looked.sight,
        url => out.answer(`${url}\n`),
      )
      out.note('Open the link in your browser. Ctrl-C ends the page; what runs goes on.')
      process.exitCode = await ended
      await listener.close()
    } finally {
      await looked.close()
    }
  })
}

/** A store of other processes: read without a change to it, and opened for more when somebody wants a value or does something. */
class LookedAtStore {
  readonly sight: OperatorSight
  readonly #inspector: Inspector
  readonly #caches = new Map<string, RefCache>()
  #store: Store | undefined

  constructor(
    private readonly values: StoreValues,
    private readonly audit: AuditSink | undefined,
  ) {
    this.#inspector = openInspector(existingStore(values, { readOnly: true }), { progressMessages: true })
    const cacheOf = (name: string) => this.#cacheOf(name)
    this.sight = new OperatorSight({ inspector: this.#inspector, cacheOf, toolLabel: nameAtServer })
  }

  /** Whether it can be looked at: a page that shows nothing would tell nobody why. @throws CommandFailed */
  async check(): Promise<void> {
    await this.#inspector.caches().catch(error => Promise.reject(toFailure(error)))
  }

  async close(): Promise<void> {
    // They close the store that they share; who comes second finds it closed.
    await Promise.allSettled([...this.#caches.values()].map(cache => cache.close({ drain: 0 })))
    await this.#inspector.close()
    await this.audit?.close?.()
  }

  #cacheOf(name: string): RefCache {
    this.#store ??= existingStore(this.values)
    const cache = this.#caches.get(name) ?? operatorCache(name, this.#store, this.audit)
    this.#caches.set(name, cache)
    return cache
  }
}

async function endOfProcess(): Promise<number> {
  const ends = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
  const each = Object.entries(ends).map(([signal, code]) => once(process, signal).then(() => code))
  return Promise.race(each)
}
