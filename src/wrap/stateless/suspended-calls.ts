import type { Clock } from '../../core/clock.ts'
import type { OpenCall } from './open-call.ts'

/** How long a client may take to answer a question before its call is cancelled. */
const ANSWER_MS = 10 * 60 * 1000
const MAX_CALLS = 100

/** Calls of one connection that wait for answers of clients, who may be gone. */
export class SuspendedCalls {
  readonly #timers = new Map<OpenCall, () => void>()

  /** @param giveUp a call that waited for too long, or longest where there are too many */
  constructor(
    private readonly clock: Clock,
    private readonly giveUp: (call: OpenCall, reason: string) => void,
  ) {}

  add(call: OpenCall): void {
    const late = () => this.giveUp(call, 'Nobody answered.')
    this.#timers.set(call, this.clock.schedule(ANSWER_MS, late, 'background'))
    const { oldest } = this
    if (oldest && this.#timers.size > MAX_CALLS) this.giveUp(oldest, 'Too many calls wait for answers.')
  }

  /** The call that a client shows this state to go on with. */
  find(state: unknown): OpenCall | undefined {
    return [...this.#timers.keys()].find(call => call.isSuspendedAs(state))
  }

  get oldest(): OpenCall | undefined {
    const [oldest] = this.#timers.keys()
    return oldest
  }

  remove(call: OpenCall): void {
    this.#timers.get(call)?.()
    this.#timers.delete(call)
  }

  close(): void {
    for (const call of [...this.#timers.keys()]) this.remove(call)
  }
}
