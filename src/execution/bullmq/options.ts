import type { JobsOptions } from 'bullmq'
import { InvalidArgument } from '../../core/errors.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { cacheNameOf } from '../../core/ref.ts'
import type { PendingWork } from '../dispatcher.ts'
import { checkConnection, type RedisClient } from './connection.ts'

/** Options of `bullmqDispatcher`. Fronts and workers have the same. */
export interface BullmqOptions {
  /**
   * A Redis server as a URL, or a client of `@redis/client`, of which duplicates are made. It need not be the server that holds the
   * entries. BullMQ wants `maxmemory-policy noeviction`.
   */
  connection: string | RedisClient
  /**
   * The queue of all tools, or of each: undefined for a tool that runs in the process that was called.
   * @defaultValue 'mcp-refcache-' and the cache's name
   */
  queue?: string | ((toolName: string) => string | undefined) | undefined
  /** What BullMQ's keys begin with. @defaultValue 'bull' */
  prefix?: string | undefined
  /**
   * BullMQ's own options of a job, such as its priority. A job has the tool's name, and the reference alone as its data.
   * @defaultValue none
   */
  jobOptions?: ((work: PendingWork) => JobsOptions) | undefined
}

/** The same, checked. */
export interface BullmqSettings {
  readonly connection: string | RedisClient
  readonly queueOf: (work: PendingWork) => string | undefined
  /** The queue of a worker that names none. Undefined: each tool has one of its own. */
  readonly queueFor: (cacheName: string) => string | undefined
  readonly prefix: string
  readonly jobOptions: (work: PendingWork) => JobsOptions
}

const NAMES: Names<BullmqOptions> = { connection: true, queue: true, prefix: true, jobOptions: true }

/** @throws InvalidArgument */
export function toSettings(options: BullmqOptions): BullmqSettings {
  checkNames(options, NAMES, 'bullmqDispatcher')
  const { connection, queue, prefix = 'bull', jobOptions = () => ({}) } = options
  return { connection: checkConnection(connection), prefix, jobOptions, ...queues(queue) }
}

function queues(queue: BullmqOptions['queue']): Pick<BullmqSettings, 'queueOf' | 'queueFor'> {
  if (typeof queue === 'function')
    return { queueOf: ({ toolName }) => queue(toolName), queueFor: () => undefined }
  const named = queue === undefined ? undefined : checkQueueName(queue)
  const queueFor = (cacheName: string) => named ?? `mcp-refcache-${cacheName}`
  return { queueOf: ({ refId }) => queueFor(cacheNameOf(refId)), queueFor }
}

/** BullMQ makes keys of it. @throws InvalidArgument */
export function checkQueueName(name: unknown): string {
  if (typeof name === 'string' && name !== '' && !name.includes(':')) return name
  throw new InvalidArgument('The name of a queue is a text without colons.')
}
