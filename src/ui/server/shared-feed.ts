import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'
import type { Seen, SeenChanges } from './sight.ts'

/** What happened since the last time that it was asked for. */
export interface News {
  /** False: not all of it is known. */
  readonly isComplete: boolean
  readonly changed: readonly Seen[]
  readonly deleted: readonly RefId[]
}

/** However many pages are open, the store is looked at so often. */
const LOOK_EVERY_MS = 200
/** So many entries that changed last are known. */
const MOST_KEPT = 1_000

interface Latest {
  readonly at: number
  /** Absent: it is gone. */
  readonly seen?: Seen
}

/** What changed, for all pages that show one somebody the same: one of them looks, and the others are told. */
export class SharedFeed {
  /** The latest of each entry, the oldest first. */
  readonly #latest = new Map<RefId, Latest>()
  #at = 0
  #changedAt = Number.NEGATIVE_INFINITY
  /** What was before is not known any more. */
  #knownFrom = 0
  #looking: Promise<void> | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly next: () => Promise<News>,
    private readonly clock: Clock,
  ) {}

  /** When something was told last, by the monotonic clock. It happened before. */
  get changedAt(): number {
    return this.#changedAt
  }

  /** @param since the cursor of the last look @throws what the store throws */
  async look(since: number | undefined): Promise<SeenChanges> {
    await this.refresh()
    const cursor = this.#at
    if (since === undefined || since < this.#knownFrom) {
      return { isComplete: false, changed: [], deleted: [], cursor }
    }
    const changed: Seen[] = []
    const deleted: RefId[] = []
    for (const [refId, { at, seen }] of this.#latest) {
      if (at <= since) continue
      if (seen) changed.push(seen)
      else deleted.push(refId)
    }
    return { isComplete: true, changed, deleted, cursor }
  }

  /** Looks at the store, unless somebody just did. */
  refresh(): Promise<void> {
    if (!this.#looking && this.clock.monotonic() - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#looking = this.#take().finally(() => {
        this.#looking = undefined
      })
    }
    return this.#looking ?? Promise.resolve()
  }

  async #take(): Promise<void> {
    const { isComplete, changed, deleted } = await this.#nextOrForget()
    this.#lookedAt = this.clock.monotonic()
    if (!isComplete) this.#forget()
    if (changed.length + deleted.length === 0) return
    this.#changedAt = this.#lookedAt
    const at = ++this.#at
    for (const seen of changed) this.#note(seen.refId, { at, seen })
    for (const refId of deleted) this.#note(refId, { at })
  }

  /** What was told just before the error is lost. */
  async #nextOrForget(): Promise<News> {
    try {
      return await this.next()
    } catch (error) {
      this.#forget()
      throw error
    }
  }

  #forget(): void {
    this.#latest.clear()
    this.#knownFrom = ++this.#at
  }

  #note(refId: RefId, latest: Latest): void {
    this.#latest.delete(refId)
    this.#latest.set(refId, latest)
    if (this.#latest.size <= MOST_KEPT) return
    const [oldest] = this.#latest
    if (!oldest) return
    this.#knownFrom = Math.max(this.#knownFrom, oldest[1].at)
    this.#latest.delete(oldest[0])
  }
}
