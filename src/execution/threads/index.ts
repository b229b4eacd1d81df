import type { Executor } from '../executor.ts'
import { type ThreadOptions, toSettings } from './options.ts'
import { ThreadExecutor } from './thread-executor.ts'

export type { ThreadOptions } from './options.ts'
export type { ThreadTool } from './tool-module.ts'

/**
 * Runs handlers in worker threads, which can be killed: for time, for memory, on cancel. A handler that computes then holds up
 * nobody else. Needs the package piscina.
 *
 * @example
 * const cache = new RefCache({
 *   executors: { threads: threadExecutor({ modules: new URL('./tools.js', import.meta.url) }) },
 * })
 * const parse = cache.cached({ name: 'parse', executor: 'threads' }, parsePdf) // an export of tools.js
 *
 * @throws InvalidArgument
 */
export function threadExecutor(options: ThreadOptions = {}): Executor {
  return new ThreadExecutor(toSettings(options))
}
