import { afterEach, expect } from 'vitest'
import { type ThreadOptions, threadExecutor } from '../../dist/execution/threads/index.js'
import { type CallResponse, RefCache, type RefCacheOptions, type ToolOptions } from '../../dist/index.js'

export const MODULE = new URL('./fixtures/thread-tools.mjs', import.meta.url)
export const MB = 1024 * 1024

const open: RefCache[] = []
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.close()
})

/** A cache whose tools run in threads, found by their names. */
export function threads(options: ThreadOptions = {}, cacheOptions: RefCacheOptions = {}) {
  const lines: string[] = []
  const logger = { warn: (line: string) => lines.push(line), error: (line: string) => lines.push(line) }
  const executor = threadExecutor({ modules: MODULE, threads: 2, grace: '100ms', ...options })
  const cache = new RefCache({ logger, ...cacheOptions, executors: { threads: executor } })
  open.push(cache)
  const tool = (name: string, own: Partial<ToolOptions<object>> = {}) =>
    cache.cached<object, unknown>({ memoize: false, ...own, name, executor: 'threads' }, () => {
      throw new Error('the handler belongs in a thread')
    })
  return { cache, tool, lines, executor }
}

export async function ended(cache: RefCache, refId: string): Promise<CallResponse> {
  for (;;) {
    const response = await cache.get(refId, { wait: '1s' })
    if (!response.isAsync) return response
  }
}

export async function thrown(work: Promise<unknown>): Promise<Error & { code?: unknown; cause?: unknown }> {
  return work.then(
    value => expect.fail(`it gave ${JSON.stringify(value)}`),
    error => error,
  )
}
