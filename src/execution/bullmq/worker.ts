import type { WorkerOptions as QueueWorkerOptions } from 'bullmq'
import type { Duration } from '../../core/duration.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { checkCount, checkNames, type Names } from '../../core/options.ts'
import type { Dispatcher } from '../dispatcher.ts'
import { BullmqDispatcher } from './dispatcher.ts'
import { checkQueueName } from './options.ts'

/** What a worker needs of a cache. */
export interface WorkingCache {
  readonly name: string
  readonly dispatcher: Dispatcher
  close(options?: { drain?: Duration | undefined }): Promise<void>
}

/** Options of `runWorker`. */
export interface WorkerOptions<Cache> {
  /** Registers the tools of this worker with its cache, as the front does it. @defaultValue the cache has them already */
  tools?: ((cache: Cache) => unknown) | undefined
  /** How many tasks run here at once. @defaultValue 10 */
  concurrency?: number | undefined
  /** The queue that it takes from. @defaultValue that of the dispatcher; needed where each tool has one of its own */
  queue?: string | undefined
  /** BullMQ's own options, such as `limiter`. */
  worker?: Omit<QueueWorkerOptions, 'connection' | 'prefix' | 'concurrency' | 'autorun'> | undefined
}

/** A worker that takes work. */
export interface RunningWorker {
  /**
   * Takes no more work, gives what runs `drain` to finish, and closes the cache. What has not finished by then is given away: it is
   * run again elsewhere where the tool is idempotent, else its task has failed. @defaultValue drain 0
   */
  close(options?: { drain?: Duration | undefined }): Promise<void>
}

const NAMES: Names<WorkerOptions<WorkingCache>> = {
  tools: true,
  concurrency: true,
  queue: true,
  worker: true,
}

/**
 * Takes work that fronts announced over BullMQ, and runs it in this process.
 *
 * @param cache on the fronts' store, of their name, with `bullmqDispatcher` as its dispatcher
 * @throws InvalidArgument
 */
export async function runWorker<Cache extends WorkingCache>(
  cache: Cache,
  options: WorkerOptions<Cache> = {},
): Promise<RunningWorker> {
  checkNames(options, NAMES, 'runWorker')
  const { dispatcher } = cache
  if (!(dispatcher instanceof BullmqDispatcher)) {
    throw new InvalidArgument('A worker needs a cache with `dispatcher: bullmqDispatcher({ connection })`.')
  }
  const { tools, concurrency = 10, queue = dispatcher.settings.queueFor(cache.name), worker = {} } = options
  if (queue === undefined) {
    throw new InvalidArgument(
      'Each tool has a queue of its own here: say which `queue` this worker takes from.',
    )
  }
  await tools?.(cache)
  await dispatcher.work(checkQueueName(queue), {
    ...worker,
    concurrency: checkCount(concurrency, 'concurrency'),
  })
  return {
    async close(closing = {}) {
      await cache.close(closing)
      await dispatcher.end()
    },
  }
}
