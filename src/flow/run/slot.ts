import type { TaskQueue, Ticket } from './queue.ts'

/**
 * The place of one task in the queue: given up where the task only waits, taken again where it goes on. It is taken only
 * after that in the queue `before`, where there is one, and given up with it.
 */
export class QueueSlot {
  #ticket: Ticket | undefined

  constructor(
    first: Ticket | undefined,
    private readonly queue: TaskQueue,
    private readonly tool: { readonly name: string; readonly maxConcurrentTasks?: number | undefined },
    private readonly before?: QueueSlot,
  ) {
    this.#ticket = first
  }

  /** Resolves when the task may run; a place that was given up is taken again, at the end of the line. */
  async acquire(signal: AbortSignal): Promise<void> {
    if (this.before) await this.before.acquire(signal)
    this.#ticket ??= this.queue.enterAgain(this.tool.name, this.tool.maxConcurrentTasks)
    return this.#ticket.acquire(signal)
  }

  /** Gives the place up until `acquire` asks for one; the task still counts as one that waits. */
  stepAside(): void {
    this.leave()
    this.#ticket = this.queue.stepAside(this.tool.name, this.tool.maxConcurrentTasks)
  }

  /** Gives the place up when `over` resolves; the next turn takes another one. */
  leaveAfter(over: Promise<void>): void {
    this.before?.leaveAfter(over)
    const ticket = this.#ticket
    this.#ticket = undefined
    void over.then(() => ticket?.leave())
  }

  /** Twice is safe. */
  leave(): void {
    this.before?.leave()
    this.#ticket?.leave()
    this.#ticket = undefined
  }
}

/**
 * One run's waits for answers. While any of them lasts, the run has no place: who leaves a question open must not hold
 * up others. The place is left once for all of them, and taken again before the last answer is handed on.
 */
export class Waits {
  #open = 0
  #returning: Promise<void> | undefined

  constructor(
    private readonly seat: QueueSlot,
    private readonly signal: AbortSignal,
  ) {}

  /** The outcome of `wait`, handed on when the run may go on with it. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#open++ === 0 && !this.#returning) this.seat.leave()
    try {
      return await wait()
    } finally {
      if (--this.#open === 0) await this.#return()
    }
  }

  /** Resolves when nobody is on the way back any more. */
  async end(): Promise<void> {
    await this.#returning?.catch(() => {})
  }

  #return(): Promise<void> {
    this.#returning ??= this.#takePlace().finally(() => {
      this.#returning = undefined
    })
    return this.#returning
  }

  async #takePlace(): Promise<void> {
    this.signal.throwIfAborted()
    await this.seat.acquire(this.signal)
    // Something was asked in the meantime.
    if (this.#open > 0) this.seat.leave()
  }
}
