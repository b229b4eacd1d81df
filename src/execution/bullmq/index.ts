import type { Dispatcher } from '../dispatcher.ts'
import { BullmqDispatcher } from './dispatcher.ts'
import { type BullmqOptions, toSettings } from './options.ts'

export type { RedisClient } from './connection.ts'
export type { BullmqOptions } from './options.ts'
export { type RunningWorker, runWorker, type WorkerOptions, type WorkingCache } from './worker.ts'

/**
 * Lets any process that runs a worker (`runWorker`, or the command `mcp-refcache work`) do the work that this one is called for, over
 * a queue of BullMQ. Fronts and workers share a store, which says who runs a task. Needs the packages bullmq and `@redis/client`.
 *
 * @example
 * const connection = 'redis://localhost:6379'
 * const cache = new RefCache({ store: redisStore(connection), dispatcher: bullmqDispatcher({ connection }) })
 *
 * @throws InvalidArgument
 */
export function bullmqDispatcher(options: BullmqOptions): Dispatcher {
  return new BullmqDispatcher(toSettings(options))
}
