import type { Job, Queue, WorkerOptions as QueueWorkerOptions, Worker } from 'bullmq'
import type { Logger } from '../../core/logger.ts'
import type { RefId } from '../../core/ref.ts'
import type { Dispatcher, PendingWork, TakeWork } from '../dispatcher.ts'
import { loadBullmq, type Opened, openClient } from './connection.ts'
import type { BullmqSettings } from './options.ts'

/** What a job carries. The entry says all else, also who runs it. */
interface JobData {
  readonly refId: RefId
}

/** Finished jobs are kept for dashboards: the newest thousand, for an hour. */
const KEPT = { count: 1_000, age: 3_600 }

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
  readonly #announcing = new Set<Promise<void>>()
  /** Tools that jobs came for and that this process lacks. */
  readonly #lacking = new Set<string>()
  #take: TakeWork | undefined
  #logger: Logger | undefined
  #isAway = false
  #ended: Promise<void> | undefined

  constructor(readonly settings: BullmqSettings) {}

  dispatch(work: PendingWork): 'here' | 'elsewhere' {
    const queue = this.settings.queueOf(work.toolName)
    if (queue === undefined) return 'here'
    const announced = this.#announce(queue, work).finally(() => this.#announcing.delete(announced))
    this.#announcing.add(announced)
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

  /** Takes and announces no more. What runs goes on; `ended` waits for it. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#announcing)
    this.#ended ??= this.#end()
    if (this.#workers.length === 0) await this.#ended
  }

  /** Resolves when all jobs of this process are over and its connections are closed. */
  get ended(): Promise<void> {
    return this.#ended ?? Promise.resolve()
  }

  /** Who cannot be told now is found by a sweep: an entry that waits for too long is announced again. */
  async #announce(queueName: string, work: PendingWork): Promise<void> {
    try {
      const queue = await this.#open(queueName)
      const { refId, toolName } = work
      await queue.add(
        toolName,
        { refId },
        {
          removeOnComplete: KEPT,
          removeOnFail: KEPT,
          ...this.settings.jobOptions(work),
          // Announced again while it waits, it is still one job; while it runs, one more follows.
          deduplication: { id: refId, keepLastIfActive: true },
        },
      )
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
    if (this.#ended || !this.#take) {
      await job.moveToWait(token)
      throw new WaitingError()
    }
    const outcome = await this.#take(job.data.refId).catch(error => {
      // The store is away: another worker may reach it.
      this.#logger?.warn(`A job could not be taken, and comes up again: ${(error as Error).message}`)
      return 'failed' as const
    })
    if (outcome === 'ended' || outcome === 'not_pending') return
    if (outcome === 'unknown_tool') this.#lacks(job.name)
    await job.moveToDelayed(Date.now() + AGAIN_MS, token)
    throw new DelayedError()
  }

  #lacks(toolName: string): void {
    if (this.#lacking.has(toolName)) return
    this.#lacking.add(toolName)
    this.#logger?.warn(`This worker lacks the tool '${toolName}', and leaves its jobs to others.`)
  }

  #onTrouble(error: Error): void {
    if (this.#isAway || this.#ended) return
    this.#isAway = true
    this.#logger?.warn(`The queue of BullMQ cannot be reached; work waits until it can. ${error.message}`)
  }

  #onReady(): void {
    if (!this.#isAway) return
    this.#isAway = false
    this.#logger?.warn('The queue of BullMQ can be reached again.')
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#workers.map(worker => worker.close()))
    const queues = await Promise.allSettled(this.#queues.values())
    for (const queue of queues) if (queue.status === 'fulfilled') await queue.value.close().catch(() => {})
    for (const { end } of this.#opened) end()
  }
}
