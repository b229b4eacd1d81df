import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { checkCount, checkNames, type Names } from '../../core/options.ts'
import { moduleUrl } from './tool-module.ts'

/** Options of `threadExecutor`. */
export interface ThreadOptions {
  /**
   * The modules that export handlers, as URLs (`new URL('./tools.js', import.meta.url)`) or paths. A path is meant from the folder
   * where the process was started. Threads import them, and so does this process, to find out which export a tool's handler is.
   * @defaultValue none: each tool says where its handler is (`run`)
   */
  modules?: string | URL | readonly (string | URL)[] | undefined
  /**
   * How many handlers may compute at once; more wait in the cache's queue. One that waits for an answer to a question keeps its
   * thread, and does not count.
   * @defaultValue as many as the machine runs at once, less one for this process; at least 1
   */
  threads?: number | undefined
  /** How long a thread without work is kept; null for ever. @defaultValue '30s' */
  idleTimeout?: Duration | null | undefined
  /** Heap of one thread, in bytes; at least 16 MiB. Buffers lie outside of it. @defaultValue what Node gives a thread */
  memoryLimit?: number | undefined
  /**
   * How long a handler has to end after its signal has aborted. Then its thread is killed.
   * @defaultValue '1s'
   */
  grace?: Duration | undefined
  /** The file that threads run, where this package was bundled: `dist/execution/threads/worker.js` of it. @defaultValue that one */
  worker?: string | URL | undefined
}

/** The same, checked, in milliseconds and bytes. */
export interface ThreadSettings {
  /** URLs. */
  readonly modules: readonly string[]
  readonly threads: number
  /** Infinity: for ever. */
  readonly idleTimeout: number
  readonly memoryLimit: number | undefined
  readonly grace: number
  /** A path. */
  readonly worker: string | undefined
}

const NAMES: Names<ThreadOptions> = {
  modules: true,
  threads: true,
  idleTimeout: true,
  memoryLimit: true,
  grace: true,
  worker: true,
}

/** A thread needs this much for itself. */
const LEAST_MEMORY = 16 * 1024 * 1024

/** @throws InvalidArgument */
export function toSettings(options: ThreadOptions): ThreadSettings {
  checkNames(options, NAMES, 'threadExecutor')
  const { modules = [], threads = Math.max(1, availableParallelism() - 1), memoryLimit } = options
  const { idleTimeout = '30s', grace = '1s', worker } = options
  const listed = typeof modules === 'string' || modules instanceof URL ? [modules] : modules
  if (memoryLimit !== undefined && checkCount(memoryLimit, 'memoryLimit') < LEAST_MEMORY) {
    throw new InvalidArgument(`memoryLimit is in bytes, and at least ${LEAST_MEMORY} (16 MiB).`)
  }
  return {
    modules: listed.map(module => moduleUrl(module, 'modules')),
    threads: checkCount(threads, 'threads'),
    idleTimeout: idleTimeout === null ? Number.POSITIVE_INFINITY : toMilliseconds(idleTimeout, 'idleTimeout'),
    memoryLimit,
    grace: toMilliseconds(grace, 'grace'),
    worker: worker instanceof URL ? fileURLToPath(worker) : worker,
  }
}
