import type { Job, Queue, WorkerOptions as QueueWorkerOptions, Worker } from 'bullmq'
import type { Logger } from '../../core/logger.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { AnnounceMessage } from '../../telemetry/messages.ts'
import type { Dispatcher, PendingWork, TakeWork } from '../dispatcher.ts'
import { loadBullmq, type Opened, openClient } from './connection.ts'
import { type BullmqSettings, checkQueueName } from './options.ts'

/** What a job carries. The entry says all else, also who runs it. */
interface JobData {
  readonly refId: RefId
  /** The span that the work belongs to, where somebody traces it. */
  readonly traceparent?: string
}

/** What came of a job. */
type Taken = Awaited<ReturnType<TakeWork>> | 'failed'

/** Finished jobs are kept for dashboards: the newest thousand, for an hour. */
const KEPT = { count: 1_000, age: 3_600 }

/** So long the end waits for what is being said to Redis. */
const CLOSE_MS = 3_000

/** A job that a worker cannot take comes up again after so long, for others or for itself. */
const AGAIN_MS = 1_000

/**
 * A lock that is lost early does no harm, since the entry says who runs a task; a job of a dead worker soon comes up again.
 * So a job may stall as often as workers die.
 */
const LOCKS = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 1_000_000 }

/** Announces pending work as jobs of BullMQ, and takes what others announced where a worker was started. */
export class BullmqDispatcher implements Dispatcher {
  readonly shared = true
  readonly #queues = new Map<string, Promise<Queue<JobData>>>()
  readonly #opened: Opened[] = []
  readonly #workers: Worker<JobData>[] = []
  /** One for each task: it may be dispatched again while the queue is away. */
  readonly #announcing = new Map<RefId, Promise<void>>()
  /** What was said already of jobs that this process leaves to others. */
  readonly #left = new Set<string>()
  #take: TakeWork | undefined
  #logger: Logger | undefined
  /** What was said last of trouble that is not over. */
  #trouble: string | undefined
  #ended: Promise<void> | undefined

  constructor(readonly settings: BullmqSettings) {}

  dispatch(work: PendingWork): 'here' | 'elsewhere' {
    const { refId } = work
    let queue: string | undefined
    try {
      queue = this.#queueOf(work)
    } catch (error) {
      // A queue that cannot be named is no reason to lose the work: a sweep dispatches it again.
      this.#onTrouble(error as Error)
      return 'elsewhere'
    }
    if (queue === undefined) return 'here'
    if (!this.#announcing.has(refId) && !this.#ended) {
      const announced = this.#announce(queue, work).finally(() => this.#announcing.delete(refId))
      this.#announcing.set(refId, announced)
    }
    return 'elsewhere'
  }

  listen(take: TakeWork, logger: Logger): void {
    this.#take = take
    this.#logger = logger
  }

  /** Takes work of a queue in this process. @param options BullMQ's own */
  async work(queue: string, options: Partial<QueueWorkerOptions>): Promise<void> {
    const { Worker } = await loadBullmq()
    const worker = new Worker<JobData>(queue, (job, token) => this.#process(job, token), {
      ...LOCKS,
      ...options,
      ...(await this.#connection()),
    })
    worker.on('error', error => this.#onTrouble(error))
    worker.on('ready', () => this.#onReady())
    this.#workers.push(worker)
    await worker.waitUntilReady()
  }

  /** Takes and announces no more. What runs goes on; `end` waits for it. */
  async close(): Promise<void> {
    this.#ended ??= this.#close()
    if (this.#workers.length === 0) await this.end()
  }

  /** Resolves when all jobs of this process are over and its connections are closed; soon, too, where Redis is away. */
  async end(): Promise<void> {
    await within(CLOSE_MS, this.#ended)
    for (const { end } of this.#opened.splice(0)) end()
  }

  #queueOf(work: PendingWork): string | undefined {
    const name = this.settings.queueOf(work)
    return name === undefined ? undefined : checkQueueName(name)
  }

  /** Who cannot be told now is found by a sweep: an entry that waits for too long is announced again. */
  async #announce(queueName: string, work: PendingWork): Promise<void> {
    // Before anything is waited for: it belongs to the span that is active now.
    const job = jobOf(work)
    try {
      const queue = await this.#open(queueName)
      const { refId, toolName } = work
      await queue.add(toolName, job, {
        removeOnComplete: KEPT,
        removeOnFail: KEPT,
        ...this.settings.jobOptions(work),
        // Announced again while it waits, it is still one job; while it runs, one more follows.
        deduplication: { id: refId, keepLastIfActive: true },
      })
      this.#onReady()
    } catch (error) {
      this.#onTrouble(error as Error)
    }
  }

  #open(name: string): Promise<Queue<JobData>> {
    const known = this.#queues.get(name)
    if (known) return known
    const opened = this.#openQueue(name)
    this.#queues.set(name, opened)
    opened.catch(() => this.#queues.delete(name))
    return opened
  }

  async #openQueue(name: string): Promise<Queue<JobData>> {
    const { Queue } = await loadBullmq()
    const queue = new Queue<JobData>(name, await this.#connection())
    queue.on('error', error => this.#onTrouble(error))
    return queue
  }

  async #connection() {
    const opened = await openClient(this.settings.connection)
    this.#opened.push(opened)
    return { connection: opened.client as never, prefix: this.settings.prefix }
  }

  async #process(job: Job<JobData>, token: string | undefined): Promise<void> {
    const { DelayedError, WaitingError } = await loadBullmq()
    const outcome = await this.#takeTraced(job)
    if (outcome === 'ended' || outcome === 'not_pending') return
    if (outcome === 'closing') {
      await job.moveToWait(token)
      throw new WaitingError()
    }
    if (outcome === 'unknown_tool') this.#leaves(`lacks the tool '${job.name}'`)
    if (outcome === 'foreign') this.#leaves('serves a cache of another name')
    await job.moveToDelayed(Date.now() + AGAIN_MS, token)
    throw new DelayedError()
  }

  #takeTraced({ name, data: { refId, traceparent } }: Job<JobData>): Promise<Taken> {
    const take = () => this.#takeOrSay(refId)
    if (!isHeard(channels.take)) return take()
    const fields = traceparent === undefined ? {} : { traceparent }
    return trace(channels.take, { cache: cacheNameOf(refId), tool: name, refId, trace: fields }, take)
  }

  async #takeOrSay(refId: RefId): Promise<Taken> {
    if (this.#ended || !this.#take) return 'closing'
    try {
      return await this.#take(refId)
    } catch (error) {
      // The store is away: another worker may reach it.
      this.#logger?.warn(`A job could not be taken, and comes up again: ${(error as Error).message}`)
      return 'failed'
    }
  }

  #leaves(why: string): void {
    if (this.#left.has(why)) return
    this.#left.add(why)
    this.#logger?.warn(`This worker ${why}, and leaves such jobs to others.`)
  }

  #onTrouble({ message }: Error): void {
    if (this.#trouble === message || this.#ended) return
    this.#trouble = message
    this.#logger?.warn(`BullMQ is in trouble, and work waits until that is over: ${message}`)
  }

  #onReady(): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#logger?.warn('The trouble of BullMQ is over.')
  }

  async #close(): Promise<void> {
    // These take nothing more from now on.
    const workers = Promise.allSettled(this.#workers.map(worker => worker.close()))
    await within(CLOSE_MS, Promise.allSettled(this.#announcing.values()))
    await workers
    const queues = await Promise.allSettled(this.#queues.values())
    for (const queue of queues) if (queue.status === 'fulfilled') await queue.value.close().catch(() => {})
  }
}

function jobOf({ refId, toolName }: PendingWork): JobData {
  if (!channels.announce.hasSubscribers) return { refId }
  const message: AnnounceMessage = { refId, tool: toolName }
  channels.announce.publish(message)
  const traceparent = message.trace?.traceparent
  return traceparent === undefined ? { refId } : { refId, traceparent }
}

async function within(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const elapsed = new Promise(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, elapsed])
  clearTimeout(timer)
}
