import { untilAborted } from '../../core/abort.ts'

/** A task's place in the queue. */
export interface Ticket {
  /** Its turn has come: the task may run now. */
  readonly mayRun: boolean
  /** Resolves when the task may run; rejects with the signal's reason when it is aborted first. */
  acquire(signal: AbortSignal): Promise<void>
  /** Gives the place up, whether or not its turn came. Twice is safe. */
  leave(): void
}

interface Waiter {
  go(): void
}

/**
 * Limits how many tasks run in this process, in all and per tool. Tools take turns: one with a thousand waiting tasks
 * does not hold up another with one.
 */
export class TaskQueue {
  #running = 0
  #waiting = 0
  readonly #runningOf = new Map<string, number>()
  /** In the order of turns: the tool that was served goes to the end. */
  readonly #waitersOf = new Map<string, { limit: number; waiters: Waiter[] }>()

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** A place for a task of `tool`, of which `limit` may run at once; nothing when too many wait already. */
  enter(tool: string, limit = Number.POSITIVE_INFINITY): Ticket | undefined {
    if (!this.#mayRun(tool, limit) && this.#waiting >= this.maxWaiting) return undefined
    return this.enterAgain(tool, limit)
  }

  /** The same for a task that waits for others before it can take its turn. */
  enterAside(tool: string, limit = Number.POSITIVE_INFINITY): Ticket | undefined {
    return this.#waiting < this.maxWaiting ? this.stepAside(tool, limit) : undefined
  }

  /** A ticket for an admitted task that waits for others. It counts as waiting, and holds up no other task. */
  stepAside(tool: string, limit = Number.POSITIVE_INFINITY): Ticket {
    let place: Ticket | undefined
    let left = false
    this.#waiting++
    return {
      get mayRun() {
        return place?.mayRun ?? false
      },
      acquire: signal => {
        if (!place && !left) {
          this.#waiting--
          place = this.enterAgain(tool, limit)
        }
        return place?.acquire(signal) ?? Promise.resolve()
      },
      leave: () => {
        if (left) return
        left = true
        if (place) place.leave()
        else this.#waiting--
      },
    }
  }

  /** A place for a task that was admitted before, however many wait. */
  enterAgain(tool: string, limit = Number.POSITIVE_INFINITY): Ticket {
    return this.#place(tool, this.#mayRun(tool, limit) ? this.#begin(tool) : undefined, limit)
  }

  #place(tool: string, begun: (() => void) | undefined, limit: number): Ticket {
    let end = begun
    let left = false
    let waiter: Waiter | undefined
    const waited = end
      ? Promise.resolve()
      : new Promise<void>(resolve => {
          waiter = {
            go: () => {
              end = this.#begin(tool)
              resolve()
            },
          }
          this.#wait(tool, limit, waiter)
        })
    return {
      get mayRun() {
        return end !== undefined && !left
      },
      acquire: signal => untilAborted(signal, () => waited),
      leave: () => {
        if (left) return
        left = true
        if (end) end()
        else if (waiter) this.#giveUp(tool, waiter)
      },
    }
  }

  #mayRun(tool: string, limit: number): boolean {
    return this.#running < this.maxRunning && (this.#runningOf.get(tool) ?? 0) < limit
  }

  #begin(tool: string): () => void {
    this.#running++
    this.#runningOf.set(tool, (this.#runningOf.get(tool) ?? 0) + 1)
    return () => {
      this.#running--
      const rest = (this.#runningOf.get(tool) ?? 1) - 1
      if (rest > 0) this.#runningOf.set(tool, rest)
      else this.#runningOf.delete(tool)
      this.#serve()
    }
  }

  #wait(tool: string, limit: number, waiter: Waiter): void {
    this.#waiting++
    const line = this.#waitersOf.get(tool) ?? { limit, waiters: [] }
    line.waiters.push(waiter)
    this.#waitersOf.set(tool, line)
  }

  #giveUp(tool: string, waiter: Waiter): void {
    const line = this.#waitersOf.get(tool)
    const place = line?.waiters.indexOf(waiter) ?? -1
    if (!line || place < 0) return
    line.waiters.splice(place, 1)
    this.#waiting--
    if (line.waiters.length === 0) this.#waitersOf.delete(tool)
  }

  #serve(): void {
    for (const [tool, line] of [...this.#waitersOf]) {
      if (!this.#mayRun(tool, line.limit)) continue
      const next = line.waiters.shift()
      this.#waiting--
      this.#waitersOf.delete(tool)
      if (line.waiters.length > 0) this.#waitersOf.set(tool, line)
      next?.go()
      return
    }
  }
}

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
    private readonly slot: QueueSlot,
    private readonly signal: AbortSignal,
  ) {}

  /** The outcome of `wait`, handed on when the run may go on with it. */
  async during<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#open++ === 0 && !this.#returning) this.slot.leave()
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
    await this.slot.acquire(this.signal)
    // Something was asked in the meantime.
    if (this.#open > 0) this.slot.leave()
  }
}
