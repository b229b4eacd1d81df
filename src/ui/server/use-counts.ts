import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'
import type { Inspector } from '../../inspect/index.ts'

/** The newest entries are looked at for what they use. */
const LOOKED_AT = 2_000
/** Counts are taken at most so often. */
const COUNT_EVERY_MS = 2_000

/** How many of the newest entries were made of others. */
export class UseCounts {
  #counted: { readonly at: number; readonly counts: Promise<ReadonlyMap<RefId, number>> } | undefined

  constructor(
    private readonly inspector: Inspector,
    private readonly clock: Clock,
  ) {}

  get(): Promise<ReadonlyMap<RefId, number>> {
    const now = this.clock.monotonic()
    if (!this.#counted || now - this.#counted.at >= COUNT_EVERY_MS) {
      this.#counted = { at: now, counts: this.#count() }
    }
    return this.#counted.counts
  }

  async #count(): Promise<ReadonlyMap<RefId, number>> {
    const counts = new Map<RefId, number>()
    const { entries } = await this.inspector.list({ limit: LOOKED_AT })
    for (const { uses = [] } of entries) {
      for (const refId of new Set(uses)) counts.set(refId, (counts.get(refId) ?? 0) + 1)
    }
    return counts
  }
}
