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
  /** With what was stored since it was counted, as far as that was announced. */
  bytes: number
  /** It holds until then, of the monotonic clock. */
  readonly until: number
}

/** Keeps one subject from taking what all share. A subject is known by the namespace of its results. */
export class Quotas {
  readonly #calls = new Map<Namespace, number>()
  readonly #counts = new Map<Namespace, Count>()
  /** Bytes that are about to be stored. */
  readonly #announced = new Map<Namespace, number>()

  constructor(
    private readonly cache: Pick<RefCache, 'stats' | 'unfinishedTasks'>,
    private readonly quota: Quota,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Runs a call of the subject. @throws QueueFull, QuotaFull */
  async call<T>(namespace: Namespace, work: () => Promise<T>): Promise<T> {
    const open = this.#calls.get(namespace) ?? 0
    // Calls that are waited for are tasks, too; tasks with a handle are waited for by nobody.
    if (Math.max(open, this.cache.unfinishedTasks(namespace)) >= this.quota.calls) {
      throw new QueueFull(
        `You have ${this.quota.calls} calls that run or wait already, which is the most for one caller. Wait for one, or end it with cancel_task.`,
      )
    }
    add(this.#calls, namespace, 1)
    try {
      await this.#checkBytes(namespace)
      return await work()
    } finally {
      add(this.#calls, namespace, -1)
    }
  }

  /** Runs what stores so many bytes of JSON for the subject. They count before they are stored. @throws QuotaFull */
  async store<T>(namespace: Namespace, bytes: number, work: () => Promise<T>): Promise<T> {
    add(this.#announced, namespace, bytes)
    try {
      await this.#checkBytes(namespace, bytes)
      const stored = await work()
      const count = this.#counts.get(namespace)
      if (count) count.bytes += bytes
      return stored
    } finally {
      add(this.#announced, namespace, -bytes)
    }
  }

  async #checkBytes(namespace: Namespace, more = 0): Promise<void> {
    const kept = await this.#bytesOf(namespace)
    const announced = this.#announced.get(namespace) ?? 0
    if (kept < this.quota.bytes && kept + announced <= this.quota.bytes) return
    const wanted = more > 0 ? `, this one would take ${more} more` : ''
    throw new QuotaFull(
      `Your results take ${kept} bytes${wanted}, and one caller may have ${this.quota.bytes}. They go when they expire; call again then.`,
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

function add(to: Map<Namespace, number>, namespace: Namespace, more: number): void {
  const sum = (to.get(namespace) ?? 0) + more
  if (sum > 0) to.set(namespace, sum)
  else to.delete(namespace)
}
