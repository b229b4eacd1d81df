import type { Namespace } from '../../access/namespace.ts'
import type { Clock } from '../../core/clock.ts'
import { Signal } from '../../core/signal.ts'

/** A call whose work is under way although it has no entry, not even one that is held back. */
export interface Passing {
  readonly toolName: string
  readonly namespace: Namespace
  /** What makes another call the same call. Absent where no call may follow this one. */
  readonly callKey: string | undefined
  /** Something needs its entry: it enters the flow now. */
  need(): void
}

/** How long a call passes at least before it enters the flow. What takes longer is slow enough for that. */
const PASSING_MS = 100

/** The calls of this process that pass without an entry. None does so for longer than twice that time. */
export class PassingCalls {
  readonly #calls = new Set<Passing>()
  /** Those that were there when the clock last struck. One timer for all: most calls are over before they would have used theirs. */
  #aged = new Set<Passing>()
  #isTicking = false
  readonly #left = new Signal()

  constructor(private readonly clock: Clock) {}

  add(call: Passing): void {
    this.#calls.add(call)
    if (!this.#isTicking) this.#tickLater()
  }

  /** It has its answer, or its entry. */
  delete(call: Passing): void {
    if (!this.#calls.delete(call)) return
    this.#aged.delete(call)
    if (this.#calls.size === 0) this.#left.notify()
  }

  countOf(namespace: Namespace): number {
    let count = 0
    for (const call of this.#calls) if (call.namespace === namespace) count++
    return count
  }

  has(toolName: string): boolean {
    for (const call of this.#calls) if (call.toolName === toolName) return true
    return false
  }

  /** Has the same call enter the flow, so that another one can follow it. False where there is none. */
  needSame(toolName: string, callKey: string): boolean {
    for (const call of this.#calls) {
      if (call.toolName !== toolName || call.callKey !== callKey) continue
      call.need()
      return true
    }
    return false
  }

  /** Resolves when each of them has its answer or its entry. */
  async needAll(): Promise<void> {
    for (const call of [...this.#calls]) call.need()
    while (this.#calls.size > 0) await this.#left.next()
  }

  #tickLater(): void {
    this.#isTicking = true
    this.clock.schedule(PASSING_MS, () => this.#tick(), 'background')
  }

  #tick(): void {
    this.#isTicking = false
    const aged = this.#aged
    this.#aged = new Set(this.#calls)
    for (const call of aged) call.need()
    if (this.#calls.size > 0) this.#tickLater()
  }
}
