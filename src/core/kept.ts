import type { Clock } from './clock.ts'
import type { Entry } from './entry.ts'
import type { RefId } from './ref.ts'

export interface KeepLimits {
  readonly maxCount: number
  /** Of what is kept in all, in whatever the weights are counted in. The latest stays whatever its weight. */
  readonly maxWeight: number
  /** Unused for this long, it is dropped: a process does not hear of entries that another one deleted. */
  readonly idleMs: number
}

interface Held<V> {
  readonly value: V
  readonly weight: number
  readonly expiresAt: number | undefined
  usedAt: number
}

/** What a process keeps beside the store, by reference. It goes with its entry, and is bounded. */
export class Kept<V> {
  /** The least recently used first. */
  readonly #held = new Map<RefId, Held<V>>()
  #lastUsed: RefId | undefined
  #weight = 0

  constructor(
    private readonly clock: Clock,
    private readonly limits: KeepLimits,
  ) {}

  get size(): number {
    return this.#held.size
  }

  get(refId: RefId): V | undefined {
    const held = this.#held.get(refId)
    if (!held) return undefined
    if (refId !== this.#lastUsed) {
      this.#held.delete(refId)
      this.#held.set(refId, held)
      this.#lastUsed = refId
    }
    held.usedAt = this.clock.monotonic()
    return held.value
  }

  put({ refId, expiresAt }: Pick<Entry, 'refId' | 'expiresAt'>, value: V, weight: number): void {
    this.drop(refId)
    this.#held.set(refId, { value, weight, expiresAt, usedAt: this.clock.monotonic() })
    this.#weight += weight
    this.#lastUsed = refId
    const { maxCount, maxWeight } = this.limits
    for (const oldest of this.#held.keys()) {
      if ((this.#weight <= maxWeight && this.#held.size <= maxCount) || oldest === refId) break
      this.drop(oldest)
    }
  }

  drop(refId: RefId): void {
    this.#weight -= this.#held.get(refId)?.weight ?? 0
    this.#held.delete(refId)
  }

  clear(): void {
    this.#held.clear()
    this.#weight = 0
  }

  /** Drops what has expired, and what was not used lately. */
  sweep(): void {
    const now = this.clock.now()
    const idleSince = this.clock.monotonic() - this.limits.idleMs
    for (const [refId, { expiresAt, usedAt }] of this.#held) {
      if (usedAt <= idleSince || (expiresAt !== undefined && expiresAt <= now)) this.drop(refId)
    }
  }
}
