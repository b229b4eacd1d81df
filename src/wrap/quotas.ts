import type { Namespace } from '../access/namespace.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { QueueFull, QuotaFull } from '../core/errors.ts'
import type { RefCache } from '../ref-cache.ts'

/** What one subject may have at once. */
export interface Quota {
  /** Sessions of 2025; and a server of its own, where it has one. */
  readonly sessions: number
  /** Calls that run, or wait for their turn. */
  readonly calls: number
  /** Bytes of JSON of all results that are kept for it. */
  readonly bytes: number
}

export const DEFAULT_QUOTA: Quota = { sessions: 8, calls: 100, bytes: 1024 ** 3 }

/** To count what is kept takes at most this part of the time. */
const COUNTING_SHARE = 0.1

interface Count {
  readonly bytes: number
  /** It holds until then, of the monotonic clock. */
  readonly until: number
}

/** Keeps one subject from taking what all share. A subject is known by the namespace of its results. */
export class Quotas {
  readonly #calls = new Map<Namespace, number>()
  readonly #counts = new Map<Namespace, Count>()

  constructor(
    private readonly cache: Pick<RefCache, 'stats' | 'unfinishedTasks'>,
    private readonly quota: Quota,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Runs a call of the subject. @throws QueueFull, StoreFull */
  async call<T>(namespace: Namespace, work: () => Promise<T>): Promise<T> {
    const open = this.#calls.get(namespace) ?? 0
    // Calls that are waited for are tasks, too; tasks with a handle are waited for by nobody.
    if (Math.max(open, this.cache.unfinishedTasks(namespace)) >= this.quota.calls) {
      throw new QueueFull(
        `You have ${this.quota.calls} calls that run or wait already, which is the most for one caller. Wait for one, or end it with cancel_task.`,
      )
    }
    this.#calls.set(namespace, open + 1)
    try {
      await this.#checkBytes(namespace)
      return await work()
    } finally {
      const rest = (this.#calls.get(namespace) ?? 1) - 1
      if (rest > 0) this.#calls.set(namespace, rest)
      else this.#calls.delete(namespace)
    }
  }

  async #checkBytes(namespace: Namespace): Promise<void> {
    const bytes = await this.#bytesOf(namespace)
    if (bytes < this.quota.bytes) return
    throw new QuotaFull(
      `Your results take ${bytes} bytes, and one caller may have ${this.quota.bytes}. They go when they expire; call again then.`,
    )
  }

  async #bytesOf(namespace: Namespace): Promise<number> {
    const start = this.clock.monotonic()
    const known = this.#counts.get(namespace)
    if (known && start < known.until) return known.bytes
    const { valueBytes } = await this.cache.stats({ namespace })
    const end = this.clock.monotonic()
    this.#counts.set(namespace, { bytes: valueBytes, until: end + (end - start) / COUNTING_SHARE })
    return valueBytes
  }
}
