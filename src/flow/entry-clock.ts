import { CLOCK_SLACK_MS, type Clock } from '../core/clock.ts'
import type { Store, StoreTime } from '../stores/store.ts'

/** A moment by three clocks: the process's two, and the one that entries go by. */
interface Moment {
  readonly wall: number
  readonly monotonic: number
  readonly time: number
}

/**
 * The time of entries. All processes on one store go by one clock, as far as it knows of one. From then on this process
 * has two readings: by its monotonic clock, which nobody can set but which stands still while the machine sleeps, and by
 * its wall clock. Where they differ, the later one says what is too old to be a hit, and the earlier one what may be deleted.
 */
export class EntryClock implements Clock {
  #base: Moment
  /** What somebody else on the store, or the store itself, said of an earlier time. */
  #earlier: (Moment & Pick<StoreTime, 'from'>) | undefined
  #agreed: Promise<unknown> | undefined
  #hasAgreed = false

  constructor(
    private readonly clock: Clock,
    private readonly store: Store,
    private readonly cacheName: string,
  ) {
    this.#base = this.#moment(clock.now())
  }

  /** The later reading: for what is stamped, and for hits. A wall clock that is set back does not turn it back. */
  now(): number {
    return Math.max(this.#steady(), this.#byWall())
  }

  /** For what somebody holds a reference to: it lives as long as one process says so. */
  expiryNow(): number {
    return Math.min(this.#steady(), this.#earlier?.from === 'others' ? this.#since(this.#earlier) : Infinity)
  }

  /** The earliest reading: what has expired by it has expired for all. */
  pruneNow(): number {
    return Math.min(this.#ownEarliest(), this.#earlier ? this.#since(this.#earlier) : Infinity)
  }

  monotonic(): number {
    return this.clock.monotonic()
  }

  schedule(ms: number, callback: () => void, kind?: 'background'): () => void {
    return this.clock.schedule(ms, callback, kind)
  }

  /** Whether nothing is left to agree upon. */
  get hasAgreed(): boolean {
    return this.#hasAgreed || !this.store.time
  }

  /** Before the first use of the store. A store that is away says what time it is when it is back. */
  agreed(): Promise<unknown> {
    if (!this.store.time) return Promise.resolve()
    this.#agreed ??= this.agree().catch(() => {
      this.#agreed = undefined
    })
    return this.#agreed
  }

  /** Asks the store anew. False where it says that it takes no writes. */
  async agree(): Promise<boolean> {
    const told = await this.store.time?.(this.cacheName, { now: this.now(), earliest: this.#ownEarliest() })
    const first = !this.#hasAgreed
    this.#hasAgreed = true
    this.#earlier = undefined
    if (!told) return true
    if (first || (told.from === 'store' && told.now > this.#steady() - CLOCK_SLACK_MS)) {
      this.#base = this.#moment(first ? told.now : Math.max(told.now, this.#steady()))
    }
    if (told.earliest < this.#ownEarliest()) {
      this.#earlier = { ...this.#moment(told.earliest), from: told.from }
    }
    return told.takesWrites
  }

  #ownEarliest(): number {
    return Math.min(this.#steady(), this.#byWall())
  }

  #steady(): number {
    return this.#since(this.#base)
  }

  #byWall(): number {
    return this.#base.time + this.clock.now() - this.#base.wall
  }

  #since({ time, monotonic }: Moment): number {
    return time + this.clock.monotonic() - monotonic
  }

  #moment(time: number): Moment {
    return { wall: this.clock.now(), monotonic: this.clock.monotonic(), time }
  }
}
