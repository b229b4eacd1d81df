import type { QueueSlot } from './queue.ts'

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
